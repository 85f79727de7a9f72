"""Reads `metrics.csv`: one sample per row, with the columns timestamp, service, metric, value, instance and unit."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.backend import METRIC_COLUMNS
from tools.moments import NOT_A_TIME
from tools.numbered import Numbered, with_times
from tools.reading import Part, decoded, shown
from tools.sample import Sample, row_keys
from tools.words import METRIC_KEYS, layout

MAX_SAMPLES = 10_000_000
"""About 1 GB of frame; a larger recording is thinned evenly."""
_BATCH_ROWS = 100_000
_REQUIRED = ("timestamp", "service", "metric", "value")
_OPTIONAL = ("instance", "unit")


@dataclass(frozen=True)
class _Table:
    """The rows of a CSV file below its header, and where the wanted columns stand in them."""

    rows: Iterator[list[str]]
    width: int
    place: dict[str, int]


def read_metrics(part: Part) -> pd.DataFrame | None:
    """Samples as `tools.backend` lists them, by time, of one moment in the file's order; None, with a note, for none.

    Values that are not finite numbers and rows without a time are dropped and counted. Of samples with the same
    timestamp, service, instance and metric the last one stays.
    """
    table = _open(part)
    if table is None:
        return None
    sample, first = Sample(MAX_SAMPLES), 2
    while rows := list(islice(table.rows, _BATCH_ROWS)):
        batch = _batch(part, table, rows, first)
        sample.add(batch, row_keys(first, len(batch)))
        first += len(rows)
    frame = sample.frame()
    if frame is None:
        part.note("holds no usable sample")
        return None
    if sample.kept < sample.offered:
        part.note(f"{sample.kept} of {sample.offered} samples were kept, evenly over the file")
    return _sorted(part, frame)


def _open(part: Part) -> _Table | None:
    lines = (decoded(part, line, number) for number, line in part.lines())
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        part.note("is empty")
        return None
    if "\0" in header:
        part.note("is binary, not CSV")
        return None
    delimiter = max(",;\t", key=header.count)
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error as error:
        part.note("its header cannot be read", str(error))
        return None
    columns = layout(names, METRIC_KEYS)
    for column in _REQUIRED:
        if column not in columns:
            part.note(f"has no column {column!r}", f"its columns are {shown(', '.join(names))}")
    if any(column not in columns for column in _REQUIRED):
        return None
    place = {column: names.index(name) for column, name in columns.items()}
    return _Table(_rows(part, csv.reader(lines, delimiter=delimiter)), len(names), place)


def _rows(part: Part, reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Rows that are not blank; one that CSV cannot read (a quote that never closes) is noted and left out."""
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            part.note("a row cannot be read and was left out", str(error))
            continue
        if row is None:
            return
        if row:
            yield row


def _batch(part: Part, table: _Table, rows: list[list[str]], first: int) -> pd.DataFrame:
    rows, numbered = _whole_rows(part, table, rows, first)

    columns = list(zip(*rows, strict=True)) or [()] * table.width

    def column(name: str) -> Sequence[str]:
        return columns[table.place[name]] if name in table.place else [""] * len(rows)

    names = {name: numbered.names(column(name)) for name in ("metric", *_OPTIONAL)}
    names["service"] = numbered.services(column("service"))
    times = numbered.times(column("timestamp"))
    values = _values(numbered, column("value"))
    nameless = names["metric"] == ""
    numbered.note("a sample without a metric name was left out", nameless)
    usable = (times != NOT_A_TIME) & np.isfinite(values) & ~nameless
    data: dict[str, object] = {"timestamp": times[usable]}
    data |= {name: pd.Series(texts[usable], dtype="str") for name, texts in names.items()}
    data |= {"value": values[usable]}
    return pd.DataFrame(data)


def _whole_rows(part: Part, table: _Table, rows: list[list[str]], first: int) -> tuple[list[list[str]], Numbered]:
    """Rows as wide as the header, with their numbers; short ones are filled, longer ones do not line up and go."""
    numbers = np.arange(first, first + len(rows))
    if all(len(row) == table.width for row in rows):
        return rows, Numbered(part, "row", numbers)
    keep: list[int] = []
    for place, row in enumerate(rows):
        if any(row[table.width :]):
            part.note(
                "a row has more fields than the header and was left out",
                f"row {first + place}: {len(row)} fields, the header has {table.width}",
            )
        else:
            row[table.width :] = []
            row.extend([""] * (table.width - len(row)))
            keep.append(place)
    return [rows[place] for place in keep], Numbered(part, "row", numbers[keep])


def _values(numbered: Numbered, raw: Sequence[str]) -> NDArray[np.float64]:
    """Values as floats, NaN where the text is no number."""
    try:
        values = np.array(raw, dtype=np.float64)
        wordy = np.zeros(len(raw), dtype=np.bool_)
    except ValueError:
        values = np.fromiter((_number(text) for text in raw), dtype=np.float64, count=len(raw))
        wordy = np.array([_is_word(text) for text in raw], dtype=np.bool_)
    numbered.note("a value is not a number, its sample was left out", wordy, "value", raw)
    infinite = ~np.isfinite(values) & ~wordy
    numbered.note("a value is NaN or infinite, its sample was left out", infinite, "value", raw)
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _is_word(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return True
    return False


def _sorted(part: Part, frame: pd.DataFrame) -> pd.DataFrame:
    """Sort by time, as they stand in the file where it is the same; of exact duplicates the last stays."""
    series = np.zeros(len(frame), dtype=np.int64)
    for name in ("service", "instance", "metric"):
        codes, different = pd.factorize(frame[name])
        # Renumbered at every step, so that the product of the counts cannot overflow.
        series = pd.factorize(series * len(different) + codes)[0]
    times = frame["timestamp"].to_numpy(dtype=np.int64)
    order = np.lexsort((series, times))
    last = np.append((np.diff(times[order]) != 0) | (np.diff(series[order]) != 0), True)
    part.note("a sample was there again; the last one stays", count=len(order) - int(last.sum()))
    kept = np.sort(order[last])
    in_time = kept[np.argsort(times[kept], kind="stable")]
    return with_times(frame, in_time, "timestamp")[list(METRIC_COLUMNS)]
