"""What is written is read again as it was: odd values, empty and missing parts, masks; and never half of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import tools.recording_writer
from tests.tools.recording_files import (
    ALERT,
    START,
    at,
    change,
    log,
    put,
    series,
    small_incident,
    write_recording as put_recording,
)
from tools.backend import LOG_COLUMNS, METRIC_COLUMNS, SPAN_COLUMNS
from tools.catalogue import run
from tools.evidence import ChangeEvent, ChangeKind, Edge, Query, Runbook, Source, StatusEvent, TimeWindow, evidence_id
from tools.recorded import Recording, read_recording, recorded_backend
from tools.recorded_manifest import Asked, Question, no_rows
from tools.recording_writer import RecordingExists, write_recording
from tools.redaction import masked_attributes, masked_text
from tools.words import MAX_TEXT, clean_name, clean_text

WINDOW = TimeWindow(since=START - timedelta(hours=1), until=START + timedelta(hours=2, microseconds=1))
FRAMES = ("metrics", "logs", "spans")
ROOT = Path(tools.recording_writer.__file__).parents[1]
FIXTURES = ROOT / "fixtures" / "recordings"


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
moments = st.integers(0, 7 * 10**15).map(lambda past: datetime(1974, 1, 1, tzinfo=UTC) + timedelta(microseconds=past))
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


def asked_of(source: Source, tool: str, frames: st.SearchStrategy[pd.DataFrame]) -> st.SearchStrategy[Asked]:
    def ask(window: TimeWindow, name: str, frame: pd.DataFrame) -> Asked:
        query = Query(tool=tool, arguments={"service": name})
        return Asked(Question(source=source, query=query, window=window, empty=frame.empty), frame)

    windows = moments.map(lambda since: TimeWindow(since=since, until=since + timedelta(microseconds=1)))
    return st.builds(ask, windows, filled, frames)


asked = st.lists(
    asked_of(Source.METRICS, "metric_range", metrics)
    | asked_of(Source.LOGS, "log_lines", logs)
    | asked_of(Source.TRACES, "spans", spans),
    max_size=2,
    unique_by=lambda each: each.id,
).map(tuple)


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
        asked=draw(asked),
    )


@given(recordings())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again_as_it_was(recording: Recording) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = again(recording, Path(folder))
        # Reading notes what is odd (a line without a body), after what was noted when it was recorded.
        assert read.notes[: len(recording.notes)] == recording.notes
        assert_same(replace(recording, notes=read.notes), read)
        assert_same(read, again(read, Path(folder) / "twice"))


def test_what_a_person_wrote_oddly_is_the_same_once_it_was_read(tmp_path: Path) -> None:
    header = "timestamp,service,instance,metric,value,unit\n"
    values = ["1", "nan", "inf", "-Infinity", "", "1e400", "0.1", "-0.0", "5e-324", "12345678901234567890"]
    rows = "".join(f'{at(9 - k)},"a, ""b""",,"x;{k % 2}",{value},\n' for k, value in enumerate(values))
    lines = [
        {"timestamp": at(1), "app": "a", "message": None, "level": None, "http": {"route": "/x", "body": None}},
        {"timestamp": at(0), "service": "a", "message": "x" * (MAX_TEXT + 9), "host": "h", "log": "not the body"},
        {
            "timestamp": at(0),
            "service": None,
            "body": "\ud800 \x1b[31mred\x00 ümlaut\r\nsecond",
            "tags": {"service": "b"},
        },
        {name: None for name in LOG_COLUMNS} | {"timestamp": at(2), "attributes": {"body": "of mine", "n": {"m": 1}}},
    ]
    folder = put_recording(tmp_path / "odd", logs=lines, changes=[], edges=[])
    put(folder, "metrics.csv", header + rows)
    put(folder, "runbooks/a b.md", "---\nservice: 'q\ntitle: \"half\n---\n# A heading\n")
    read = read_recording(folder)
    assert read.metrics is not None
    assert read.metrics["value"].tolist() == [12345678901234567890.0, 5e-324, -0.0, 0.1, 1.0]
    copied = again(read, tmp_path / "copy")
    assert copied.notes[: len(read.notes)] == read.notes  # then those of the copy, with its own numbers of lines
    assert_same(replace(read, notes=copied.notes), copied)
    assert any("NaN or infinite" in text for _, text in copied.notes)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in FIXTURES.glob("*/alert.json")))
def test_a_shipped_recording_is_the_same_after_it_was_written(name: str, tmp_path: Path) -> None:
    assert_same(read_recording(FIXTURES / name), again(read_recording(FIXTURES / name), tmp_path))


def small(folder: Path) -> Recording:
    return read_recording(small_incident(folder / "from"))


def test_secrets_are_masked_wherever_they_stand_and_equal_ones_alike(tmp_path: Path) -> None:
    secret = "password=Tr0ub4dor-3"
    rows = series("a", "up", [1.0], instance="redis://u:Tr0ub4dor@db:6379")
    lines = [log(k, "a", f"login {k} failed, {secret}", token="Tr0ub4dor", note=secret) for k in range(2)]
    made = [change(1, "d1", "a", diff=f"-x\n+{secret}\n", before="api_key: Tr0ub4dor9", title="t")]
    folder = put_recording(
        tmp_path / "s", {**ALERT, "annotations": {"token": "Tr0ub4dor", "why": secret}}, rows, lines, changes=made,
        runbooks={"page": f"# Log in\n{secret}\n"},
        status_events=[{"id": "1", "title": secret, "started_at": at(0), "detail": secret}],
    )  # fmt: skip
    recording = replace(read_recording(folder), notes=((Source.METRICS, f"GET failed: {secret}"),))
    written = write_recording(recording, tmp_path / "out")
    content = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.*"))
    assert b"Tr0ub4dor" not in content
    read = read_recording(tmp_path / "out")
    assert read.logs is not None
    assert read.logs["body"].tolist() == [f"login {k} failed, password=[masked:value]" for k in range(2)]
    assert read.changes[0].diff == "-x\n+password=[masked:value]\n"
    assert written.masked[Source.LOGS] == 6
    assert written.masked[Source.CHANGES] == 2
    assert set(written.masked) == {
        Source.ALERT,
        Source.METRICS,
        Source.LOGS,
        Source.CHANGES,
        Source.STATUS,
        Source.RUNBOOKS,
    }


def test_a_large_file_is_packed_and_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.recording_writer, "PACK_FROM", 4_000)
    written = write_recording(small(tmp_path), tmp_path / "out" / "from")
    assert "metrics.csv.gz" in written.files
    assert "changes.json" in written.files
    assert written.size == sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.*"))
    assert_same(small(tmp_path), read_recording(tmp_path / "out" / "from"))


def test_a_question_that_stands_apart_is_answered_apart(tmp_path: Path) -> None:
    recording = small(tmp_path)
    yesterday = TimeWindow(since=START - timedelta(days=1), until=START - timedelta(hours=22))
    query = Query(tool="metric_range", arguments={"service": "checkout", "metric": "http_error_ratio"})
    frame = no_rows(Source.METRICS)
    frame.loc[0] = [pd.Timestamp(yesterday.since), "checkout", "", "http_error_ratio", 0.5, ""]
    frame = frame.astype(no_rows(Source.METRICS).dtypes.to_dict())
    apart = Asked(Question(source=Source.METRICS, query=query, window=yesterday), frame)
    read = again(replace(recording, asked=(apart,)), tmp_path / "out")
    backend = recorded_backend(read)
    assert run(backend, query, yesterday).frame is not None
    assert run(backend, query, yesterday).evidence.summary.endswith("0.5 .. 0.5, last 0.5")
    assert evidence_id(query, yesterday) in backend.asked
    assert "60 samples" in run(backend, query, recording.window).evidence.summary
    (tmp_path / "out" / "from" / apart.question.file).unlink()
    assert read_recording(tmp_path / "out" / "from").asked == ()


@pytest.mark.parametrize("content", ["", "[", "[]", '{"window": 3}', '{"cause": "d2"}', "\x00"])
def test_a_manifest_that_cannot_be_used_is_a_note(tmp_path: Path, content: str) -> None:
    folder = small_incident(tmp_path / "r")
    put(folder, "recording.json", content)
    recording = read_recording(folder)
    [(_, note)] = recording.notes
    assert note.startswith("recording.json: ")
    assert "so it was ignored" in note
    assert recording.window == small(tmp_path).window


def test_an_answer_outside_of_the_recording_cannot_be_named(tmp_path: Path) -> None:
    folder = small_incident(tmp_path / "r")
    question = {"source": "changes", "query": {"tool": "../../secret"}, "window": {"since": at(0), "until": at(1)}}
    put(folder, "recording.json", json.dumps({"asked": [question]}))
    assert read_recording(folder).asked == ()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    recording, out = small(tmp_path), tmp_path / "out"
    write_recording(recording, out)
    with pytest.raises(RecordingExists, match="--force replaces a recording"):
        write_recording(recording, out)
    write_recording(replace(recording, changes=()), out, force=True)
    assert read_recording(out).changes == ()
    foreign = put(tmp_path / "mine", "thesis.txt", "years of work").parent
    for target in (foreign, foreign / "thesis.txt"):
        with pytest.raises(RecordingExists, match="is no recording"):
            write_recording(recording, target, force=True)
    assert (foreign / "thesis.txt").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["from", "mine", "out"]


def test_a_disk_that_fills_up_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, out = small(tmp_path), tmp_path / "out" / "r"
    write_recording(recording, out)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_recording(replace(recording, changes=()), out, force=True)
    assert [path.name for path in out.parent.iterdir()] == ["r"]
    assert len(read_recording(out).changes) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
import tools.recording_writer as writer
from tools.recorded import read_recording
recording = read_recording(Path(sys.argv[1]))
left = int(sys.argv[3])
def fsync(descriptor, real=os.fsync):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
os.fsync = fsync
writer.write_recording(recording, Path(sys.argv[2]))
"""


@pytest.mark.parametrize("after", [0, 3, 8])
def test_a_kill_in_the_middle_leaves_nothing_that_looks_like_a_recording(tmp_path: Path, after: int) -> None:
    folder = small_incident(tmp_path / "from")
    command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "out" / "r"), str(after)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "r").exists()
    assert [path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []
    write_recording(read_recording(folder), tmp_path / "out" / "r")
    assert len(read_recording(tmp_path / "out" / "r").changes) == 2
