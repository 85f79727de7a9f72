"""The report of a suite: one JSON object, a table for the terminal, a page of Markdown. It renders itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.baselines import TrivialResult, TrivialRow, trivial_rows
from evals.cases import CaseResult
from evals.published import PUBLISHED, PublishedRow
from evals.scorers import blamed_a_decoy, confidently_wrong, intervals, metrics
from tools.evidence import Frozen

HEADLINE = (
    ("ac@1", "first answer right"),
    ("ac@3", "right within three"),
    ("mrr", "mean reciprocal rank"),
    ("decoy_hits", "decoys blamed"),
    ("abstain_precision", "named no change: rightly"),
    ("abstain_recall", "no change to name: said so"),
    ("kind_right", "kind of fault right too"),
    ("first_failing_service_match", "first failing service"),
    ("blast_radius_jaccard", "blast radius (Jaccard)"),
    ("remediation_match", "remediation"),
    ("confidently_wrong", "wrong at 0.7 or more"),
    ("brier", "Brier"),
    ("ece", "calibration error"),
    ("seconds_p50", "seconds, median"),
    ("seconds_p95", "seconds, 95th percentile"),
    ("peak_rss_mb", "peak memory, MB"),
)
"""What a person looks at first; the JSON holds all of it."""


CASE_HEADER = ("case", "rank", "answer", "confidence", "seconds", "remark")


class Skipped(Frozen):
    """A case that could not be used, and why."""

    id: str
    reason: str


class Report(Frozen):
    """What a suite came to."""

    suite: str
    commit: str
    """Commit of the checkout, with "+changes" when it was not clean; "unknown" for an installed package."""
    analyst: str
    cases: tuple[CaseResult, ...]
    metrics: dict[str, float | int | None]
    intervals: dict[str, tuple[float, float] | None]
    """95% intervals of the rates, as `evals.scorers.intervals` makes them."""
    trivial: tuple[TrivialRow, ...] = ()
    published: tuple[PublishedRow, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @classmethod
    def of(
        cls,
        suite: str,
        commit: str,
        analyst: str,
        cases: Sequence[CaseResult],
        trivial: Sequence[dict[str, TrivialResult]],
        skipped: Sequence[Skipped],
    ) -> Report:
        """Score the cases together."""
        return cls(
            suite=suite,
            commit=commit,
            analyst=analyst,
            cases=tuple(cases),
            metrics=metrics(cases),
            intervals=intervals(cases),
            trivial=trivial_rows(trivial),
            published=PUBLISHED.get(suite, ()),
            skipped=tuple(skipped),
        )

    def as_json(self) -> str:
        """The whole report as one JSON object, with sorted keys inside."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"

    def as_terminal(self) -> RenderableType:
        """Tables for a terminal: cases, figures, and what others reach."""
        parts: list[RenderableType] = [
            _table("", CASE_HEADER, _case_rows(self.cases)),
            Text(),
            _table("", (f"{self.suite} ({self.metrics['n']})", self.analyst, "95% interval"), self._figure_rows()),
            Text(),
            _table("For comparison", ("", "first answer right", "decoys blamed"), self._comparison_rows()),
        ]
        parts += [Text(f"skipped {skipped.id}: {skipped.reason}") for skipped in self.skipped]
        return Group(*parts)

    def as_markdown(self) -> str:
        """The same as a page."""
        blocks = [
            f"# {self.suite}: {self.analyst}",
            f"Commit `{self.commit}`, {self.metrics['n']} cases. Intervals are 95% intervals over the cases.",
            _markdown(("figure", "value", "95% interval"), self._figure_rows()),
            "## For comparison",
            _markdown(("", "first answer right", "decoys blamed"), self._comparison_rows()),
            "## Cases",
            _markdown(CASE_HEADER, _case_rows(self.cases)),
        ]
        if self.skipped:
            blocks += ["## Skipped", "\n".join(f"- {skipped.id}: {skipped.reason}" for skipped in self.skipped)]
        return "\n\n".join(blocks) + "\n"

    def _figure_rows(self) -> Iterator[tuple[str, ...]]:
        for name, words in HEADLINE:
            value = self.metrics.get(name)
            if value is None:
                continue
            interval = self.intervals.get(name)
            yield words, _figure(value), f"{interval[0]:.2f} to {interval[1]:.2f}" if interval else ""

    def _comparison_rows(self) -> Iterator[tuple[str, ...]]:
        count = len(self.cases)
        hits = sum(case.right for case in self.cases)
        decoys = self.metrics.get("decoy_hits")
        yield f"whydown, {self.analyst}", _share(hits, count), "" if decoys is None else str(decoys)
        for row in self.trivial:
            yield f"trivial: {row.name}", _share(row.hits, count), str(row.decoy_hits)
        for other in self.published:
            yield f"published: {other.name}", f"{other.accuracy:.0%} of {other.cases}", ""


def _case_rows(cases: Sequence[CaseResult]) -> Iterator[tuple[str, ...]]:
    for case in cases:
        leading = case.leading
        answer = "not enough evidence" if case.abstained else (leading.cause[:40] if leading else "")
        yield (
            case.id,
            str(case.hit_rank) if case.hit_rank else "miss",
            answer,
            f"{leading.confidence:.2f}" if leading else "",
            f"{case.seconds:.2f}",
            _remark(case),
        )


def _remark(case: CaseResult) -> str:
    if case.error:
        return case.error
    if blamed_a_decoy(case):
        return "decoy, confidently" if confidently_wrong(case) else "decoy"
    return "confidently wrong" if confidently_wrong(case) else ""


def _share(hits: int, count: int) -> str:
    return f"{hits / count:.0%} ({hits} of {count})" if count else "no case"


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def _table(title: str, header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Table:
    table = Table(*header, title=title or None, box=None, pad_edge=False, title_justify="left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _markdown(header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
