"""The committed scorecard, and the gate that compares a run with it: a rate may not fall out of its interval."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from agent.errors import CallerError
from evals.analysts import STATISTICS
from evals.figures import LOWER_IS_BETTER, RATES, Interval
from evals.perturb import PLAIN
from evals.report import Report
from tools.evidence import Frozen

FALSE_ALARMS = "false_alarm_rate"
_DIGITS = 4
_SLACK = 0.5 * 10**-_DIGITS
"""What rounding takes away is no regression."""


class Entry(Frozen):
    """One rate as it was committed."""

    value: float
    n: int
    """Cases of the suite, or quiet stretches."""
    interval: Interval


class SuiteCard(Frozen):
    """What one set of data came to."""

    commit: str
    n: int
    rates: dict[str, Entry]
    variants: dict[str, Entry] = Field(default_factory=dict[str, Entry])
    """AC@1 by the variant's name; compared only where a run has them."""


class Scorecard(Frozen):
    """By the label of the data."""

    suites: dict[str, SuiteCard] = Field(default_factory=dict[str, SuiteCard])

    def updated(self, reports: Sequence[Report]) -> Scorecard:
        """The card with these reports in it; other suites stay as they are. Raises CallerError for what is not plain."""
        new = {report.label: card_of(report) for report in reports}
        return Scorecard(suites=dict(sorted({**self.suites, **new}.items())))

    def as_json(self) -> str:
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"


def read_scorecard(path: Path) -> Scorecard:
    """Read a scorecard; raises CallerError, in one line, when there is none or it is damaged."""
    try:
        return Scorecard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CallerError(f"{path}: the scorecard cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise CallerError(f"{path}: is no scorecard ({error.errors()[0]['msg']})") from error


def card_of(report: Report) -> SuiteCard:
    """What the report adds to the scorecard. Raises CallerError for another analyst or a variant: they are no norm."""
    be_plain(report.label, report.analyst, report.variant)
    rates: dict[str, Entry] = {}
    for name in RATES:
        value, interval = report.metrics.get(name), report.intervals.get(name)
        if value is not None and interval is not None:
            rates[name] = _entry(value, len(report.cases), interval)
    if report.quiet:
        rates[FALSE_ALARMS] = _entry(report.quiet.false_alarm_rate, report.quiet.n, report.quiet.interval)
    return SuiteCard(
        commit=report.commit,
        n=len(report.cases),
        rates=rates,
        variants={row.name: _entry(row.accuracy, row.n, row.interval) for row in report.variants[1:]},
    )


def regressions(card: Scorecard, report: Report) -> tuple[str, ...]:
    """One line for each figure that is worse than its committed interval; empty when all is well.

    Fewer cases than committed are a regression too: what cannot be read any more must not improve a rate. Raises
    CallerError when the card does not know this set of data.
    """
    committed = card.suites.get(report.label)
    if committed is None:
        known = ", ".join(card.suites) or "nothing"
        raise CallerError(f"--gate: the scorecard holds {known}, and not {report.label!r}")
    return tuple(_worse(report.label, committed, card_of(report)))


def _worse(label: str, committed: SuiteCard, now: SuiteCard) -> Iterator[str]:
    if now.n < committed.n:
        yield f"{label}: {now.n} cases were measured, the scorecard has {committed.n}"
    for name, before in committed.rates.items():
        after = now.rates.get(name)
        if after is not None:
            yield from _beyond(f"{label}: {name}", before, after, lower_is_better=name in LOWER_IS_BETTER)
        elif name in ALWAYS:
            yield f"{label}: {name} is not measured any more, the scorecard has {before.value:.2f}"
    for name, before in committed.variants.items():
        if name in now.variants:
            yield from _beyond(f"{label}, {name}: ac@1", before, now.variants[name], lower_is_better=False)


ALWAYS = frozenset({"ac@1", "ac@3", "mrr"})
"""Rates that every run has; another one may be missing where no answer of this run could be judged by it."""


def _beyond(what: str, before: Entry, after: Entry, *, lower_is_better: bool) -> Iterator[str]:
    low, high = before.interval
    told = f"{what} is {after.value:.3f} (n={after.n}), "
    if lower_is_better and after.value > high + _SLACK:
        yield f"{told}above the committed {before.value:.3f} and its interval's upper end {high:.3f}"
    if not lower_is_better and after.value < low - _SLACK:
        yield f"{told}below the committed {before.value:.3f} and its interval's lower end {low:.3f}"


def be_plain(label: str, analyst: str, variant: str) -> None:
    """Raise CallerError for another analyst or a variant: they are no norm to compare with."""
    if analyst != STATISTICS or variant != PLAIN.name:
        raise CallerError(f"{label}: a scorecard holds plain runs of {STATISTICS}, and this is {analyst}, {variant}")


def _entry(value: float, n: int, interval: Interval) -> Entry:
    low, high = interval
    return Entry(value=round(value, _DIGITS), n=n, interval=(round(low, _DIGITS), round(high, _DIGITS)))


def by_label(reports: Sequence[Report]) -> Mapping[str, Report]:
    """The reports by their label; raises CallerError when two carry the same."""
    found: dict[str, Report] = {}
    for report in reports:
        if report.label in found:
            raise CallerError(f"two reports are called {report.label!r}; give one of them another --label")
        found[report.label] = report
    return found
