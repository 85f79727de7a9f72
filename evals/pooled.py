"""Several reports together: per suite, per kind of fault, and pooled. Never pooled alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import RenderableType

from agent.errors import CallerError
from evals.cases import CaseResult
from evals.figures import Figures, GroupRow, Interval, Quiet, groups, intervals, metrics, quiet
from evals.report import Report
from evals.scorecard import by_label
from evals.tables import Table, as_terminal, figure, figure_table, group_table, quiet_table, span
from tools.evidence import Frozen

PER_SUITE = ("ac@1", "ac@3", "kind_right", "metric_right", "region_right", "brier", "ece")
PER_SUITE_ONLY = ("abstain_precision", "abstain_recall")
"""Rates that pooling would mix up: "no change did it" is an answer only where causes are changes."""
_WORDS = ("right", "within 3", "kind", "exact metric", "code region", "Brier", "ECE")


class Pooled(Frozen):
    """What several suites came to."""

    suites: dict[str, Figures]
    """The figures of each suite, by its label."""
    intervals: dict[str, Interval | None]
    """95% interval of each suite's AC@1."""
    kinds: tuple[GroupRow, ...]
    """Cases of all suites by the fault kinds that count as right."""
    metrics: Figures
    """The figures over all cases, each case counting once."""
    pooled_intervals: dict[str, Interval | None]
    quiet: Quiet | None = None

    @classmethod
    def of(cls, reports: Sequence[Report]) -> Pooled:
        """Put the reports together; raises CallerError when there is none, or two of the same name."""
        if not reports:
            raise CallerError("at least one report is needed")
        named = by_label(reports)
        cases = [case for report in reports for case in report.cases]
        stretches = [case for report in reports if report.quiet for case in report.quiet.cases]
        return cls(
            suites={label: report.metrics for label, report in named.items()},
            intervals={label: report.intervals.get("ac@1") for label, report in named.items()},
            kinds=groups([_by_kind(case) for case in cases]),
            metrics={**metrics(cases), **dict.fromkeys(PER_SUITE_ONLY)},
            pooled_intervals={**intervals(cases), **dict.fromkeys(PER_SUITE_ONLY)},
            quiet=quiet(stretches),
        )

    def as_json(self) -> str:
        return json.dumps(self.model_dump(mode="json", exclude={"quiet": {"cases"}}), indent=2) + "\n"

    def tables(self) -> list[Table]:
        """Suites first, pooled last."""
        return [
            Table.of("", ("suite", "cases", _WORDS[0], "95% interval", *_WORDS[1:], "sure, wrong"), self._suite_rows()),
            group_table("First answer right by kind of fault, all suites", self.kinds),
            quiet_table(self.quiet),
            figure_table(f"pooled ({self.metrics['n']})", "statistics", self.metrics, self.pooled_intervals),
        ]

    def as_terminal(self) -> RenderableType:
        return as_terminal(self.tables(), [])

    def as_markdown(self) -> str:
        return "\n\n".join(["# Scorecard", *(table.as_markdown() for table in self.tables() if table.rows)]) + "\n"

    def _suite_rows(self) -> Iterator[tuple[str, ...]]:
        for label, figures in self.suites.items():
            first, *others = (_told(figures.get(name)) for name in PER_SUITE)
            wrong = _told(figures.get("confidently_wrong"))
            yield (label, _told(figures["n"]), first, span(self.intervals[label]), *others, wrong)


def read_report(path: Path) -> Report:
    """Read a report that `whydown eval --out` wrote; raises CallerError, in one line."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CallerError(f"{path}: the report cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise CallerError(f"{path}: is no report of whydown eval ({where}: {first['msg']})") from error


def _by_kind(case: CaseResult) -> CaseResult:
    kind = " or ".join(case.truth.kinds) if case.truth.kinds else ""
    return case.model_copy(update={"truth": case.truth.model_copy(update={"group": kind})})


def _told(value: float | None) -> str:
    return "" if value is None else figure(value)
