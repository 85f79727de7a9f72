"""Which service's code goes another way, and what kind of fault that is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.faults.code import TOLD, code_faults
from agent.analysis.faults.fault import Fault
from agent.analysis.observed import PathBreak
from agent.incident import FaultKind
from tests.agent.analysis.faults.sightings import broken, by_score
from tests.agent.analysis.scenes import WINDOW, at
from tools.evidence import evidence_id


def found(*breaks: PathBreak) -> list[Fault]:
    return code_faults(breaks, WINDOW)


def only(*breaks: PathBreak) -> Fault:
    (fault,) = found(*breaks)
    return fault


def test_nothing_broken_nothing_said() -> None:
    assert found() == []


def test_who_broke_first_is_the_cause_and_who_noticed_a_victim() -> None:
    victim, cause = broken("gate", 40, first=0.0), broken("stock", 40, first=1.0)
    assert by_score(found(victim, cause)) == ["stock", "gate"]
    # A victim that shows it more plainly does not take the place of the cause at once.
    assert by_score(found(broken("gate", 80, first=0.0), cause)) == ["stock", "gate"]
    assert found(victim)[0].score > 0


@pytest.mark.parametrize(
    ("raised", "kind", "mechanism"),
    [
        (True, FaultKind.CODE_EXCEPTION, "located_code_exception"),
        (False, FaultKind.WRONG_RETURN, "located_wrong_return"),
    ],
)
def test_code_that_was_left_raised_and_code_that_was_led_elsewhere_got_a_wrong_value(
    raised: bool, kind: FaultKind, mechanism: str
) -> None:
    fault = only(broken("shop", 20, raised=raised))
    assert (fault.kind, fault.mechanism) == (kind, mechanism)


def test_the_worst_break_of_a_service_leads() -> None:
    mild = broken("shop", 5, step="cart read", minutes=2)
    worst = broken("shop", 50, step="price read", raised=True, minutes=4)
    fault = only(mild, worst)
    assert fault.score == only(worst).score
    assert (fault.kind, fault.since) == (FaultKind.CODE_EXCEPTION, at(4))
    assert fault.region == "between “price read” and “order stored”"
    assert [c.evidence for c in fault.claims] == [(evidence_id(b.query, WINDOW),) for b in (worst, mild)]


def test_a_few_breaks_are_told() -> None:
    fault = only(*(broken("shop", 10 + i, step=f"step {i}") for i in range(TOLD + 4)))
    assert len(fault.claims) == TOLD
    assert [c.weight for c in fault.claims] == sorted((c.weight for c in fault.claims), reverse=True)


def test_claims_say_what_follows_now_and_what_did() -> None:
    led, ended = broken("shop", 20), broken("shop", 20, instead="")
    assert only(led).claims[0].text == (
        "shop: after “order read” “order refused” follows in 80% of 50 requests (0% before) instead of “order stored”"
    )
    assert "after “order read” the path ends in 80% of 50 requests" in only(ended).claims[0].text


def test_long_lines_are_cut() -> None:
    assert len(only(broken("shop", 20, step="x" * 500, instead="y" * 500)).claims[0].text) < 300


def test_a_negative_statistic_is_no_evidence() -> None:
    assert only(broken("shop", -3)).score == 0.0


BREAKS = st.lists(
    st.builds(
        broken,
        st.sampled_from("abc"),
        st.floats(-5, 1e4),
        first=st.floats(0, 1),
        raised=st.booleans(),
        step=st.text("xyz ", min_size=1, max_size=5),
    ),
    max_size=10,
    unique_by=lambda b: (b.service, b.step),
)


@settings(max_examples=40, deadline=None)
@given(breaks=BREAKS, seed=st.integers(0, 1000))
def test_one_fault_per_service_in_any_order(breaks: list[PathBreak], seed: int) -> None:
    straight = found(*breaks)
    assert [f.service for f in straight] == sorted({b.service for b in breaks})
    random.Random(seed).shuffle(breaks)
    assert found(*breaks) == straight


@settings(max_examples=40, deadline=None)
@given(breaks=BREAKS, strength=st.floats(0, 1e4))
def test_another_service_changes_nothing_about_these(breaks: list[PathBreak], strength: float) -> None:
    together = found(*breaks, broken("z", strength))
    assert [f for f in together if f.service != "z"] == found(*breaks)


@given(strength=st.floats(0.1, 1e4), more=st.floats(1, 10), first=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_clearer_and_an_earlier_break_never_weigh_less(
    strength: float, more: float, first: tuple[float, float]
) -> None:
    late, early = sorted(first)
    assert only(broken("a", strength, first=late)).score <= only(broken("a", more * strength, first=early)).score
