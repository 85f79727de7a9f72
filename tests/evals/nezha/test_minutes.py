from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from evals.nezha.minutes import read_minutes
from evals.nezha.rows import Troubles, service_of
from tests.evals.nezha.export import FAULTS, GATE, LOG_FIELDS, SPAN_FIELDS, TILL, nanoseconds, wrapped, write_csv
from tools.evidence import Source

AT = FAULTS[1][0]
START = nanoseconds(AT)
ZERO_TIME = -6795364578871345152
"""What Go prints as the nanoseconds of its zero time."""


def span(
    span_id: str, start: object = START, end: object = START + 2_500_000, parent: str = "root"
) -> tuple[object, ...]:
    return ("t", span_id, parent, TILL, "POST /charge", start, end, 2500)


def line(body: str, time: object = START, span_id: str = "s") -> tuple[object, ...]:
    return ("", time, "10.0.0.1", TILL, "server", "t", span_id, wrapped(body, AT))


def notes(frames: dict[str, pd.DataFrame]) -> dict[str, int]:
    return dict(zip(frames["troubles"]["trouble"], frames["troubles"]["count"], strict=True))


@pytest.mark.parametrize(
    ("pod", "service"),
    [(TILL, "card-till"), (GATE, "gate"), ("gate", "gate"), ("gate-0", "gate-0"), ("a-b-c-d-e", "a-b-c")],
)
def test_a_service_is_its_pod_without_the_last_two_parts(pod: str, service: str) -> None:
    assert service_of(pod) == service


def test_a_span_lasts_from_start_to_end_and_a_root_has_no_parent(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", SPAN_FIELDS, [span("child", parent="top"), span("top")])
    spans = read_minutes([path], [])["spans"].set_index("span_id")
    assert spans["duration_ms"].to_list() == [2.5, 2.5]
    assert spans["parent_span_id"].to_dict() == {"child": "top", "top": ""}
    assert set(spans["start"]) == {pd.Timestamp(AT)}
    assert set(spans["service"]) == {"card-till"}


def test_spans_that_cannot_be_placed_in_time_are_counted(tmp_path: Path) -> None:
    rows = [
        span("good"),
        span("zero", ZERO_TIME),
        span("word", "soon"),
        span("back", START, START - 1),
        span("none", ""),
    ]
    frames = read_minutes([write_csv(tmp_path / "a.csv", SPAN_FIELDS, rows)], [])
    assert frames["spans"]["span_id"].to_list() == ["good"]
    assert notes(frames) == {
        "a span has no readable start or end and was left out": 3,
        "a span ends before it starts and was left out": 1,
    }


def test_spans_of_two_files_are_told_apart_by_their_id_and_those_without_one_all_stay(tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"{name}.csv", SPAN_FIELDS, [span("same"), span("")]) for name in "ab"]
    assert read_minutes(files, [])["spans"]["span_id"].to_list() == ["same", "", ""]


def test_the_order_within_a_microsecond_is_kept(tmp_path: Path) -> None:
    rows = [line("third", START + 900), line("second", START + 200), line("first", START)]
    logs = read_minutes([], [write_csv(tmp_path / "a.csv", LOG_FIELDS, rows)])["logs"]
    assert logs["body"].to_list() == ["first", "second", "third"]
    assert logs["timestamp"].nunique() == 1


def test_a_line_without_a_time_of_its_own_takes_that_of_the_runtime(tmp_path: Path) -> None:
    timeless = (*line("lost", ZERO_TIME)[:-1], json.dumps({"log": "lost", "stream": "stdout", "time": "0001-01-01"}))
    rows = [line("saved", ZERO_TIME), timeless, (*line("x")[:-1], "{broken")]
    frames = read_minutes([], [write_csv(tmp_path / "a.csv", LOG_FIELDS, rows)])
    assert frames["logs"][["body", "timestamp"]].to_numpy().tolist() == [["saved", pd.Timestamp(AT)]]
    assert notes(frames) == {
        "a line is not the JSON it should be and was left out": 1,
        "a line has no time of its own; the runtime's was taken": 1,
        "a line has no readable time and was left out": 1,
    }


def test_a_line_that_two_files_share_is_there_once(tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"{name}.csv", LOG_FIELDS, [line("same"), line(name)]) for name in "ab"]
    assert sorted(read_minutes([], files)["logs"]["body"]) == ["a", "b", "same"]


def test_damaged_files_cost_their_rows_only(tmp_path: Path) -> None:
    good = write_csv(tmp_path / "good.csv", SPAN_FIELDS, [span("good")])
    good.write_bytes(good.read_bytes() + b'"' + b"x" * 200_000 + b'"\n\xff\xfe,half\n')
    strange = write_csv(tmp_path / "strange.csv", ["a", "b"], [("1", "2")])
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    frames = read_minutes([good, strange, empty], [])
    assert frames["spans"]["span_id"].to_list() == ["good"]
    assert notes(frames) == {
        "a row is damaged and was left out": 2,
        "a file has no column 'TraceID' and was left out": 2,
    }


def test_without_files_there_are_empty_frames_of_the_same_types(tmp_path: Path) -> None:
    files = (
        [write_csv(tmp_path / "a.csv", SPAN_FIELDS, [span("a")])],
        [write_csv(tmp_path / "b.csv", LOG_FIELDS, [line("b")])],
    )
    filled, empty = read_minutes(*files), read_minutes([], [])
    for name in ("spans", "logs"):
        assert empty[name].empty
        assert [str(kind) for kind in empty[name].dtypes] == [str(kind) for kind in filled[name].dtypes]


def test_troubles_survive_being_written_down() -> None:
    troubles = Troubles()
    troubles.add(Source.LOGS, "odd", 2)
    troubles.add(Source.TRACES, "none", 0)
    again = Troubles()
    again.add(Source.LOGS, "odd")
    again.add_frame(troubles.frame())
    assert again.notes() == ((Source.LOGS, "odd (3 times)"),)
