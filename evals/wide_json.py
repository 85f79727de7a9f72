"""Reads metrics that are kept as JSON, an entry per series, as the same table that a wide CSV file gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from evals.cases import CaseError
from evals.wide_frames import Wide
from tools.evidence import JsonObject
from tools.moments import NOT_A_TIME, read_moments
from tools.words import clean_name

_TIME = "time"


def read_wide_json(path: Path, file: str) -> Wide:
    """Read `{"<series>": [[time, value], ...]}`, or `{"time": [...], "<series>": [value, ...]}` as pandas writes it.

    Times are seconds since 1970 or ISO 8601; null and missing values become NaN. Raises CaseError, in one line that names
    the file and the key.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise CaseError(f"{file}: cannot be read ({error.strerror})") from error
    except orjson.JSONDecodeError as error:
        raise CaseError(f"{file}: is not JSON ({error.msg})") from error
    if not isinstance(document, dict) or not document.keys() - {_TIME}:
        raise CaseError(f"{file}: an object with one key per series is needed")
    pairs = _shared(document, file) if _TIME in document else _own(document, file)
    times = np.unique(np.concatenate([moments for moments, _ in pairs.values()]))
    times = times[times != NOT_A_TIME]
    if not len(times):
        raise CaseError(f"{file}: holds no readable time")
    values = np.full((len(times), len(pairs)), np.nan)
    for column, (moments, series) in enumerate(pairs.values()):
        known = moments != NOT_A_TIME
        values[np.searchsorted(times, moments[known]), column] = series[known]
    return Wide(file, tuple((clean_name(name),) for name in pairs), times, values)


_Pair = tuple[NDArray[np.int64], NDArray[np.float64]]


def _shared(document: JsonObject, file: str) -> dict[str, _Pair]:
    """Series over one list of times."""
    times = read_moments(_listed(document[_TIME])).microseconds
    found: dict[str, _Pair] = {}
    for name, column in document.items():
        if name == _TIME:
            continue
        values = _floats(_listed(column), file, name)
        if len(values) != len(times):
            raise CaseError(f"{file}: key {name!r} has {len(values)} values for {len(times)} times")
        found[name] = (times, values)
    return found


def _own(document: JsonObject, file: str) -> dict[str, _Pair]:
    """Series that carry their own times."""
    found: dict[str, _Pair] = {}
    for name, samples in document.items():
        if not isinstance(samples, list) or not all(isinstance(each, list) and len(each) == 2 for each in samples):
            raise CaseError(f"{file}: key {name!r}: a list of [time, value] is needed")
        times = read_moments([moment for moment, _ in samples]).microseconds
        found[name] = (times, _floats([value for _, value in samples], file, name))
    return found


def _listed(column: object) -> list[object]:
    """A column's values; pandas writes columns as objects from row to value."""
    if isinstance(column, dict):
        return list(column.values())
    return column if isinstance(column, list) else []


def _floats(values: Sequence[object], file: str, name: str) -> NDArray[np.float64]:
    try:
        # None becomes NaN; Prometheus writes values as texts.
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CaseError(f"{file}: key {name!r} holds a value that is no number ({error})") from error
