"""Severity measures impact; every reason cites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from agent.analysis.observed import Onset
from agent.analysis.severity import assess
from agent.incident import Alert, GoldenSignal, Severity, Symptom, TimeWindow

FIRED = datetime(2026, 6, 18, 15, 6, tzinfo=UTC)
WINDOW = TimeWindow(since=FIRED - timedelta(hours=1), until=FIRED + timedelta(minutes=5))


def of(
    signal: GoldenSignal,
    before: float | None,
    after: float | None,
    metric: str = "m",
    word: str = "",
    threshold: float | None = None,
    observed: float | None = None,
) -> tuple[Severity, str, tuple[str, ...]]:
    alert = Alert(service="s", metric=metric, fired_at=FIRED, severity=word, threshold=threshold, observed=observed)
    onset = None
    if before is not None and after is not None:
        onset = Onset(
            at=FIRED - timedelta(minutes=3),
            uncertainty=timedelta(seconds=30),
            direction="up" if after >= before else "down",
            before=before,
            after=after,
            size=9.0,
            shape="step",
        )
    severity, reasons = assess(
        alert, Symptom(signal=signal, service="s", window=WINDOW, metric=metric), onset, "EA", "EM"
    )
    return severity, " | ".join(reason.text for reason in reasons), tuple(reason.evidence[0] for reason in reasons)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(0.7, Severity.SEV1), (0.5, Severity.SEV1), (0.3, Severity.SEV2), (0.02, Severity.SEV3), (0.002, Severity.SEV4)],
)
def test_the_share_that_fails_decides(after: float, expected: Severity) -> None:
    severity, text, cited = of(GoldenSignal.ERRORS, 0.001, after, metric="http_5xx_ratio")
    assert severity is expected
    assert "fail" in text
    assert cited == ("EM",)


def test_percent_is_a_share_too() -> None:
    assert of(GoldenSignal.ERRORS, 0.1, 61.0, metric="error_percent")[0] is Severity.SEV1


def test_a_count_of_errors_is_measured_against_its_baseline() -> None:
    assert of(GoldenSignal.ERRORS, 2.0, 30.0, metric="errors_total")[0] is Severity.SEV2
    assert of(GoldenSignal.ERRORS, 20.0, 30.0, metric="errors_total")[0] is Severity.SEV4
    assert of(GoldenSignal.ERRORS, 0.0, 30.0, metric="errors_total")[0] is Severity.SEV2


def test_slow_is_never_an_outage_by_itself() -> None:
    assert of(GoldenSignal.LATENCY, 100, 90_000)[0] is Severity.SEV2
    assert of(GoldenSignal.LATENCY, 100, 250)[0] is Severity.SEV3
    assert of(GoldenSignal.LATENCY, 100, 110)[0] is Severity.SEV4


def test_lost_traffic_hurts_and_more_traffic_does_not() -> None:
    assert of(GoldenSignal.TRAFFIC, 100, 2)[0] is Severity.SEV1
    assert of(GoldenSignal.TRAFFIC, 100, 60)[0] is Severity.SEV2
    assert of(GoldenSignal.TRAFFIC, 100, 500)[0] is Severity.SEV3


def test_the_monitors_word_raises_to_sev2_at_most_and_is_cited() -> None:
    severity, text, cited = of(GoldenSignal.LATENCY, 100, 250, word="Critical")
    assert severity is Severity.SEV2
    assert text.startswith("the monitor calls it critical")
    assert cited == ("EA", "EM")


def test_the_monitors_word_never_lowers() -> None:
    assert of(GoldenSignal.ERRORS, 0.0, 0.8, metric="error_ratio", word="high")[0] is Severity.SEV1
    assert of(GoldenSignal.ERRORS, 0.0, 0.8, metric="error_ratio", word="info")[0] is Severity.SEV1


def test_without_a_visible_onset_the_alert_speaks_for_itself() -> None:
    severity, text, cited = of(GoldenSignal.ERRORS, None, None, metric="error_ratio", threshold=0.02, observed=0.71)
    assert severity is Severity.SEV1
    assert "as the alert says" in text
    assert cited == ("EA",)


def test_nothing_known_is_sev3_and_says_so() -> None:
    severity, text, cited = of(GoldenSignal.ERRORS, None, None)
    assert severity is Severity.SEV3
    assert "cannot be seen" in text
    assert cited == ("EA",)


@given(
    st.sampled_from(GoldenSignal),
    st.floats(0, 1e12),
    st.floats(0, 1e12),
    st.sampled_from(["m", "error_ratio", "cpu_percent"]),
    st.sampled_from(["", "critical", "high", "warning"]),
)
def test_every_input_gets_a_severity_with_cited_reasons(
    signal: GoldenSignal, before: float, after: float, metric: str, word: str
) -> None:
    severity, text, cited = of(signal, before, after, metric=metric, word=word)
    assert severity in Severity
    assert text
    assert cited
