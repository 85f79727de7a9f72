"""Turns wide CSV files, a column per series and a row per moment, into a frame of samples as `tools.backend` lists them.

Several benchmarks publish their metrics this way. Everything is one pass of numpy per file, whatever the number of series.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.cases import CaseError
from tools.backend import METRIC_COLUMNS
from tools.evidence import TimeWindow
from tools.moments import NOT_A_TIME, from_microseconds, read_moments
from tools.words import clean_name

_TIME = ("time", "timestamp")

REDATED = "the normal stretch was recorded apart from the incident; it was re-dated to end one sample before it"
"""What a recording notes of a table that was moved with `Wide.ending`."""


@dataclass(frozen=True)
class Series:
    """What one column holds."""

    service: str
    metric: str
    unit: str = ""
    instance: str = ""


@dataclass(frozen=True, eq=False)
class Wide:
    """A table of samples: one row per moment in order of time, one column per header."""

    file: str
    """For messages: the file's place below the data."""
    headers: tuple[tuple[str, ...], ...]
    """One per column of `values`, with as many parts as the file has header rows."""
    times: NDArray[np.int64]
    """Microseconds since 1970 in UTC, strictly increasing."""
    values: NDArray[np.float64]
    """Rows by columns; NaN where a cell is empty."""
    notes: tuple[str, ...] = ()

    def rows(self, start: int, stop: int | None = None) -> Self:
        """The rows `start` to `stop`, as in a slice."""
        return replace(self, times=self.times[start:stop], values=self.values[start:stop])

    def ending(self, last: int) -> Self:
        """The same samples, moved in time so that the last one stands at `last`."""
        return replace(self, times=self.times + (last - self.times[-1]))

    def moment(self, row: int) -> datetime:
        """When a row was taken, aware UTC."""
        return from_microseconds(int(self.times[row]))

    @property
    def step(self) -> timedelta:
        """The usual distance of two rows; a second where there is but one row."""
        if len(self.times) < 2:
            return timedelta(seconds=1)
        return timedelta(microseconds=int(np.median(np.diff(self.times))))


def read_wide(path: Path, file: str, header_rows: int = 1) -> Wide:
    """Read a wide CSV file with a column of times (seconds since 1970, or ISO 8601): `time`, `timestamp` or the first.

    With several header rows the times stand first, and a row that only names them may follow the header. Rows
    without a readable time are left out and counted, as are all but the last of rows with the same time. Raises
    CaseError, in one line that names the file and, where it is one column's fault, the column.
    """
    header, below = _headers(path, file, header_rows)
    clock = next((place for place, name in enumerate(header) if name[0].lower() in _TIME and header_rows == 1), 0)
    cells = _cells(path, file, below, len(header), clock)
    times = read_moments([str(cell) for cell in cells[clock]]).microseconds
    readable = times != NOT_A_TIME
    if not readable.any():
        first = str(cells[clock].iloc[0])
        raise CaseError(f"{file}: column {_shown(header[clock])} holds no readable time (first: {first!r})")
    places = [place for place in range(len(header)) if place != clock]
    values = np.empty((len(cells), len(places)), dtype=np.float64)
    for column, place in enumerate(places):
        values[:, column] = _numbers(cells[place], file, _shown(header[place]), below)
    order = np.flatnonzero(readable)[np.argsort(times[readable], kind="stable")]
    last = order[np.append(np.diff(times[order]) != 0, True)]
    notes = _counted(file, "without a readable time", len(times) - len(order))
    notes += _counted(file, "with the time of a later one", len(order) - len(last))
    return Wide(file, tuple(header[place] for place in places), times[last], values[last], notes)


def long_frame(parts: Sequence[tuple[Wide, Sequence[Series | None]]]) -> pd.DataFrame:
    """Samples of wide tables as METRIC_COLUMNS, sorted by time; `None` in place of a series leaves its column out.

    Cells that are no finite number are left out. The parts must not overlap in time.
    """
    order = sorted(parts, key=lambda part: int(part[0].times[0]) if len(part[0].times) else 0)
    known: dict[Series, int] = {}
    pieces = [_samples(wide, columns, known) for wide, columns in order]
    times, codes, values = (np.concatenate(column) for column in zip(*pieces, strict=True))
    names = {
        name: pd.array([getattr(series, name) for series in known], dtype="str").take(codes)
        for name in ("service", "instance", "metric", "unit")
    }
    moments = pd.to_datetime(pd.Series(times, copy=False), unit="us", utc=True)
    frame = pd.DataFrame({"timestamp": moments, "value": values, **names}, copy=False)
    return frame[list(METRIC_COLUMNS)]


def _samples(
    wide: Wide, columns: Sequence[Series | None], known: dict[Series, int]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Time, number of the series in `known` (which grows) and value of each finite cell, row by row."""
    chosen = [place for place, series in enumerate(columns) if series is not None]
    numbers = np.array([known.setdefault(series, len(known)) for series in columns if series], dtype=np.int32)
    table = wide.values if len(chosen) == len(columns) else wide.values[:, chosen]
    finite = np.isfinite(table)
    times = np.repeat(wide.times, finite.sum(axis=1))
    codes = np.broadcast_to(numbers, table.shape)[finite]
    return times, codes, table[finite]


def name_alone(file: str) -> str:
    """The file without its folders, which tell the cause in some benchmarks: what a note may say."""
    return file.rpartition("/")[2]


def window_of(columns: Sequence[pd.Series]) -> TimeWindow:
    """From the first to just after the last of sorted columns of times, on whole seconds; one must not be empty."""
    moments = [moment for column in columns if len(column) for moment in (column.iloc[0], column.iloc[-1])]
    first, last = min(moments), max(moments)
    return TimeWindow(since=first.replace(microsecond=0), until=last.replace(microsecond=0) + timedelta(seconds=1))


def _headers(path: Path, file: str, rows: int) -> tuple[tuple[tuple[str, ...], ...], int]:
    """The parts of each column's header, and how many lines stand above the first row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            top = [next(reader, []) for _ in range(rows)]
            beneath = next(reader, []) if rows > 1 else []
    except FileNotFoundError as error:
        raise CaseError(f"{file}: is missing") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CaseError(f"{file}: cannot be read ({_reason(error)})") from error
    widths = {len(row) for row in top}
    if len(widths) > 1 or widths <= {0, 1}:
        wanted = "a header" if rows == 1 else f"{rows} header rows of the same width"
        raise CaseError(f"{file}: {wanted} with a time and at least one series is needed")
    header = tuple(tuple(clean_name(cell) for cell in column) for column in zip(*top, strict=True))
    names_index = any(beneath) and not any(beneath[1:])
    return header, rows + names_index


def _cells(path: Path, file: str, below: int, width: int, clock: int) -> pd.DataFrame:
    """The rows under the header, the times as text."""
    try:
        cells = pd.read_csv(
            path,
            header=None,
            skiprows=below,
            dtype={clock: "str"},
            encoding="utf-8-sig",
            index_col=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError as error:
        raise CaseError(f"{file}: holds no row under its header") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise CaseError(f"{file}: cannot be read ({_reason(error)})") from error
    if cells.shape[1] != width:
        raise CaseError(f"{file}: its rows have {cells.shape[1]} columns, its header has {width}")
    return cells


def _numbers(cells: pd.Series, file: str, name: str, below: int) -> NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.to_numpy(dtype=np.float64)
    numbers = pd.to_numeric(cells, errors="coerce")
    wrong = np.flatnonzero(numbers.isna() & cells.notna())
    if len(wrong):
        line = int(wrong[0]) + below + 1
        raise CaseError(f"{file}: column {name}, line {line}: {str(cells.iloc[wrong[0]])!r} is no number")
    return numbers.to_numpy(dtype=np.float64)


def _shown(header: tuple[str, ...]) -> str:
    return repr(" / ".join(header))


def _counted(file: str, trouble: str, count: int) -> tuple[str, ...]:
    return (f"{name_alone(file)}: {count} rows {trouble} were left out",) if count else ()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return " ".join(str(error).split())
