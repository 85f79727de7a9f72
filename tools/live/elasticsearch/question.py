"""What somebody asked for, and the query that finds at least that."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tools.evidence import JsonObject, TimeWindow
from tools.live.elasticsearch.fields import Fields


@dataclass(frozen=True)
class Question:
    """Lines of a window, of one service where one is named, that contain a text where one is given."""

    window: TimeWindow
    service: str | None
    contains: str | None
    fields: Fields
    query: JsonObject

    def exactly(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Those of the rows that are what was asked for."""
        if self.service is not None:
            frame = frame[frame["service"] == self.service]
        if self.contains:
            wanted = self.contains
            frame = frame[[wanted in body for body in frame["body"]]]
        return frame.reset_index(drop=True)

    def __str__(self) -> str:
        asked = [
            f"{name}={value!r}" for name, value in (("service", self.service), ("contains", self.contains)) if value
        ]
        return f" ({', '.join(asked)})" if asked else ""
