"""What is written is read again as it was: odd values, empty and missing parts, masks; and never half of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

import tools.recording_writer
from tests.tools.recording_files import ALERT, START, at, put, series, small_incident, write_recording as put_recording
from tools.backend import LOG_COLUMNS, METRIC_COLUMNS, SPAN_COLUMNS
from tools.catalogue import run
from tools.evidence import ChangeEvent, ChangeKind, Edge, Query, Runbook, Source, StatusEvent, TimeWindow, ToolError
from tools.recorded import Recording, read_recording, recorded_backend
from tools.recorded_manifest import Asked, Question, no_rows
from tools.recording_writer import RecordingExists, write_recording
from tools.redaction import masked_attributes, masked_text
from tools.words import MAX_TEXT, clean_name, clean_text

WINDOW = TimeWindow(since=START - timedelta(hours=1), until=START + timedelta(hours=2, microseconds=1))
FRAMES = ("metrics", "logs", "spans")


def again(recording: Recording, folder: Path) -> Recording:
    write_recording(recording, folder / recording.name)
    return read_recording(folder / recording.name)


def assert_same(one: Recording, other: Recording) -> None:
    for name in FRAMES:
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None), name
        if a is not None:
            pd.testing.assert_frame_equal(a, b, check_exact=True)
    for name in ("name", "alert", "window", "changes", "edges", "status_events", "runbooks", "notes", "missing"):
        assert getattr(one, name) == getattr(other, name), name
    assert [each.question for each in one.asked] == [each.question for each in other.asked]
    for a, b in zip(one.asked, other.asked, strict=True):
        pd.testing.assert_frame_equal(a.frame, b.frame, check_exact=True)


# --- values as a backend hands them out: cleaned and masked, and as odd as that allows

texts = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ['say "so"', "a,b;c\td", "two\nlines\n", "'", "{}", "[masked:value]", "password=hunter22", "−ü\U0001f980", "null"]
)
names = texts.map(lambda text: clean_name(masked_text(text)))
filled = names.filter(bool)
bodies = texts.map(lambda text: clean_text(masked_text(text)))
moments = st.datetimes(datetime(1974, 1, 1), datetime(2199, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
keys = filled | st.sampled_from(["service", "Body", "timestamp", "duration", "end", "attributes.x", "level", "host"])
attributes = st.dictionaries(keys.map(clean_name).filter(bool), bodies.filter(bool), max_size=4).map(masked_attributes)
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


def framed(rows: list[tuple[Any, ...]], columns: tuple[str, ...], source: Source, time: str) -> pd.DataFrame:
    empty = no_rows(source)
    if not rows:
        return empty
    frame = pd.DataFrame(
        {
            name: pd.Series(cells, dtype=empty[name].dtype)
            for name, cells in zip(columns, zip(*rows, strict=True), strict=True)
        }
    )
    return frame.sort_values(time, kind="stable", ignore_index=True)


def unique(rows: list[tuple[Any, ...]], *places: int) -> list[tuple[Any, ...]]:
    return list({tuple(row[place] for place in places): row for row in rows}.values())


metrics = st.lists(st.tuples(moments, filled, names, filled, finite, names), max_size=8).map(
    lambda rows: framed(unique(rows, 0, 1, 2, 3), METRIC_COLUMNS, Source.METRICS, "timestamp")
)
logs = st.lists(
    st.tuples(moments, filled, names, st.sampled_from(["INFO", "ERROR", "FATAL"]), bodies, names, names, attributes),
    max_size=8,
).map(lambda rows: framed(rows, LOG_COLUMNS, Source.LOGS, "timestamp"))
spans = st.lists(
    st.tuples(
        names, filled, st.just(""), filled, names, st.sampled_from(["", "server", "client"]), moments, positive,
        st.sampled_from(["", "OK", "ERROR"]), attributes,
    ),
    max_size=8,
).map(lambda rows: framed(unique(rows, 1), SPAN_COLUMNS, Source.TRACES, "start"))  # fmt: skip
maybe = st.none() | bodies
changes = st.lists(
    st.builds(
        ChangeEvent, id=filled, kind=st.sampled_from(ChangeKind), at=moments, service=st.none() | filled, title=bodies,
        author=st.none() | names, commit=st.none() | names, merged_at=st.none() | moments, version=st.none() | names,
        files=st.lists(bodies.filter(bool), max_size=2).map(tuple), diff=maybe, before=maybe, after=maybe,
        in_effect=st.booleans(),
    ),
    max_size=3, unique_by=lambda change: change.id,
).map(lambda found: tuple(sorted(found, key=lambda change: change.at)))  # fmt: skip
edges = st.lists(
    st.builds(Edge, caller=filled, callee=filled, kind=st.sampled_from(["call", "data", "host"])),
    max_size=3,
    unique=True,
).map(tuple)
status_events = st.lists(
    st.builds(
        StatusEvent, id=names, provider=names, service=names, status=names, title=bodies, started_at=moments,
        region=st.none() | names, resolved_at=st.none() | moments, detail=bodies,
    ),
    max_size=2,
).map(lambda found: tuple(sorted(found, key=lambda event: event.started_at)))  # fmt: skip
runbooks = st.lists(
    st.builds(Runbook, id=filled, title=names, body=bodies, service=st.none() | filled),
    max_size=3,
    unique_by=lambda page: page.id,
).map(lambda pages: tuple(sorted(pages, key=lambda page: page.id)))
notes = st.lists(st.tuples(st.sampled_from(Source), bodies), max_size=3, unique=True).map(tuple)
alerts = st.dictionaries(filled, bodies | st.none() | finite | st.lists(bodies, max_size=2), max_size=3)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """What `whydown record` puts together: a part that is missing has a note that says why."""
    missing = draw(st.frozensets(st.sampled_from([source for source in Source if source is not Source.ALERT])))

    def had(source: Source, values: st.SearchStrategy[Any], otherwise: object) -> Any:
        return otherwise if source in missing else draw(values)

    told = draw(notes)
    return Recording(
        name="odd",
        alert={**ALERT, **{f"x{key}": value for key, value in draw(alerts).items()}},
        window=WINDOW,
        metrics=had(Source.METRICS, metrics, None),
        logs=had(Source.LOGS, logs, None),
        spans=had(Source.TRACES, spans, None),
        changes=had(Source.CHANGES, changes, ()),
        edges=had(Source.TOPOLOGY, edges, ()),
        status_events=had(Source.STATUS, status_events, ()),
        runbooks=had(Source.RUNBOOKS, runbooks, ()),
        notes=tuple(dict.fromkeys((*told, *((source, "is down") for source in sorted(missing))))),
        missing=missing,
    )


@given(recordings())
@settings(
    max_examples=150, deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck)
)
def test_what_is_written_is_read_again_as_it_was(recording: Recording) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = again(recording, Path(folder))
        # Reading notes what is odd (a line without a body), after what was noted when it was recorded.
        assert read.notes[: len(recording.notes)] == recording.notes
        assert_same(replace(recording, notes=read.notes), read)
        assert_same(read, again(read, Path(folder) / "twice"))
