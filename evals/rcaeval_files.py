"""Reads the logs and traces of RCAEval's RE2 and RE3: CSV exports of Loki and Jaeger, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.cases import CaseError
from evals.wide_frames import name_alone
from tools.backend import LOG_COLUMNS, SPAN_COLUMNS
from tools.moments import NOT_A_TIME, read_moments
from tools.sample import Keys, Sample, group_keys, row_keys
from tools.words import UNKNOWN_SERVICE, clean_name, clean_text, severity, span_kind, span_status

MAX_ROWS = 400_000
"""Lines or spans that are kept, evenly or in whole traces; a case has to fit into 400 MB."""
_CHUNK_ROWS = 50_000

_Columns = Mapping[str, tuple[str, ...]]
_LOG: _Columns = {
    "timestamp": ("timestamp", "time"),
    "service": ("container_name", "container", "service"),
    "body": ("message", "log"),
    "severity": ("level", "severity"),
    "instance": ("pod_name", "pod"),
}
_LOG_NEEDS = ("timestamp", "service", "body")
_LOG_ATTRIBUTES = ("req_path", "error")
_SPAN: _Columns = {
    "trace_id": ("traceid", "trace_id"),
    "span_id": ("spanid", "span_id"),
    "parent_span_id": ("parentspanid", "parent_span_id"),
    "service": ("servicename", "service"),
    "name": ("operationname", "methodname", "span_name"),
    "kind": ("kind", "spankind"),
    "start": ("starttime", "starttimemillis", "time"),
    "duration": ("duration",),
    "status": ("statuscode", "status"),
}
_SPAN_NEEDS = ("trace_id", "span_id", "service", "name", "start", "duration")
_SPAN_ATTRIBUTES = ("methodName",)
_GRPC_CODES = 17
"""Status codes of gRPC are 0 to 16; those of OpenTelemetry (0 unset, 1 ok, 2 error) lie among them."""


def read_logs(path: Path, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Log lines as LOG_COLUMNS, sorted by time, and notes. Raises CaseError, in one line with file and column."""
    sample = Sample(MAX_ROWS)
    notes = _read(
        path, file, (_LOG, _LOG_NEEDS), _log_frame, sample, lambda frame: row_keys(sample.offered, len(frame))
    )
    return _sorted(sample, "timestamp", LOG_COLUMNS), notes


def read_spans(path: Path, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Spans as SPAN_COLUMNS, sorted by start, and notes. Raises CaseError, in one line with file and column.

    Durations are microseconds, as Jaeger writes them.
    """
    sample = Sample(MAX_ROWS)
    notes = _read(path, file, (_SPAN, _SPAN_NEEDS), _span_frame, sample, lambda frame: group_keys(frame["trace_id"]))
    return _sorted(sample, "start", SPAN_COLUMNS), notes


def _read(
    path: Path,
    file: str,
    layout: tuple[_Columns, tuple[str, ...]],
    frame_of: Callable[[pd.DataFrame, dict[str, str]], pd.DataFrame],
    sample: Sample,
    keys_of: Callable[[pd.DataFrame], Keys],
) -> tuple[str, ...]:
    """Put the rows into the sample, piece by piece; returns notes."""
    rows = 0
    try:
        with pd.read_csv(
            path, dtype="str", keep_default_na=False, chunksize=_CHUNK_ROWS, encoding="utf-8-sig"
        ) as pieces:
            for piece in pieces:
                place = _places(file, piece, *layout)
                rows += len(piece)
                frame = frame_of(piece, place)
                sample.add(frame, keys_of(frame))
    except pd.errors.EmptyDataError as error:
        raise CaseError(f"{file}: is empty") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise CaseError(f"{file}: cannot be read ({' '.join(str(error).split())})") from error
    notes: list[str] = []
    if sample.offered < rows:
        notes.append(
            f"{name_alone(file)}: {rows - sample.offered} rows without a readable time or duration were left out"
        )
    if sample.kept < sample.offered:
        notes.append(f"{name_alone(file)}: {sample.kept} of {sample.offered} rows were kept")
    return tuple(notes)


def _places(file: str, piece: pd.DataFrame, columns: _Columns, needed: tuple[str, ...]) -> dict[str, str]:
    """Which column of the file carries which of ours."""
    lowered = {str(name).strip().lower(): str(name) for name in reversed(piece.columns)}
    found = {ours: [lowered[name] for name in names if name in lowered] for ours, names in columns.items()}
    for ours in needed:
        if not found[ours]:
            there = ", ".join(map(str, piece.columns[:12]))
            raise CaseError(f"{file}: has no column {columns[ours][0]!r}; its columns are {there}")
    return {ours: names[0] for ours, names in found.items() if names}


def _log_frame(piece: pd.DataFrame, place: dict[str, str]) -> pd.DataFrame:
    times = _moments(piece[place["timestamp"]])
    frame = pd.DataFrame(
        {
            "timestamp": times,
            "service": _texts(piece, place.get("service"), lambda text: clean_name(text) or UNKNOWN_SERVICE),
            "instance": _texts(piece, place.get("instance"), clean_name),
            "severity": _texts(piece, place.get("severity"), severity),
            "body": _texts(piece, place.get("body"), clean_text),
            "trace_id": _texts(piece, None, clean_name),
            "span_id": _texts(piece, None, clean_name),
            "attributes": _attributes(piece, _LOG_ATTRIBUTES),
        }
    )
    return frame[times != NOT_A_TIME]


def _span_frame(piece: pd.DataFrame, place: dict[str, str]) -> pd.DataFrame:
    starts = _moments(piece[place["start"]])
    took = pd.to_numeric(piece[place["duration"]], errors="coerce").to_numpy(dtype=np.float64) / 1000.0
    named = {
        name: _texts(piece, place.get(name), clean_name) for name in ("trace_id", "span_id", "parent_span_id", "name")
    }
    frame = pd.DataFrame(
        {
            **named,
            "service": _texts(piece, place.get("service"), lambda text: clean_name(text) or UNKNOWN_SERVICE),
            "kind": _texts(piece, place.get("kind"), span_kind),
            "start": starts,
            "duration_ms": took,
            "status": _texts(piece, place.get("status"), _status),
            "attributes": _attributes(piece, _SPAN_ATTRIBUTES),
        }
    )
    return frame[(starts != NOT_A_TIME) & np.isfinite(took) & (took >= 0)]


def _sorted(sample: Sample, time: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """The kept rows in order of time; an empty frame of the right types when there is none."""
    frame = sample.frame()
    if frame is None:
        types = {"attributes": "object", "duration_ms": "float64"}
        empty = {name: pd.Series([], dtype=types.get(name, "str")) for name in columns}
        return pd.DataFrame(empty | {time: pd.to_datetime(pd.Series([], dtype="int64"), unit="us", utc=True)})
    frame = frame.take(np.argsort(frame[time].to_numpy(), kind="stable")).reset_index(drop=True)
    frame[time] = pd.to_datetime(frame[time], unit="us", utc=True)
    return frame[list(columns)]


def _moments(column: pd.Series) -> NDArray[np.int64]:
    """Microseconds since 1970; each different text is read once."""
    codes, different = pd.factorize(column)
    return read_moments([str(text) for text in different]).microseconds[codes]


def _texts(piece: pd.DataFrame, column: str | None, read: Callable[[str], str]) -> pd.Series:
    """A column of texts, each different one read once; empty texts where there is no such column."""
    if column is None:
        return pd.Series([read("")] * len(piece), dtype="str", index=piece.index)
    codes, different = pd.factorize(piece[column])
    known = pd.array([read(str(text)) for text in different], dtype="str")
    return pd.Series(known.take(codes), index=piece.index)


def _attributes(piece: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Flat attributes of each row; rows that say the same share one dict, because most say nothing."""
    there = [name for name in names if name in piece.columns]
    codes = piece.groupby(there, sort=False).ngroup().to_numpy() if there else np.zeros(len(piece), dtype=np.int64)
    first = np.unique(codes, return_index=True)[1]
    different = [
        {name: clean_text(text) for name in there if (text := str(piece[name].iloc[row]))} for row in first.tolist()
    ]
    return pd.Series([different[code] for code in codes.tolist()], dtype="object", index=piece.index)


def _status(text: str) -> str:
    """OK, ERROR or "" of a status that is a word, an HTTP status, or a code of gRPC or of OpenTelemetry.

    The two share their small numbers: 0 is no error in either, from 2 on both mean one, and 1 does not tell.
    """
    digits = text.strip().removesuffix(".0")
    if not digits.isdecimal() or len(digits) > 2:
        return span_status(digits)
    code = int(digits)
    return "OK" if code == 0 else "ERROR" if 2 <= code < _GRPC_CODES else ""
