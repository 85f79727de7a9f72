"""The report of a suite: one JSON object, a table for the terminal, a page of Markdown. It renders itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from rich.console import RenderableType

from evals.baselines import CONSTANT_LIST, SERVICE_RULES, constant_list
from evals.cases import CaseResult
from evals.comparison import ComparisonRow, comparison_rows
from evals.figures import OF_CONFIDENCE, Figures, GroupRow, Interval, Quiet, groups, intervals, metrics, parts, quiet
from evals.one_case import Outcome, Skipped
from evals.perturb import PLAIN, Variant
from evals.published import PUBLISHED, PublishedRow
from evals.rivals import RIVALS
from evals.tables import (
    Table,
    as_terminal,
    case_table,
    comparison_table,
    figure_table,
    group_table,
    quiet_table,
    variant_table,
)
from evals.variants import VariantRow, variant_rows
from tools.evidence import Frozen

_Figure = TypeVar("_Figure")


class Report(Frozen):
    """What a suite came to."""

    suite: str
    label: str = ""
    """Which set of the suite's data; the suite's name where there is one only."""
    commit: str
    """Commit of the checkout, with "+changes" when it was not clean; "unknown" for an installed package."""
    analyst: str
    variant: str = PLAIN.name
    """What was done to every case before it was investigated."""
    cases: tuple[CaseResult, ...]
    metrics: Figures
    intervals: dict[str, Interval | None]
    """95% intervals of the rates, as `evals.figures.intervals` makes them."""
    groups: tuple[GroupRow, ...] = ()
    parts: tuple[GroupRow, ...] = ()
    """By the first folder of the cases' ids, where the data have a few (days, traffic patterns)."""
    quiet: Quiet | None = None
    """Stretches without a fault; None where the suite has none, or they were left out."""
    variants: tuple[VariantRow, ...] = ()
    trivial: tuple[ComparisonRow, ...] = ()
    rivals: tuple[ComparisonRow, ...] = ()
    """Methods of the literature, run on the same cases."""
    published: tuple[PublishedRow, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        suite: str,
        commit: str,
        analyst: str,
        outcomes: Sequence[Outcome],
        label: str | None = None,
        variants: Sequence[Variant] = (PLAIN,),
        stretches: Sequence[Outcome] = (),
    ) -> Report:
        """Score the cases together; `outcomes` hold one attempt per variant, the first of which is reported."""
        ran = [outcome for outcome in outcomes if outcome.attempts]
        cases = [outcome.attempts[0].result for outcome in ran]
        figures, spans = metrics(cases), intervals(cases)
        if analyst in RIVALS:
            figures, spans = _without_confidence(figures), _without_confidence(spans)
        return cls(
            suite=suite,
            label=label or suite,
            commit=commit,
            analyst=analyst,
            variant=variants[0].name,
            cases=tuple(cases),
            metrics=figures,
            intervals=spans,
            groups=groups(cases),
            parts=parts(cases),
            quiet=quiet([outcome.attempts[0].result for outcome in stretches if outcome.attempts]),
            variants=variant_rows(variants, [outcome.attempts for outcome in ran]),
            trivial=_trivial(ran, cases),
            rivals=comparison_rows([outcome.attempts[0].rivals for outcome in ran]),
            # Another set of data under the suite's layout is not what they were measured on.
            published=PUBLISHED.get(suite, ()) if (label or suite).startswith(suite) else (),
            skipped=tuple(outcome.skipped for outcome in (*outcomes, *stretches) if outcome.skipped),
        )

    def as_json(self, *, stories: bool = False) -> str:
        """The whole report as one JSON object; with stories also what each answer said and rested on."""
        whole = self.model_dump(mode="json")
        if not stories:
            for case in (*whole["cases"], *((whole["quiet"] or {}).get("cases", ()))):
                del case["story"]
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

    @property
    def title(self) -> str:
        """The set of data, and what was done to it."""
        return self.label if self.variant == PLAIN.name else f"{self.label}, {self.variant}"

    def summary(self) -> list[Table]:
        """Every table but the one of the cases, in the order in which they are read."""
        others = (("trivial", self.trivial), ("method", self.rivals))
        return [
            figure_table(f"{self.title} ({self.metrics['n']})", self.analyst, self.metrics, self.intervals),
            group_table("First answer right, by type of fault", self.groups),
            group_table("First answer right, by part of the data", self.parts),
            comparison_table(self.analyst, self.cases, self.metrics, others, self.published),
            variant_table(self.variants),
            quiet_table(self.quiet),
        ]

    def as_terminal(self) -> RenderableType:
        """Tables for a terminal: cases, figures, and what others reach."""
        skipped = [f"skipped {skipped.id}: {skipped.reason}" for skipped in self.skipped]
        return as_terminal([case_table("", self.cases), *self.summary()], skipped)

    def as_markdown(self) -> str:
        """The same as a page."""
        about = f"Commit `{self.commit}`, {self.metrics['n']} cases. Intervals are 95% intervals over the cases."
        blocks = [f"# {self.title}: {self.analyst}", about]
        blocks += [table.as_markdown() for table in (*self.summary(), case_table("Cases", self.cases)) if table.rows]
        if self.skipped:
            blocks += ["## Skipped", "\n".join(f"- {skipped.id}: {skipped.reason}" for skipped in self.skipped)]
        return "\n\n".join(blocks) + "\n"


def _without_confidence(figures: dict[str, _Figure | None]) -> dict[str, _Figure | None]:
    return {name: None if name in OF_CONFIDENCE else value for name, value in figures.items()}


def _trivial(ran: Sequence[Outcome], cases: Sequence[CaseResult]) -> tuple[ComparisonRow, ...]:
    """The trivial rows; a list that never changes can only be told where causes come back, as services do."""
    rows = [dict(outcome.trivial) for outcome in ran]
    if any(row.keys() == SERVICE_RULES.keys() for row in rows):
        for row, constant in zip(rows, constant_list(cases), strict=True):
            row[CONSTANT_LIST] = constant
    return comparison_rows(rows)
