"""Tables of a report, in words: made once, shown in a terminal, as Markdown and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from evals.cases import CaseResult
from evals.comparison import ComparisonRow
from evals.figures import Figures, GroupRow, Interval, Quiet
from evals.published import PublishedRow
from evals.scorers import ALARMED, blamed_a_decoy, confidently_wrong, false_alarm
from evals.variants import VariantRow

HEADLINE: Mapping[str, str] = {
    "ac@1": "first answer right",
    "first_listed_right": "the same, were it never unsure",
    "ac@3": "right within three",
    "avg@5": "right within one to five, mean",
    "mrr": "mean reciprocal rank",
    "decoy_hits": "decoys blamed",
    "abstain_precision": "named no change: rightly",
    "abstain_recall": "no change to name: said so",
    "kind_right": "kind of fault right",
    "cause_and_kind_right": "cause and kind right",
    "metric_right": "cause and exact metric right",
    "region_right": "cause and code region right",
    "first_failing_service_match": "first failing service",
    "blast_radius_jaccard": "blast radius (Jaccard)",
    "remediation_match": "remediation",
    "not_enough_evidence": "said: not enough evidence",
    "confidently_wrong": "wrong at 0.7 or more",
    "brier": "Brier",
    "ece": "calibration error",
    "seconds_p50": "seconds, median",
    "seconds_p95": "seconds, 95th percentile",
    "cpu_seconds_p50": "processor seconds, median",
    "peak_rss_mb": "peak memory, MB",
}
"""What a person looks at first; the JSON holds all of it."""

LONGEST_FIGURE = 16
"""Characters of the longest cell that is a figure, "-0.43 to +0.00" with room to spare; longer ones are texts."""

GROUP_WORDS: Mapping[str, str] = {
    "kind_right": "kind",
    "cause_and_kind_right": "cause and kind",
    "metric_right": "exact metric",
    "region_right": "code region",
}


@dataclass(frozen=True)
class Table:
    """Cells as they are read; `title` is empty for a table that needs none."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, title: str, header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Table:
        return cls(title, tuple(header), tuple(rows))

    def as_terminal(self) -> RichTable:
        drawn = RichTable(*self.header, title=self.title or None, box=None, pad_edge=False, title_justify="left")
        drawn.columns[0].no_wrap = True
        for column, cells in zip(drawn.columns, zip(*self.rows, strict=True), strict=False):
            longest = max(map(len, cells))
            # A figure or an interval has no place to break at; a heading has.
            column.min_width = longest if longest <= LONGEST_FIGURE else None
        for row in self.rows:
            drawn.add_row(*(Text(cell) for cell in row))
        return drawn

    def as_markdown(self) -> str:
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        drawn = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"## {self.title}\n\n{drawn}" if self.title else drawn


def as_terminal(tables: Sequence[Table], notes: Sequence[str]) -> RenderableType:
    """The tables that have rows, one under the other, and the notes after them."""
    parts: list[RenderableType] = [part for table in tables if table.rows for part in (table.as_terminal(), Text())]
    return Group(*parts, *(Text(note) for note in notes))


def case_table(title: str, cases: Sequence[CaseResult]) -> Table:
    """One line for each case."""
    header = ("case", "rank", "answer", "confidence", "seconds", "remark")
    return Table.of(title, header, map(_case, cases))


def _case(case: CaseResult) -> tuple[str, ...]:
    leading = case.leading
    answer = "not enough evidence" if case.abstained else (leading.cause[:40] if leading else "")
    return (
        case.id,
        str(case.hit_rank) if case.hit_rank else "miss",
        answer,
        f"{leading.confidence:.2f}" if leading else "",
        f"{case.seconds:.2f}",
        remark(case),
    )


def remark(case: CaseResult) -> str:
    """What is odd about a result, in a word or two; empty when nothing is."""
    if case.error:
        return case.error
    if blamed_a_decoy(case):
        return "decoy, confidently" if confidently_wrong(case) else "decoy"
    return "confidently wrong" if confidently_wrong(case) else ""


def figure_table(title: str, analyst: str, figures: Figures, intervals: Mapping[str, Interval | None]) -> Table:
    """The headline figures that the suite has labels for."""

    def rows() -> Iterator[tuple[str, ...]]:
        for name, words in HEADLINE.items():
            value = figures.get(name)
            if value is not None:
                yield words, figure(value), span(intervals.get(name))

    return Table.of("", (title, analyst, "95% interval"), rows())


def comparison_table(
    analyst: str,
    cases: Sequence[CaseResult],
    figures: Figures,
    ours: Sequence[tuple[str, Sequence[ComparisonRow]]],
    published: Sequence[PublishedRow],
) -> Table:
    """Our own row, the rows that were run beside it (by what they are), and what was published."""
    count = len(cases)
    has_metric = figures.get("metric_right") is not None

    def rows() -> Iterator[tuple[str, ...]]:
        hits = sum(case.right for case in cases)
        values = (figures.get("ac@3"), figures.get("avg@5"), figures.get("mrr"))
        decoys = figures.get("decoy_hits")
        extra = (_optional(figures.get("metric_right")),) if has_metric else ()
        yield (f"whydown, {analyst}", share(hits, count), *map(_optional, values), *extra, _count(decoys))
        for word, each in ours:
            for row in each:
                extra = (_optional(row.metric_right),) if has_metric else ()
                more = (row.accuracy_at_3, row.average_at_5, row.mrr)
                told = str(row.decoy_hits) if decoys is not None else ""
                yield (f"{word}: {row.name}", share(row.hits, count), *map(figure, more), *extra, told)
        for other in published:
            extra = (_optional(other.metric_right),) if has_metric else ()
            on = f"{other.accuracy:.0%} of {other.cases}"
            yield (f"published: {other.name}", on, _optional(other.accuracy_at_3), "", "", *extra, other.measured_on)

    header = ("", "right", "within 3", "Avg@5", "MRR", *(("exact metric",) if has_metric else ()))
    return Table.of(
        "First answer right, for comparison",
        (*header, "decoys blamed" if figures.get("decoy_hits") is not None else ""),
        rows(),
    )


def group_table(title: str, groups: Sequence[GroupRow]) -> Table:
    """One line for each type of fault."""
    known = [name for name in GROUP_WORDS if any(name in group.figures for group in groups)]

    def rows() -> Iterator[tuple[str, ...]]:
        for group in groups:
            first = (figure(group.figures["ac@1"]), span(group.interval), figure(group.figures["ac@3"]))
            yield (group.group, str(group.n), *first, *(_optional(group.figures.get(name)) for name in known))

    header = ("", "cases", "right", "95% interval", "within 3")
    return Table.of(title, (*header, *(GROUP_WORDS[name] for name in known)), rows())


def quiet_table(quiet: Quiet | None) -> Table:
    """How often a cause was named where there was no fault, and which."""
    header = ("stretch without a fault", "false alarm", "95% interval")

    def rows() -> Iterator[tuple[str, ...]]:
        if quiet is None:
            return
        yield f"all {quiet.n}", share(quiet.false_alarms, quiet.n), span(quiet.interval)
        for case in quiet.cases:
            if case.error:
                yield case.id, "", case.error
            elif case.leading is not None and false_alarm(case):
                yield case.id, case.leading.cause[:40], f"at {case.leading.confidence:.2f}"

    return Table.of(f"False alarms (a cause named at {ALARMED} or more)", header, rows())


def variant_table(variants: Sequence[VariantRow]) -> Table:
    """What each variant costs, beside other methods on the same variant."""
    others = list(dict.fromkeys(name for variant in variants for name in variant.rivals))

    def rows() -> Iterator[tuple[str, ...]]:
        for row in variants:
            delta = f"{row.delta:+.2f}" if row is not variants[0] else ""
            sure = "" if row.mean_confidence is None else f"{row.mean_confidence:.2f}"
            theirs = (_optional(row.rivals.get(name)) for name in others)
            first = (row.name, str(row.touched), figure(row.accuracy), span(row.interval), delta)
            apart = span(row.delta_interval) if delta else ""
            yield (*first, apart, sure, str(row.not_enough_evidence), *theirs)

    header = ("variant", "changed", "right", "95% interval", "change", "95% interval", "confidence", "unsure", *others)
    return Table.of("First answer right, made worse on purpose", header, rows())


def share(hits: int, count: int) -> str:
    return f"{hits / count:.0%} ({hits} of {count})" if count else "no case"


def figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def span(interval: Interval | None) -> str:
    """Both ends with an en dash; an interval that reaches below zero needs the word."""
    if interval is None:
        return ""
    low, high = interval
    return f"{low:.2f}–{high:.2f}" if low >= 0 else f"{low:+.2f} to {high:+.2f}"


def _optional(value: float | None) -> str:
    return "" if value is None else figure(value)


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
