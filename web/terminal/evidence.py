"""One piece of evidence: the query that anybody can run again, its digest, and the stored result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from agent.figures import counted, digits
from agent.incident import Evidence
from web.series import Rows, Series, rows_of, series_of, total_rows
from web.terminal.claims import LABEL, QUIET, one_line
from web.terminal.printable import printable, styled
from web.terminal.sparkline import sparkline
from web.terminal.times import stamp

SHOWN_ROWS = 20
CELL_WIDTH = 60
"""Cells of one value in a table of rows; the whole of it is in `--json`."""


def evidence_view(evidence: Evidence, result: JsonValue, reruns: Sequence[str] = ()) -> Iterator[RenderableType]:
    """Yield what was asked, what was answered, and the beginning of the result."""
    yield Text.assemble((f"Evidence {printable(evidence.id)}", LABEL), f"  {evidence.source}")
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in (
        ("says", evidence.summary),
        ("query", str(evidence.query)),
        ("window", f"{stamp(evidence.window.since)} until {stamp(evidence.window.until)}"),
        ("digest", evidence.digest),
    ):
        facts.add_row(Text(name, QUIET), styled(text))
    yield facts
    if reruns:
        yield Text(
            f"Asked again since, {counted(len(reruns), 'other answer')} came back: the data has changed.", "yellow"
        )
    yield Text()
    drawn = series_of(evidence, result)
    if drawn is not None:
        yield WideSparkline(drawn)
    yield from _result(result)


class WideSparkline:
    """A series over the width of the terminal, with its range."""

    def __init__(self, series: Series) -> None:
        self.series = series

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        finite = [value for value in self.series.values if value is not None]
        spread = f"  {digits(min(finite))} .. {digits(max(finite))}" if finite else ""
        yield Text(sparkline(self.series.values, options.max_width - len(spread)) + spread, LABEL, no_wrap=True)


def _result(result: JsonValue) -> Iterator[RenderableType]:
    rows = rows_of(result)
    if isinstance(result, dict) and "columns" not in result:
        yield from _record(result)
    elif rows:
        shown = rows[:SHOWN_ROWS]
        yield from _rows(shown)
        total = total_rows(result)
        if total > len(shown):
            yield Text(f"{len(shown)} of {total:,} rows; the others: --json", QUIET)
    else:
        yield Text("The answer was empty.")


def _rows(rows: Rows) -> Iterator[RenderableType]:
    """Yield what is the same in all rows once, then the other columns, times first, texts last. Ids are in --json."""
    names = [name for name in rows[0] if not name.endswith("_id")]
    seen = {name: [_cell(row.get(name)) for row in rows] for name in names}
    same = {name: cells[0] for name, cells in seen.items() if len(rows) > 1 and len(set(cells)) == 1}
    if any(same.values()):
        told = ", ".join(f"{name}={value}" for name, value in same.items() if value)
        yield Text.assemble(("in every row  ", QUIET), one_line(styled(told)))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=QUIET)
    different = sorted((name for name in names if name not in same), key=_place)
    for name in different:
        table.add_column(
            styled(name), no_wrap=_place(name) < LONG, max_width=None if _place(name) < LONG else CELL_WIDTH
        )
    for place in range(len(rows)):
        table.add_row(*(one_line(styled(seen[name][place])) for name in different))
    yield table


LONG = 2


def _place(column: str) -> int:
    """Return where a column stands: moments, then figures and names, then what may be long and is cut first."""
    if column in {"timestamp", "start", "at", "started_at"}:
        return 0
    return LONG if column in {"body", "attributes", "title", "diff", "files", "detail"} else 1


def _record(record: Mapping[str, JsonValue]) -> Iterator[RenderableType]:
    """Yield one object field by field; a text of several lines (a diff, a page) keeps its lines."""
    for name, value in record.items():
        if value in (None, "", {}, []):
            continue
        lines = _cell(value).splitlines()
        if len(lines) == 1:
            yield Text.assemble((f"{printable(name)}  ", QUIET), styled(lines[0]))
        else:
            yield styled(name, QUIET)
            yield from (styled(f"  {line}") for line in lines)


def _cell(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case float():
            return digits(value)
        case list():
            return ", ".join(_cell(item) for item in value)
        case dict():
            return " ".join(f"{name}={_cell(item)}" for name, item in value.items())
        case _:
            return str(value)
