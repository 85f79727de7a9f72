"""A batch of rows or lines: raw values become times and names, and what is wrong is noted with its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.attributes import scalar_text
from tools.moments import NOT_A_TIME, read_moments
from tools.reading import Part, shown
from tools.words import UNKNOWN_SERVICE, clean_name


@dataclass(frozen=True, eq=False)
class Numbered:
    """A batch of rows of one file, with the number of each."""

    part: Part
    unit: str
    """What a number counts: row or line."""
    numbers: NDArray[np.int64]

    def note(self, trouble: str, wrong: NDArray[np.bool_], key: str = "", raw: Sequence[object] = ()) -> None:
        """Note a trouble with its first number, key and value, and how many rows have it."""
        places = np.flatnonzero(wrong)
        if len(places):
            example = f"{self.unit} {self.numbers[places[0]]}"
            self.part.note(trouble, f"{example}: {key}={shown(raw[places[0]])}" if key else example, len(places))

    def times(self, raw: Sequence[object], key: str = "timestamp") -> NDArray[np.int64]:
        """Microseconds since 1970, NOT_A_TIME where there is none; each different raw time is read once."""
        place = {value: position for position, value in enumerate(dict.fromkeys(raw))}
        moments = read_moments(list(place))
        codes = np.fromiter((place[value] for value in raw), dtype=np.intp, count=len(raw))
        times = moments.microseconds[codes]
        self.note("a time without a zone was read as UTC", moments.naive[codes], key, raw)
        self.note(f"a {self.unit} without a readable time was left out", times == NOT_A_TIME, key, raw)
        return times

    def names(self, raw: Sequence[object]) -> NDArray[np.object_]:
        """Cleaned names; each different one is cleaned once."""
        clean = {value: clean_name(scalar_text(value)) for value in set(raw)}
        return np.array([clean[value] for value in raw], dtype=object)

    def services(self, raw: Sequence[object]) -> NDArray[np.object_]:
        """Names of services; an empty one becomes UNKNOWN_SERVICE."""
        names = self.names(raw)
        unnamed = names == ""
        self.note(f"a {self.unit} without a service was filed under {UNKNOWN_SERVICE}", unnamed)
        names[unnamed] = UNKNOWN_SERVICE
        return names


def with_times(frame: pd.DataFrame, order: NDArray[np.intp], time: str) -> pd.DataFrame:
    """The rows in the given order, their microseconds in column `time` as `datetime64[us, UTC]`."""
    frame = frame.take(order).reset_index(drop=True)
    frame[time] = pd.to_datetime(frame[time], unit="us", utc=True)
    return frame
