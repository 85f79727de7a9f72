"""The answer: reading order, what fits a screen, and what hostile telemetry may not do to it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from agent.approval import Approval
from agent.incident import Diagnosis, SignalKind, Verdict
from tests.web import told
from web.report import Report
from web.series import ShownSignal
from web.terminal.answer import SCREEN_ROWS, answer, fitted
from web.terminal.hypotheses import moved


def rendered(report: Report, width: int = 100, *, color: bool = False, whole: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, record=True, force_terminal=color, color_system="truecolor" if color else None
    )
    console.print(answer(report) if whole else fitted(report, console))
    return console.file.getvalue()  # pyright: ignore


def crowded() -> Report:
    """More of everything than a screen holds."""
    diagnosis = told.DIAGNOSIS.model_copy(
        update={
            "hypotheses": (told.LEADING, told.POOL, told.DATABASE, told.POOL, told.DATABASE),
            "ruled_out": told.RULED_OUT * 5,
            "data_gaps": (told.GAP,) * 6,
            "mitigations": (told.ROLLBACK, told.SHED, told.SHED),
        }
    )
    return told.report(diagnosis, told.PENDING)


def test_it_is_read_from_the_symptom_down() -> None:
    text = rendered(told.report(told.DIAGNOSIS, told.PENDING))
    order = ["SEV2", "Why", "86 %", "Do", "Hypotheses", "Ruled out", "Data gaps", "Blast radius"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "report",
    [told.report(), told.report(told.DIAGNOSIS, told.PENDING), told.report(told.UNSURE), crowded()],
    ids=["answered", "waiting", "unsure", "crowded"],
)
def test_an_answer_fits_one_screen(report: Report) -> None:
    lines = rendered(report).splitlines()
    assert len(lines) <= SCREEN_ROWS
    assert max(len(line) for line in lines) <= 100


@pytest.mark.parametrize("width", [60, 80, 133, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for whole in (False, True):
        assert max(len(line) for line in rendered(crowded(), width, whole=whole).splitlines()) <= width


def test_what_is_left_out_is_counted_and_can_be_asked_for() -> None:
    text = rendered(crowded())
    assert re.search(r"Ruled out \(\d+ of 20\)", text)
    assert f"whydown incidents {told.INCIDENT.id}" in text


def test_the_whole_answer_leaves_nothing_out() -> None:
    text = " ".join(rendered(crowded(), 200, whole=True).split())
    diagnosis = told.DIAGNOSIS
    for hypothesis in diagnosis.hypotheses:
        for claim in (*hypothesis.evidence_for, *hypothesis.evidence_against):
            assert claim.text in text
            assert all(i in text for i in claim.evidence)
    assert all(cleared.reason.text in text for cleared in diagnosis.ruled_out)
    assert told.SHED.title in text


def test_a_confidence_says_what_it_promises() -> None:
    text = rendered(told.report())
    assert "86 %" in text
    assert "answers this sure were right at least that often on recorded incidents" in text


def test_an_answer_without_enough_evidence_promises_nothing_and_says_where_to_look() -> None:
    text = rendered(told.report(told.UNSURE))
    assert "should be right" not in text
    assert "leads, not answers" in text
    assert "look at the hosts of the price database" in text


def test_the_leading_signal_is_drawn_with_its_levels_and_onset() -> None:
    text = rendered(told.report())
    assert re.search(r"▁│█+\s+price-api queries_per_request 1 → 12.1 \(×12\), since 15:02:40 ±20 s", text)


def test_a_signal_without_a_stored_series_still_has_its_figures() -> None:
    bare = {told.LEADING.id: ShownSignal(signal=told.SIGNAL)}
    assert "queries_per_request 1 → 12.1" in rendered(told.report().model_copy(update={"leading_signals": bare}))


@pytest.mark.parametrize(
    ("aspect", "before", "after", "says"),
    [
        ("errors", 0.0, 0.8333, "failed 0 % → 83.3 %"),
        ("calls_per_parent", 0.0, 24.0, "calls per parent 0 → 24"),
        ("gone", 1.0, 0.1667, "called by 100 % → 16.7 % (×0.17)"),
        ("self_time", 82.0, 4120.0, "self time 82 ms → 4.12 s (×50)"),
    ],
)
def test_what_deviates_about_an_operation_is_said_with_its_unit(
    aspect: str, before: float, after: float, says: str
) -> None:
    changes = {"kind": SignalKind.SPAN, "attributes": {"aspect": aspect}, "before": before, "after": after}
    assert moved(told.SIGNAL.model_copy(update=changes)) == says


@pytest.mark.parametrize(
    ("approval", "says"),
    [
        (told.PENDING, "whydown approvals approve A-4c81d2"),
        (told.APPROVED, "Approved by mara"),
        (None, "nothing has been changed"),
    ],
)
def test_who_has_to_act_now(approval: Approval | None, says: str) -> None:
    report = told.report(told.DIAGNOSIS, *([approval] if approval else []))
    assert says in rendered(report)


def test_an_answer_without_a_mitigation_says_so() -> None:
    bare = told.DIAGNOSIS.model_copy(update={"mitigations": ()})
    assert "No safe mitigation is known" in rendered(told.report(bare))


def hostile() -> Diagnosis:
    evil = "\x1b[31mred\x1b[2J [bold]x[/bold] \x9b1m\u202e"
    claim = told.claim(evil)
    cause = told.LEADING.cause.model_copy(update={"service": "[red]x"})
    leading = told.LEADING.model_copy(
        update={"title": "[red]x fails", "cause": cause, "evidence_for": (claim,), "causal_chain": (claim,)}
    )
    return told.DIAGNOSIS.model_copy(
        update={
            "verdict": Verdict.NO_CHANGE,
            "answer": claim,
            "first_failing_service": "[red]x",
            "hypotheses": (leading,),
            "symptom": told.SYMPTOM.model_copy(update={"service": "[red]x"}),
            "mitigations": (told.ROLLBACK.model_copy(update={"title": evil, "undo": evil, "touches": (evil,)}),),
        }
    )


def test_markup_and_escapes_in_telemetry_are_shown_and_not_obeyed() -> None:
    plain = rendered(told.report(hostile()))
    assert "\x1b" not in plain
    assert "\x9b" not in plain
    assert "\u202e" not in plain
    assert plain.count("[red]x") >= 3
    assert "[bold]x[/bold]" in plain
    colored = rendered(told.report(hostile()), color=True)
    assert "\x1b[2J" not in colored
    assert "\x1b[31mred" not in colored


def test_without_colour_every_word_is_still_there() -> None:
    report = told.report(told.DIAGNOSIS, told.PENDING)
    without_escapes = re.sub(r"\x1b\[[0-9;]*m", "", rendered(report, color=True))
    assert without_escapes == rendered(report)
