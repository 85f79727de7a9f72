"""Reads the times that exports carry: ISO 8601 with or without a zone, and seconds to nanoseconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NOT_A_TIME = np.iinfo(np.int64).min
"""Stands for a value that is no time, as in numpy's NaT."""

_EARLIEST = 100_000_000_000_000
"""March 1973, in microseconds. Smaller numbers are counters, compact dates or a zero time, not moments."""
_LATEST = 7_258_118_400_000_000
"""The year 2200, in microseconds; later ones are "never" markers."""

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,12})?)? ?(?P<zone>[Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_NUMBER = re.compile(r"\d{8,20}(?:\.\d*)?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Moments:
    """What a column of raw times says."""

    microseconds: NDArray[np.int64]
    """Since 1970 in UTC, NOT_A_TIME where the raw value is no time."""
    naive: NDArray[np.bool_]
    """True where a time named no zone and was read as UTC."""


def read_moments(raw: Sequence[object]) -> Moments:
    """Read raw times; the magnitude of a number tells its unit, a time without a zone is UTC. Never raises."""
    found = np.full(len(raw), NOT_A_TIME, dtype=np.int64)
    naive = np.zeros(len(raw), dtype=np.bool_)
    places: list[int] = []
    texts: list[str] = []
    for place, value in enumerate(raw):
        text = value.strip() if isinstance(value, str) else ""
        shape = _ISO.fullmatch(text)
        if shape:
            naive[place] = shape["zone"] is None
            places.append(place)
            texts.append(text)
        else:
            found[place] = _since_epoch(text if isinstance(value, str) else value)
    found[places] = _iso(texts)
    found[(found < _EARLIEST) | (found > _LATEST)] = NOT_A_TIME
    return Moments(found, naive & (found != NOT_A_TIME))


def read_moment(raw: object) -> datetime | None:
    """One raw time as aware UTC, None when it is none; a time without a zone is read as UTC."""
    if isinstance(raw, datetime):
        return raw.astimezone(UTC) if raw.tzinfo else raw.replace(tzinfo=UTC)
    found = int(read_moments([raw]).microseconds[0])
    return None if found == NOT_A_TIME else from_microseconds(found)


def microseconds(times: pd.Series) -> NDArray[np.int64]:
    """Microseconds since 1970 of a series of aware times, NOT_A_TIME where it holds none."""
    return np.asarray(times.astype("datetime64[us, UTC]").astype("int64"), dtype=np.int64)


def from_microseconds(value: int) -> datetime:
    """Aware UTC from microseconds since 1970, exactly."""
    seconds, rest = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def iso(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_texts(times: pd.Series) -> list[str]:
    """`iso` of each moment of a column `datetime64[us, UTC]` without gaps."""
    written = np.datetime_as_string(times.to_numpy(dtype="datetime64[us]"), unit="us").tolist()
    return [f"{text.removesuffix('.000000')}Z" for text in written]


def _since_epoch(value: object) -> int:
    """Microseconds from a number of seconds, milliseconds, microseconds or nanoseconds since 1970."""
    if isinstance(value, bool) or value is None:
        return NOT_A_TIME
    text = f"{value:.6f}" if isinstance(value, float) else str(value)
    if not _NUMBER.fullmatch(text):
        return NOT_A_TIME
    whole, _, fraction = text.partition(".")
    number = int(whole)
    # Up to 1e11 are seconds until the year 5138; 1e11 milliseconds are 1973, and so on: the ranges do not overlap.
    for limit, factor in ((10**11, 10**6), (10**14, 10**3), (10**17, 1)):
        if number < limit:
            return number * factor + round(float(f"0.{fraction or 0}") * factor)
    return number // 1000


def _iso(texts: list[str]) -> NDArray[np.int64]:
    if not texts:
        return np.empty(0, dtype=np.int64)
    plain = [text.replace(",", ".").replace(" UTC", "Z").replace("UTC", "Z").upper() for text in texts]
    return microseconds(pd.to_datetime(pd.Series(plain, dtype="str"), utc=True, format="ISO8601", errors="coerce"))
