"""Hypotheses, ranked: how sure, what moved (drawn), what speaks for it and what against."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.figures import quantity, roughly, times_as_much
from agent.incident import Claim, Hypothesis, Signal, SignalKind
from web.report import Report
from web.series import ShownSignal, aspect_of
from web.terminal.claims import LABEL, QUIET, Detail, cited_rows
from web.terminal.printable import printable, shortened, styled
from web.terminal.sparkline import sparkline
from web.terminal.times import Day

INDENT = 2
ASPECTS = {
    "errors": ("failed", "ratio"),
    "cancelled": ("cancelled", "ratio"),
    "calls_per_parent": ("calls per parent", ""),
    "new": ("called by", "ratio"),
    "gone": ("called by", "ratio"),
    "self_time": ("self time", "ms"),
    "gap": ("between client and server", "ms"),
}
"""What deviates about an operation -> how it is said, and its unit; `new` and `gone` are shares of its callers."""
LONGEST_NAME = 40
"""Cells of a series' name in front of its numbers; a log template can be a paragraph."""


def ranked(report: Report, day: Day, detail: Detail) -> Iterator[RenderableType]:
    """Yield each hypothesis: place, title and confidence, then its leading signal and its claims."""
    for place, hypothesis in enumerate(report.hypotheses[: detail.hypotheses], start=1):
        yield _title(place, hypothesis)
        shown = report.leading_signals.get(hypothesis.id)
        if shown:
            yield Padding(SignalLine(shown, day), (0, 0, 0, INDENT))
        limit = detail.claims_of_first if place == 1 else detail.claims_of_others
        rows = _argued(hypothesis, limit)
        if rows:
            yield Padding(cited_rows(rows, whole=detail.whole_claims), (0, 0, 0, INDENT))


def share(confidence: float) -> str:
    """Return a confidence as the whole per cent that its precision allows."""
    return f"{round(confidence * 100)} %"


class SignalLine:
    """One signal on one line: its series drawn with the onset marked, before -> after, and since when."""

    def __init__(self, shown: ShownSignal, day: Day) -> None:
        self.signal, self.series, self.day = shown.signal, shown.series, day

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        signal, width = self.signal, max(10, min(40, options.max_width // 4))
        drawn = Text()
        if self.series:
            mark = bisect_left(self.series.times, signal.onset)
            drawn.append(sparkline(self.series.values, width, mark).ljust(width) + "  ", "bold")
        since = f"since {self.day.clock(signal.onset)} ±{roughly(signal.onset_uncertainty)}"
        figures = f" {moved(signal)}, {since}"
        room = max(12, min(LONGEST_NAME, options.max_width - len(drawn) - len(figures)))
        line = drawn + Text(shortened(printable(f"{signal.service} {signal.name}"), room)) + Text(figures)
        line.no_wrap, line.overflow = True, "ellipsis"
        yield line


def moved(signal: Signal) -> str:
    """Return what moved, the levels before and after with their unit, and their ratio: `82 ms → 4.12 s (×50)`."""
    what, unit = ASPECTS.get(aspect_of(signal), ("", signal.unit))
    metric = signal.name if signal.kind is SignalKind.METRIC else ""
    ratio = times_as_much(signal.before, signal.after)
    levels = f"{quantity(signal.before, unit, metric)} → {quantity(signal.after, unit, metric)}"
    return " ".join(part for part in (what, levels, f"({ratio})" if ratio else "") if part)


def _title(place: int, hypothesis: Hypothesis) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=1)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(justify="right", width=15)
    sure = Text.assemble((f"{hypothesis.status} ", QUIET), (f"{share(hypothesis.confidence):>5}", LABEL))
    grid.add_row(Text(str(place)), styled(hypothesis.title, LABEL), sure)
    return grid


def _argued(hypothesis: Hypothesis, limit: int) -> list[tuple[str, Text, Claim]]:
    """Return the claims to show; one that speaks against it keeps its place even when few are shown."""
    against = hypothesis.evidence_against[: max(limit // 3, limit - len(hypothesis.evidence_for), int(limit > 1))]
    for_it = hypothesis.evidence_for[: limit - len(against)]
    return [("+", styled(c.text), c) for c in for_it] + [("−", styled(c.text), c) for c in against]
