from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agent.settings import cache_folder
from evals import cache
from evals.cache import cached

TIMES = pd.to_datetime(pd.Series([1_900_000_000_000_001, 5]), unit="us", utc=True)
FRAMES = {
    "rows": pd.DataFrame(
        {
            "time": TIMES,
            "plain": pd.Series(["ä\n", ""], dtype="str"),
            "group": pd.Series(["b", "b"], dtype="str").astype("category"),
            "value": [0.1, float("nan")],
            "count": pd.Series([2**62, -1], dtype="int64"),
            "yes": [True, False],
        }
    ),
    "none": pd.DataFrame(
        {"time": TIMES[:0], "plain": pd.Series([], dtype="str"), "value": pd.Series([], dtype="float64")}
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "whydown" / "evals"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    return path


class Build:
    """Counts how often the frames had to be made."""

    def __init__(self, frames: dict[str, pd.DataFrame] | None = None) -> None:
        self.frames = FRAMES if frames is None else frames
        self.calls = 0

    def __call__(self) -> dict[str, pd.DataFrame]:
        self.calls += 1
        return self.frames


def same(left: dict[str, pd.DataFrame], right: dict[str, pd.DataFrame]) -> None:
    assert list(left) == list(right)
    for name, frame in left.items():
        pd.testing.assert_frame_equal(frame, right[name])


def test_frames_come_back_with_the_same_values_and_types(source: Path) -> None:
    build = Build()
    same(cached([source], "v1", build), FRAMES)
    same(cached([source], "v1", build), FRAMES)
    assert build.calls == 1


def test_equal_texts_share_their_memory(source: Path) -> None:
    frame = pd.DataFrame({"body": pd.Series(["a long line", "a long " + "line"], dtype="str")})
    cached([source], "v1", Build({"f": frame}))
    first, second = cached([source], "v1", Build())["f"]["body"]
    assert first is second


def test_a_missing_text_stays_missing(source: Path) -> None:
    frame = pd.DataFrame({"body": pd.Series(["x", None], dtype="str")})
    for _ in range(2):
        found = cached([source], "v1", Build({"f": frame}))["f"]["body"]
        assert found.isna().to_list() == [False, True]


def test_other_bytes_another_version_or_another_set_of_files_are_parsed_anew(source: Path, tmp_path: Path) -> None:
    build = Build()
    other = tmp_path / "other.csv"
    other.write_text("a,b\n3,4\n", encoding="utf-8")
    cached([source], "v1", build)
    for files, version in (
        ([source], "v2"),
        ([other], "v1"),
        ([source, other], "v1"),
        ([other, source], "v1"),
        ([], "v1"),
    ):
        cached(files, version, build)
    assert build.calls == 6
    source.write_text("a,b\n1,22\n", encoding="utf-8")
    cached([source], "v1", build)
    assert build.calls == 7


def test_the_same_bytes_in_another_place_are_known(source: Path, tmp_path: Path) -> None:
    build = Build()
    cached([source], "v1", build)
    cached([source.rename(tmp_path / "moved.csv")], "v1", build)
    assert build.calls == 1


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = content.index(struct.pack("<d", 0.1))
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda _: b"", lambda _: b"not a cache", lambda c: c[:-1]])
def test_a_damaged_file_is_made_anew(source: Path, folder: Path, damage: Callable[[bytes], bytes]) -> None:
    build = Build()
    cached([source], "v1", build)
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    same(cached([source], "v1", build), FRAMES)
    assert build.calls == 2
    same(cached([source], "v1", build), FRAMES)
    assert build.calls == 2


def test_a_file_of_another_layout_is_made_anew(source: Path, folder: Path) -> None:
    build = Build()
    cached([source], "v1", build)
    (path,) = folder.iterdir()
    for arrays in ({"x": np.zeros(1)}, {"manifest": np.frombuffer(b"[1]", dtype=np.uint8)}):
        with path.open("wb") as into:
            np.savez(into, allow_pickle=False, **arrays)
        same(cached([source], "v1", build), FRAMES)
    assert build.calls == 3


def test_nothing_is_left_beside_a_finished_file(source: Path, folder: Path) -> None:
    cached([source], "v1", Build())
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


def test_a_write_that_fails_costs_time_only(source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    same(cached([source], "v1", Build()), FRAMES)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_time_only(source: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder", encoding="utf-8")
    same(cached([source], "v1", Build()), FRAMES)


def test_a_type_that_cannot_be_kept_is_refused_by_name(source: Path, folder: Path) -> None:
    frame = pd.DataFrame({"odd": pd.Series([{}], dtype="object")})
    with pytest.raises(TypeError, match=r"^f\.odd is object"):
        cached([source], "v1", Build({"f": frame}))
    assert not folder.exists()


def test_a_source_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cached([tmp_path / "gone.csv"], "v1", Build())


def test_no_pickle_is_ever_read(source: Path, folder: Path) -> None:
    build = Build()
    cached([source], "v1", build)
    (path,) = folder.iterdir()
    with path.open("wb") as into:
        np.savez(into, manifest=np.array([{"a": 1}], dtype=object))
    same(cached([source], "v1", build), FRAMES)
    assert build.calls == 2


@pytest.mark.parametrize("named", ["", "relative/path"])
def test_without_a_usable_setting_the_cache_lies_in_the_home(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert cache_folder() == Path.home() / ".cache" / "whydown"


def test_a_file_is_hashed_once_per_process(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached([source], "v1", Build())
    monkeypatch.setattr(cache.hashlib, "file_digest", None)
    cached([source], "v2", Build())
