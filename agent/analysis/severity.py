"""How bad it is, with the reasons: SEV1..SEV4 from what users feel, then from the monitor's own word.

Pure. The scale is the usual one of incident response guides (PagerDuty, Atlassian): SEV1 most users cannot work, SEV2
many are hurt, SEV3 some notice, SEV4 nobody does yet. It measures impact, never the order of work.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.analysis.observed import Onset
from agent.figures import quantity
from agent.incident import Alert, Claim, GoldenSignal, Severity, Symptom

Steps = Sequence[tuple[float, Severity]]

FAILING_SHARE: Steps = ((0.5, Severity.SEV1), (0.05, Severity.SEV2), (0.01, Severity.SEV3))
"""Share of requests that fail: every second one is an outage; one in twenty is what retries no longer hide."""

LOST_TRAFFIC: Steps = ((0.9, Severity.SEV1), (0.3, Severity.SEV2), (0.1, Severity.SEV3))
"""Share of the usual traffic that no longer arrives."""

SLOWDOWN: Steps = ((10.0, Severity.SEV2), (2.0, Severity.SEV3))
"""Latency as a multiple of its own baseline. Slow alone is never SEV1: the answers still arrive."""

MORE_ERRORS: Steps = ((10.0, Severity.SEV2), (2.0, Severity.SEV3))
"""Errors as a multiple of their baseline, where the metric is a count and no share can be told."""

MONITOR_WORDS = {
    **dict.fromkeys(("critical", "page", "emergency", "fatal", "sev1", "sev-1", "p1", "sev2", "sev-2"), Severity.SEV2),
    **dict.fromkeys(("high", "error", "major", "p2", "sev3", "sev-3"), Severity.SEV3),
}
"""The least severity that a monitor's word stands for. A word alone never makes a SEV1: impact does."""

SHARE_WORDS = ("ratio", "rate", "share", "fraction")
PERCENT_WORDS = ("percent", "pct")


def assess(
    alert: Alert, symptom: Symptom, onset: Onset | None, alert_evidence: str, metric_evidence: str
) -> tuple[Severity, tuple[Claim, ...]]:
    """The severity and its reasons, the decisive one first; each cites the alert or the alert's own series.

    `onset` is the onset of the alert's own series, None when it could not be seen; then the value that the alert
    reports is taken, against its threshold.
    """
    felt, reason = _felt(alert, symptom, onset, alert_evidence, metric_evidence)
    word = alert.severity.strip().lower()
    least = MONITOR_WORDS.get(word)
    if least is None:
        return felt, (reason,)
    named = Claim(text=f"the monitor calls it {word}, which is at least {least.value}", evidence=(alert_evidence,))
    if least.value < felt.value:
        return least, (named, reason)
    return felt, (reason, named)


def _felt(
    alert: Alert, symptom: Symptom, onset: Onset | None, alert_evidence: str, metric_evidence: str
) -> tuple[Severity, Claim]:
    name = symptom.metric or alert.metric or "the alert's signal"
    if onset is not None:
        severity, text = _impact(symptom.signal, name, onset.before, onset.after)
        return severity, Claim(text=text, evidence=(metric_evidence,))
    if alert.observed is not None and alert.threshold is not None:
        severity, text = _impact(symptom.signal, name, alert.threshold, alert.observed)
        return severity, Claim(text=f"{text} (as the alert says, against its threshold)", evidence=(alert_evidence,))
    text = f"{name} of {symptom.service} alerted; how far it moved cannot be seen"
    return Severity.SEV3, Claim(text=text, evidence=(alert_evidence,))


def _impact(signal: GoldenSignal, name: str, before: float, after: float) -> tuple[Severity, str]:
    moved = f"from {quantity(before, metric=name)} to {quantity(after, metric=name)}"
    times = after / before if before > 0 else float("inf") if after > 0 else 1.0
    if signal is GoldenSignal.ERRORS:
        share = _share(name, after)
        if share is not None:
            return _step(FAILING_SHARE, share), f"{quantity(share, 'ratio')} fail: {name} went {moved}"
        return _step(MORE_ERRORS, times), f"errors went {moved} ({name})"
    if signal is GoldenSignal.LATENCY:
        return _step(SLOWDOWN, times), f"latency went {moved} ({name})"
    if signal is GoldenSignal.TRAFFIC and after < before:
        lost = 1 - after / before
        return _step(LOST_TRAFFIC, lost), f"{quantity(lost, 'ratio')} of the usual traffic is gone: {name} went {moved}"
    if signal is GoldenSignal.TRAFFIC:
        return Severity.SEV3, f"traffic went {moved} ({name}); more of it hurts nobody by itself"
    return Severity.SEV3, f"{name} went {moved}: something runs out, which users feel when it is gone"


def _share(name: str, value: float) -> float | None:
    """The value as a share of requests, where the metric's name says that it is one."""
    lowered = name.lower()
    if any(word in lowered for word in PERCENT_WORDS) and 0 <= value <= 100:
        return value / 100
    if any(word in lowered for word in SHARE_WORDS) and 0 <= value <= 1:
        return value
    return None


def _step(steps: Steps, value: float) -> Severity:
    return next((severity for least, severity in steps if value >= least), Severity.SEV4)
