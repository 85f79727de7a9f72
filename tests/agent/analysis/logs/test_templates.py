from __future__ import annotations

import pandas as pd
from hypothesis import given, strategies as st

from agent.analysis.logs.templates import MAX_TEMPLATES, literal_of, mine_templates
from agent.analysis.logs.tokens import OTHER
from tests.agent.analysis.telemetry import Line, log_frame

WORDS = st.sampled_from(["cart", "failed", "user=ann", "12ms", "0xdeadbeef00", "loaded", "page", "GET", "503", "<*>"])
BODIES = st.lists(WORDS, min_size=0, max_size=5).map(" ".join)
LINES = st.lists(
    st.tuples(st.sampled_from(["shop", "stock"]), st.sampled_from(["INFO", "ERROR"]), BODIES), min_size=1, max_size=60
)


def frame_of(lines: list[tuple[str, str, str]]) -> pd.DataFrame:
    return log_frame(Line(i, service, severity, body) for i, (service, severity, body) in enumerate(lines))


def test_lines_that_differ_in_numbers_are_one_template() -> None:
    mined = mine_templates(frame_of([("shop", "INFO", f"order {n} took {n * 3} ms") for n in range(20)]))
    assert mined.texts == ("order <*> took <*> ms",)
    assert set(mined.of_row.tolist()) == {0}


def test_services_and_severities_are_kept_apart() -> None:
    body = "order 1 done"
    mined = mine_templates(frame_of([("shop", "INFO", body), ("shop", "ERROR", body), ("stock", "INFO", body)]))
    assert list(zip(mined.services, mined.severities, mined.texts, strict=True)) == [
        ("shop", "ERROR", "order <*> done"),
        ("shop", "INFO", "order <*> done"),
        ("stock", "INFO", "order <*> done"),
    ]


def test_a_stack_trace_is_its_headline() -> None:
    body = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\nKeyError: price'
    assert mine_templates(frame_of([("shop", "ERROR", body)])).texts == ("KeyError: price",)


def test_errors_survive_among_endless_free_text() -> None:
    chatter = [
        ("shop", "INFO", " ".join(f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(n, n + 1 + n % 50)))
        for n in range(600)
    ]
    mined = mine_templates(frame_of([*chatter, ("shop", "ERROR", "disk is full")]))
    assert len(mined) <= MAX_TEMPLATES + 2
    assert ("shop", "ERROR", "disk is full") in zip(mined.services, mined.severities, mined.texts, strict=True)


def test_literals_are_found_in_the_line() -> None:
    assert literal_of("order <*> could not be paid: <*>", "order 7 could not be paid: card") == "could not be paid:"
    assert literal_of("a wide gap <*>", "a wide   gap 7") == "wide"
    assert literal_of("<*> <*>") is None
    assert literal_of(OTHER, "anything") is None


@given(lines=LINES, seed=st.randoms(use_true_random=False))
def test_templates_do_not_depend_on_the_order_of_rows(lines: list[tuple[str, str, str]], seed) -> None:
    frame = frame_of(lines)
    order = list(range(len(frame)))
    seed.shuffle(order)
    mined, shuffled = mine_templates(frame), mine_templates(frame.iloc[order])
    assert shuffled.texts == mined.texts
    assert shuffled.of_row.tolist() == mined.of_row[order].tolist()


@given(lines=LINES)
def test_a_row_keeps_its_service_and_severity(lines: list[tuple[str, str, str]]) -> None:
    mined = mine_templates(frame_of(lines))
    for template, (service, severity, _) in zip(mined.of_row.tolist(), lines, strict=True):
        assert (mined.services[template], mined.severities[template]) == (service, severity)
