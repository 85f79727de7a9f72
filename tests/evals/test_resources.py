from __future__ import annotations

from pathlib import Path

import pytest

from evals import resources

MEGABYTE = 1_000_000


def test_the_peak_rises_with_what_is_held() -> None:
    resources.reset_peak_memory()
    before = resources.peak_memory_mb()
    held = bytearray(64 * MEGABYTE)
    assert resources.peak_memory_mb() > before + 50
    del held


def test_a_reset_forgets_what_was_given_back() -> None:
    held = bytearray(64 * MEGABYTE)
    high = resources.peak_memory_mb()
    del held
    if resources.reset_peak_memory():
        assert resources.peak_memory_mb() < high - 50


def test_without_proc_the_peak_of_the_whole_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_STATUS", tmp_path / "nothing")
    monkeypatch.setattr(resources, "_CLEAR_REFS", tmp_path / "no" / "folder")
    assert not resources.reset_peak_memory()
    assert resources.peak_memory_mb() > 1
