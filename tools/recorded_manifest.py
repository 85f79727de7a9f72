"""What the frames of a recording cannot say by themselves: `recording.json`, which `whydown record` writes.

It names the window that was asked for, what could not be had and why, which kinds came back empty, and the questions
whose answers stand apart in `asked/`. A recording without it is one that a person put together.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from pydantic import ValidationError

from tools.backend import LOG_COLUMNS, METRIC_COLUMNS, SPAN_COLUMNS
from tools.evidence import Frozen, Query, Source, TimeWindow, evidence_id
from tools.reading import Part, Unreadable, parsed

MANIFEST = "recording.json"
ASKED = "asked"
"""The folder of answers that stand apart, each named after its evidence id."""
SUFFIX = {Source.METRICS: "csv", Source.LOGS: "ndjson", Source.TRACES: "ndjson"}
_TYPES = {
    "timestamp": "datetime64[us, UTC]",
    "start": "datetime64[us, UTC]",
    "value": "float64",
    "duration_ms": "float64",
    "attributes": "object",
}
_COLUMNS = {Source.METRICS: METRIC_COLUMNS, Source.LOGS: LOG_COLUMNS, Source.TRACES: SPAN_COLUMNS}


class Note(Frozen):
    """What was cut, partial or could not be had; a data gap whenever the recording is investigated."""

    source: Source
    text: str


class Question(Frozen):
    """A question about one service or name whose answer stands apart."""

    source: Source
    query: Query
    window: TimeWindow
    empty: bool = False
    """True where the answer has no rows, and therefore no file: it was not so, as opposed to nobody looked."""

    @property
    def file(self) -> str:
        """Its answer's file inside the recording; may be packed."""
        return f"{ASKED}/{evidence_id(self.query, self.window)}.{SUFFIX[self.source]}"


class Manifest(Frozen):
    """The content of `recording.json`."""

    window: TimeWindow | None = None
    """What was asked for; the telemetry may begin later and end earlier."""
    notes: tuple[Note, ...] = ()
    empty: tuple[Source, ...] = ()
    """Kinds that were asked for and held nothing; they have no file, and yet are not missing."""
    asked: tuple[Question, ...] = ()


@dataclass(frozen=True, eq=False)
class Asked:
    """The answer to one question, where it says more than the rows of its kind: another time, or a cut of its own."""

    question: Question
    frame: pd.DataFrame

    @property
    def id(self) -> str:
        return evidence_id(self.question.query, self.question.window)


def read_manifest(part: Part) -> Manifest:
    """What `recording.json` says; where it cannot be used, a note, and the recording is read as if there were none."""
    try:
        return Manifest.model_validate(parsed(part, part.whole()))
    except Unreadable as error:
        part.note(f"{error}, so it was ignored")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "it"
        part.note(f"cannot be used, so it was ignored ({where}: {first['msg']})")
    return Manifest()


def no_rows(source: Source) -> pd.DataFrame:
    """A frame without rows, with the columns and types that `tools.backend` lists."""
    return pd.DataFrame({name: pd.Series(dtype=_TYPES.get(name, "str")) for name in _COLUMNS[source]})
