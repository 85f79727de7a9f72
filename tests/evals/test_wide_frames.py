from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from evals.cases import CaseError
from evals.wide_frames import Series, Wide, long_frame, read_wide, window_of
from tools.backend import METRIC_COLUMNS

T0 = 1_700_000_000
"""2023-11-14T22:13:20Z"""


def written(folder: Path, *lines: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_row_per_moment_and_a_column_per_series(tmp_path: Path) -> None:
    wide = read_wide(written(tmp_path, "time,a,b", f"{T0}.0,1,", f"{T0 + 5},2,3.5"), "1/data.csv")
    assert wide.headers == (("a",), ("b",))
    assert wide.moment(0) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert wide.step == timedelta(seconds=5)
    np.testing.assert_array_equal(wide.values, [[1, np.nan], [2, 3.5]])
    assert wide.notes == ()


def test_the_column_of_times_may_stand_anywhere(tmp_path: Path) -> None:
    wide = read_wide(written(tmp_path, "a,time", f"7,{T0}"), "data.csv")
    assert wide.headers == (("a",),)
    assert wide.values.tolist() == [[7]]


def test_several_header_rows_and_one_that_names_the_times(tmp_path: Path) -> None:
    path = written(tmp_path, "service,x,x", "metric,cpu,mem", "clock,,", f"{T0},1,2")
    wide = read_wide(path, "data.csv", 2)
    assert wide.headers == (("x", "cpu"), ("x", "mem"))
    assert wide.values.tolist() == [[1, 2]]
    without = read_wide(written(tmp_path, "service,x,x", "metric,cpu,mem", f"{T0},1,2"), "data.csv", 2)
    assert without.values.tolist() == [[1, 2]]


def test_rows_are_put_in_order_and_the_unusable_ones_are_counted_without_their_folder(tmp_path: Path) -> None:
    path = written(tmp_path, "time,a", f"{T0 + 1},1", "soon,2", f"{T0},3", f"{T0},4")
    wide = read_wide(path, "told-by-the-folder/data.csv")
    assert wide.values.tolist() == [[4], [1]]
    assert wide.notes == (
        "data.csv: 1 rows without a readable time were left out",
        "data.csv: 1 rows with the time of a later one were left out",
    )


@pytest.mark.parametrize(
    ("lines", "trouble"),
    [
        (("time,a,b", f"{T0},1,2", f"{T0 + 1},1,full"), r"1/data\.csv: column 'b', line 3: 'full' is no number"),
        (("time,a", "soon,1"), r"1/data\.csv: column 'time' holds no readable time \(first: 'soon'\)"),
        (("time,a",), r"1/data\.csv: holds no row under its header"),
        (("time,a", f"{T0},1,2"), r"1/data\.csv: its rows have 3 columns, its header has 2"),
        (("time,a", f"{T0},1", f"{T0},1,2"), r"1/data\.csv: cannot be read \(.*line 3.*\)"),
        (("",), r"1/data\.csv: a header with a time and at least one series is needed"),
        (("time",), r"1/data\.csv: a header with a time and at least one series is needed"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_line(tmp_path: Path, lines: tuple[str, ...], trouble: str) -> None:
    with pytest.raises(CaseError, match=f"^{trouble}$"):
        read_wide(written(tmp_path, *lines), "1/data.csv")


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"^x\.csv: is missing$"):
        read_wide(tmp_path / "x.csv", "x.csv")
    (tmp_path / "x.csv").write_bytes(b"time,\xff\n")
    with pytest.raises(CaseError, match=r"^x\.csv: cannot be read \(.*utf-8.*\)$"):
        read_wide(tmp_path / "x.csv", "x.csv")


def table(first: int, values: list[list[float]], width: int) -> Wide:
    times = (first + np.arange(len(values), dtype=np.int64)) * 1_000_000
    return Wide("x.csv", tuple((str(n),) for n in range(width)), times, np.array(values).reshape(-1, width))


def test_samples_have_the_columns_and_types_of_the_backend() -> None:
    early = table(T0, [[1, np.inf, 9], [2, 3, 9]], 3)
    late = table(T0 + 60, [[np.nan, 4]], 2)
    a, b = Series("s", "a", "%"), Series("t", "b")
    frame = long_frame([(late, [a, b]), (early, [a, b, None])])
    assert tuple(frame.columns) == METRIC_COLUMNS
    assert [str(kind) for kind in frame.dtypes] == ["datetime64[us, UTC]", "str", "str", "str", "float64", "str"]
    assert frame["value"].tolist() == [1, 2, 3, 4]
    assert frame["metric"].tolist() == ["a", "a", "b", "b"]
    assert frame["unit"].tolist() == ["%", "%", "", ""]
    assert frame["timestamp"].is_monotonic_increasing


@given(
    st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), min_size=1, max_size=8),
    st.sets(st.integers(0, 2)),
)
def test_a_sample_for_every_finite_cell_of_a_named_column(values: list[list[float]], nameless: set[int]) -> None:
    wide = table(T0, values, 3)
    frame = long_frame([(wide, [None if n in nameless else Series(f"s{n}", "m") for n in range(3)])])
    expected = [
        (pd.Timestamp(T0 + row, unit="s", tz="UTC"), f"s{column}", wide.values[row, column])
        for row in range(len(values))
        for column in range(3)
        if column not in nameless and np.isfinite(wide.values[row, column])
    ]
    assert list(zip(frame["timestamp"], frame["service"], frame["value"], strict=True)) == expected


def test_a_stretch_is_moved_as_a_whole() -> None:
    wide = table(T0, [[1], [2], [3]], 1)
    moved = wide.rows(1).ending(5_000_000)
    assert moved.times.tolist() == [4_000_000, 5_000_000]
    assert moved.values.tolist() == [[2], [3]]


def test_the_window_reaches_to_just_after_the_last_moment() -> None:
    times = pd.Series(pd.to_datetime([T0 + 0.5, T0 + 7.25], unit="s", utc=True))
    window = window_of([times, times.iloc[:0]])
    assert window.since == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert window.until == datetime(2023, 11, 14, 22, 13, 28, tzinfo=UTC)
