from __future__ import annotations

import gc
import gzip
import json
import os
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import tools.recorded
from tests.tools.recording_files import ALERT, START, at, change, put, series, small_incident, write_recording
from tools.catalogue import run
from tools.evidence import Operation, OperationKind, Query, Source, TimeWindow, ToolError, digest_of
from tools.recorded import Recording, RecordingError, read_recording, recorded_backend
from tools.recorded_facts import CHANGE_KEYS, EDGE_KEYS, STATUS_KEYS
from tools.words import LOG_KEYS, SPAN_KEYS

FILES = (
    "alert.json",
    "metrics.csv",
    "logs.ndjson",
    "traces.ndjson",
    "changes.json",
    "topology.json",
    "status_feed.json",
    "runbooks/page.md",
)


@pytest.mark.parametrize("packed", [False, True])
def test_a_whole_recording(tmp_path: Path, packed: bool) -> None:
    recording = read_recording(small_incident(tmp_path / "pool", packed))
    assert recording.name == "pool"
    assert recording.alert == ALERT
    assert recording.notes == ()
    assert recording.missing == frozenset()
    assert recording.metrics is not None
    assert recording.logs is not None
    assert recording.spans is not None
    assert (len(recording.metrics), len(recording.logs), len(recording.spans)) == (120, 90, 120)
    assert [each.id for each in recording.changes] == ["d1", "d2"]
    assert [each.service for each in recording.runbooks] == ["inventory"]
    assert recording.window == TimeWindow(since=START, until=START + timedelta(minutes=59, seconds=31))


def test_packed_and_plain_say_the_same(tmp_path: Path) -> None:
    plain = read_recording(small_incident(tmp_path / "a" / "x"))
    packed = read_recording(small_incident(tmp_path / "b" / "x", packed=True))
    assert plain.metrics is not None
    assert packed.metrics is not None
    assert plain.metrics.equals(packed.metrics)
    assert plain.changes == packed.changes


def test_missing_parts_are_notes_and_no_backend(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path / "r", metrics=series("a", "cpu", [1, 2])))
    assert recording.notes == (
        (Source.LOGS, "logs.ndjson: is missing"),
        (Source.TRACES, "traces.ndjson: is missing"),
        (Source.CHANGES, "changes.json: is missing"),
        (Source.TOPOLOGY, "topology.json: is missing"),
        (Source.STATUS, "status_feed.json: is missing"),
        (Source.RUNBOOKS, "runbooks: is missing"),
    )
    backend = recorded_backend(recording)
    assert backend.metrics is not None
    assert (backend.logs, backend.traces, backend.changes) == (None, None, None)
    assert (backend.topology, backend.runbooks) == (None, None)
    assert backend.notes == recording.notes


def test_unknown_changes_are_not_no_changes(tmp_path: Path) -> None:
    unknown = recorded_backend(read_recording(write_recording(tmp_path / "a", status_events=[])))
    assert unknown.changes is not None
    window = TimeWindow(since=START, until=START + timedelta(hours=1))
    with pytest.raises(ToolError, match="no changes were recorded in a"):
        unknown.changes.changes(window)
    assert unknown.changes.status_events(window) == []
    none = recorded_backend(read_recording(write_recording(tmp_path / "b", changes=[])))
    assert none.changes is not None
    assert none.changes.changes(window) == []
    with pytest.raises(ToolError, match="no status feeds were recorded in b"):
        none.changes.status_events(window)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "r/alert.json: is empty"),
        (b"[]", "r/alert.json: holds a list where an object that describes the alert is due"),
        (b"{}", "r/alert.json: holds an empty object where an object that describes the alert is due"),
        (b"null", "r/alert.json: holds a null where an object that describes the alert is due"),
        (b"{'a': 1}", "r/alert.json: is not JSON"),
        (b"\x00\x01", "r/alert.json: is binary, not JSON"),
        (gzip.compress(b'{"service": "a"}', mtime=0)[:12], "r/alert.json: the gzip data end early or are damaged"),
        (b'{"service": "a"}', "r: holds no telemetry, and alert.json names no time to look at"),
    ],
)
def test_an_alert_that_cannot_be_investigated(tmp_path: Path, content: bytes, message: str) -> None:
    put(tmp_path / "r", "alert.json", content)
    with pytest.raises(RecordingError) as caught:
        read_recording(tmp_path / "r")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_no_folder_and_no_alert(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no such folder"):
        read_recording(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match="there is no such folder"):
        read_recording(put(tmp_path, "file", "x"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match=r"empty/alert\.json: is missing, so there is nothing to investigate"):
        read_recording(tmp_path / "empty")


def test_without_telemetry_the_window_lies_around_what_is_known(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path / "r", changes=[change(10, "a", "cart")]))
    assert recording.window.since == START + timedelta(minutes=10) - timedelta(hours=1)
    assert recording.window.until == START + timedelta(minutes=40, hours=1, seconds=1)


def test_a_link_out_of_the_recording_is_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path, "secret.md", "# Secret\n")
    folder = write_recording(tmp_path / "r", runbooks={"inside": "# Inside\n"})
    os.symlink(secret, folder / "runbooks" / "outside.md")
    os.symlink(folder / "runbooks" / "inside.md", folder / "runbooks" / "other.md")
    recording = read_recording(folder)
    assert [page.title for page in recording.runbooks] == ["Inside", "Inside"]
    assert (
        Source.RUNBOOKS,
        "outside.md: is a link that leads out of the recording and was not followed",
    ) in recording.notes


def test_what_is_no_file_is_a_note(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "r", changes=[])
    (folder / "metrics.csv").mkdir()
    os.mkfifo(folder / "logs.ndjson")
    notes = read_recording(folder).notes
    assert (Source.METRICS, "metrics.csv: is not a file") in notes
    assert (Source.LOGS, "logs.ndjson: is not a file") in notes


def test_a_file_that_is_there_twice(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "r", metrics=series("plain", "cpu", [1]))
    write_recording(folder, metrics=series("packed", "cpu", [1]), packed=True)
    recording = read_recording(folder)
    assert recording.metrics is not None
    assert recording.metrics["service"].tolist() == ["plain"]
    note = "metrics.csv: is there twice, packed and not; the packed one was ignored"
    assert (Source.METRICS, note) in recording.notes


def test_the_number_of_runbooks_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.recorded, "MAX_RUNBOOKS", 2)
    folder = write_recording(tmp_path / "r", runbooks={name: f"# {name}\n" for name in "abc"})
    recording = read_recording(folder)
    assert [page.id for page in recording.runbooks] == ["a", "b"]
    assert (Source.RUNBOOKS, "runbooks: 2 of 3 pages were read") in recording.notes


def test_the_garbage_collector_is_on_again_also_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(part: object) -> None:
        assert not gc.isenabled()
        raise RuntimeError("disk on fire")

    monkeypatch.setitem(tools.recorded.TELEMETRY, Source.LOGS, ("logs.ndjson", broken))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="disk on fire"):
        read_recording(small_incident(tmp_path / "r"))
    assert gc.isenabled()


def test_the_backend_answers_for_windows_services_and_words(tmp_path: Path) -> None:
    recording = read_recording(small_incident(tmp_path / "r"))
    backend = recorded_backend(recording)
    assert backend.metrics is not None
    assert backend.logs is not None
    assert backend.traces is not None
    assert backend.changes is not None
    late = TimeWindow(since=START + timedelta(minutes=30), until=START + timedelta(minutes=40))
    assert backend.metrics.metric_range(late, "inventory", "db_pool_in_use")["value"].tolist() == [20.0] * 10
    lines = backend.logs.log_lines(late, "inventory", "pool exhausted", limit=3)
    assert lines["body"].tolist() == [f"connection pool exhausted after {k} ms" for k in (30, 31, 32)]
    assert len(backend.logs.log_lines(late, contains="Pool")) == 0
    with pytest.raises(ToolError, match="limit=0 must be at least 1"):
        backend.logs.log_lines(late, limit=0)
    assert backend.traces.spans(late, "inventory", "reserve")["duration_ms"].tolist() == [2000.0] * 10
    assert backend.changes.changes(late) == []
    early = TimeWindow(since=START, until=START + timedelta(minutes=30))
    assert [each.id for each in backend.changes.changes(early)] == ["d1", "d2"]


def test_status_entries_overlap_the_window(tmp_path: Path) -> None:
    def entry(id: str, started: float, resolved: float | None) -> dict[str, object]:
        told = {"id": id, "provider": "p", "service": "s", "status": "down", "title": "t", "started_at": at(started)}
        return told if resolved is None else told | {"resolved_at": at(resolved)}

    events = [entry("over", 0, 5), entry("before", 0, 15), entry("open", 0, None), entry("later", 30, None)]
    backend = recorded_backend(read_recording(write_recording(tmp_path / "r", status_events=events)))
    assert backend.changes is not None
    window = TimeWindow(since=START + timedelta(minutes=10), until=START + timedelta(minutes=20))
    assert [each.id for each in backend.changes.status_events(window)] == ["before", "open"]


def test_operations_are_rehearsed() -> None:
    recording = Recording(name="r", alert={}, window=TimeWindow(since=START, until=START + timedelta(hours=1)))
    operations = recorded_backend(recording).operations
    assert operations is not None
    operation = Operation(kind=OperationKind.ROLLBACK, target="cart", arguments={"to": "v41"})
    assert operations.dry_run(operation) == ("would rollback cart to=v41; r is a recording, so nothing will be changed")
    result = operations.perform(operation, "k1")
    assert result.outcome == "rehearsed"
    assert "a recording cannot be changed" in result.detail


def test_folders_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_incident(tmp_path / "r")
    opened = Path.iterdir

    def refused(path: Path) -> Any:
        if path.name == "runbooks":
            raise PermissionError(13, "Permission denied")
        return opened(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert (Source.RUNBOOKS, "runbooks: cannot be read (Permission denied)") in read_recording(folder).notes

    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", closed)
    with pytest.raises(RecordingError, match="cannot be read: Permission denied"):
        read_recording(folder)


def fragments(text: bytes) -> st.SearchStrategy[bytes]:
    """Parts of a well-formed file, cut, doubled and mixed with noise."""
    pieces = st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [b"\n", b",", b'"', b"{", b"}", b"[", b"]", b"null", b"NaN", b"1e999", b"\x00", b"\xff", b"\r"]
        ),
        st.tuples(st.integers(0, len(text)), st.integers(0, 120)).map(lambda cut: text[cut[0] : cut[0] + cut[1]]),
    )
    return st.lists(pieces, max_size=8).map(b"".join)


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        small_incident(Path(folder))
        put(Path(folder), "runbooks/page.md", "---\nservice: a\n---\n# T\n")
        return {name: (Path(folder) / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_content_of_any_file_is_a_traceback(name: str, whole: dict[str, bytes], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole[name])))
    noise = data.draw(fragments(whole[name]))
    content = whole[name][:start] + noise + (whole[name][start:] if data.draw(st.booleans()) else b"")
    packed = data.draw(st.sampled_from(["no", "yes", "cut"]))
    if packed != "no":
        content = gzip.compress(content, mtime=0)[: None if packed == "yes" else data.draw(st.integers(0, 200))]
    with tempfile.TemporaryDirectory() as folder:
        write_recording(Path(folder), metrics=series("a", "cpu", [1.0, 2.0]))
        put(Path(folder), name, content)
        try:
            recording = read_recording(Path(folder))
        except RecordingError as error:
            assert "\n" not in str(error)
            return
        answers(recording)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(at(3)) | st.just("d1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(
    {name for keys in (LOG_KEYS, SPAN_KEYS, CHANGE_KEYS, STATUS_KEYS, EDGE_KEYS) for name in keys} | {"files"}
)
records = st.lists(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=8), max_size=4)


@given(logs=records, spans=records, changes=records, edges=records, events=records, alert=json_values)
@settings(max_examples=100, deadline=None)
def test_no_value_under_any_key_is_a_traceback(
    logs: list[Any], spans: list[Any], changes: list[Any], edges: list[Any], events: list[Any], alert: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_recording(
            Path(folder), alert, series("a", "cpu", [1.0]), logs, spans, changes, status_events=events
        )
        put(path, "topology.json", json.dumps(edges))
        try:
            recording = read_recording(path)
        except RecordingError as error:
            assert "\n" not in str(error)
            return
        answers(recording)


def answers(recording: Recording) -> None:
    """Whatever was read is answered from, in the promised types."""
    backend, window = recorded_backend(recording), recording.window
    assert all("\n" not in text for _, text in recording.notes)
    for tool in ("metric_range", "log_lines", "spans", "changes", "status_events", "edges", "runbooks"):
        with suppress(ToolError):
            answer = run(backend, Query(tool=tool), window)
            assert answer.evidence.digest == digest_of(json.loads(json.dumps(answer.result, allow_nan=False)))
            assert "\n" not in answer.evidence.summary
    if backend.metrics is not None:
        frame = backend.metrics.metric_range(window)
        assert len(frame) > 0
        assert frame["value"].abs().max() < float("inf")
        assert frame["timestamp"].is_monotonic_increasing
    if backend.logs is not None:
        assert set(backend.logs.log_lines(window)["severity"]) <= {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
    if backend.traces is not None:
        assert (backend.traces.spans(window)["duration_ms"] >= 0).all()
