"""The reports as one HTML page: it needs no other file, no script and no host, and prints what it cannot link to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.cases import CaseResult, Told
from evals.figures import LOWER_IS_BETTER, RATES, Bin, Interval, reliability
from evals.pooled import Pooled
from evals.report import Report
from evals.scorers import false_alarm
from evals.tables import GROUP_WORDS, HEADLINE, figure, remark, span

TEMPLATES = Path(__file__).parent / "templates"
COMMIT = re.compile(r"[0-9a-f]{40}")
SHORT_COMMIT = 10
RANKED_ROWS = 5
"""Rows of an answer that are shown; AC@5 looks no further either."""


@dataclass(frozen=True)
class Rate:
    """A figure between 0 and 1 that can be drawn with its interval."""

    words: str
    value: float
    interval: Interval | None
    lower_is_better: bool = False
    ours: bool = True
    note: str = ""


@dataclass(frozen=True)
class Chapter:
    """One suite as the page shows it."""

    report: Report
    rates: tuple[Rate, ...]
    facts: tuple[tuple[str, str], ...]
    """Figures that are no rates: name and value."""
    comparison: tuple[Rate, ...]
    bins: tuple[Bin, ...]
    missed: tuple[CaseResult, ...]
    right: tuple[CaseResult, ...]
    alarms: tuple[CaseResult, ...]
    """Quiet stretches where a cause was named."""

    @classmethod
    def of(cls, report: Report) -> Chapter:
        graded = report.metrics.get("brier") is not None
        return cls(
            report=report,
            rates=tuple(_rates(report)),
            facts=tuple(_facts(report)),
            comparison=tuple(_comparison(report)),
            bins=reliability(report.cases) if graded else (),
            missed=tuple(case for case in report.cases if not case.right),
            right=tuple(case for case in report.cases if case.right),
            alarms=tuple(filter(false_alarm, report.quiet.cases)) if report.quiet else (),
        )


def page(reports: Sequence[Report]) -> str:
    """One self-contained HTML page about the reports; pooled figures stand beside the suites when there are several."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"figure": figure, "span": span, "percent": _percent, "short": short}
    environment.filters |= {"outcome": outcome, "remark": remark}
    return environment.get_template("report.html").render(
        chapters=[Chapter.of(report) for report in reports],
        pooled=Pooled.of(reports) if len(reports) > 1 else None,
        group_words=GROUP_WORDS,
        ranked_rows=RANKED_ROWS,
        parts=story_parts,
        summary=Rate,
    )


def outcome(case: CaseResult) -> str:
    """Right, abstained, failed or wrong: one word, which never depends on colour alone."""
    if case.right:
        return "right"
    if case.error:
        return "failed"
    return "abstained" if case.abstained else "wrong"


def story_parts(case: CaseResult) -> list[tuple[int, str, list[Told]]]:
    """The story in the order in which it was told, by hypothesis (0 for the answer as a whole) and part."""
    grouped = groupby(case.story, key=lambda told: (told.place, told.part))
    return [(place, part, list(told)) for (place, part), told in grouped]


def short(cause: str) -> str:
    """A commit as people write it; anything else as it is."""
    return cause[:SHORT_COMMIT] if COMMIT.fullmatch(cause) else cause


def _rates(report: Report) -> list[Rate]:
    found = [
        Rate(words, float(value), report.intervals.get(name), name in LOWER_IS_BETTER)
        for name, words in HEADLINE.items()
        if name in RATES and (value := report.metrics.get(name)) is not None
    ]
    if report.quiet:
        words = f"false alarms on {report.quiet.n} quiet stretches"
        found.append(Rate(words, report.quiet.false_alarm_rate, report.quiet.interval, lower_is_better=True))
    return found


def _facts(report: Report) -> list[tuple[str, str]]:
    return [
        (words, figure(value))
        for name, words in HEADLINE.items()
        if name not in RATES and (value := report.metrics.get(name)) is not None
    ]


def _comparison(report: Report) -> list[Rate]:
    """Every row by its AC@1, the best first; ours before others of the same height."""
    count = len(report.cases) or 1
    rows = [Rate(f"whydown, {report.analyst}", report.metrics["ac@1"] or 0.0, report.intervals.get("ac@1"))]
    rows += [Rate(row.name, row.hits / count, None, ours=False, note="method") for row in report.rivals]
    rows += [Rate(row.name, row.hits / count, None, ours=False, note="trivial") for row in report.trivial]
    for row in report.published:
        note = f"published, of {row.cases}" + (f", {row.measured_on}" if row.measured_on else "")
        rows.append(Rate(row.name, row.accuracy, None, ours=False, note=note))
    return sorted(rows, key=lambda row: -row.value)


def _percent(value: float) -> str:
    """A share as a CSS percentage, kept inside the drawing."""
    return f"{100 * min(1.0, max(0.0, value)):.1f}%"
