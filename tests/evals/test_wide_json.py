from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evals.cases import CaseError
from evals.wide_json import read_wide_json

T0 = 1_700_000_000


def written(folder: Path, document: object) -> Path:
    path = folder / "metrics.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "document",
    [
        {"a_cpu": [[T0, 1], [T0 + 1, "2"]], "b_cpu": [[T0 + 1, 4], [T0, 3]]},
        {"time": [T0, T0 + 1], "a_cpu": [1, 2], "b_cpu": [3, 4]},
        {"time": {"0": T0, "1": T0 + 1}, "a_cpu": {"0": 1, "1": 2}, "b_cpu": {"0": 3, "1": 4}},
    ],
)
def test_pairs_lists_and_columns_of_pandas_read_alike(tmp_path: Path, document: object) -> None:
    wide = read_wide_json(written(tmp_path, document), "1/metrics.json")
    assert wide.headers == (("a_cpu",), ("b_cpu",))
    assert wide.times.tolist() == [T0 * 1_000_000, (T0 + 1) * 1_000_000]
    assert wide.values.tolist() == [[1, 3], [2, 4]]


def test_what_one_series_lacks_is_not_a_number(tmp_path: Path) -> None:
    wide = read_wide_json(written(tmp_path, {"a_cpu": [[T0, 1]], "b_cpu": [[T0 + 1, None]]}), "1/metrics.json")
    np.testing.assert_array_equal(wide.values, [[1, np.nan], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("document", "trouble"),
    [
        ([1], "an object with one key per series is needed"),
        ({"time": [T0]}, "an object with one key per series is needed"),
        ({"a_cpu": [[T0, "full"]]}, "key 'a_cpu' holds a value that is no number .*"),
        ({"a_cpu": [T0]}, "key 'a_cpu': a list of .time, value. is needed"),
        ({"time": [T0], "a_cpu": [1, 2]}, "key 'a_cpu' has 2 values for 1 times"),
        ({"a_cpu": [["soon", 1]]}, "holds no readable time"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(tmp_path: Path, document: object, trouble: str) -> None:
    with pytest.raises(CaseError, match=rf"^1/metrics\.json: {trouble}$"):
        read_wide_json(written(tmp_path, document), "1/metrics.json")


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"^m\.json: cannot be read \(No such file or directory\)$"):
        read_wide_json(tmp_path / "m.json", "m.json")
    (tmp_path / "m.json").write_text("{", encoding="utf-8")
    with pytest.raises(CaseError, match=r"^m\.json: is not JSON "):
        read_wide_json(tmp_path / "m.json", "m.json")
