"""What is saved of servers is read again as it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evals.shop.saving import save
from tools.recorded import read_recording, recorded_backend

RECORDED = Path(__file__).parents[3] / "fixtures" / "recordings" / "story-page-slow"


def test_a_saved_window_reads_as_it_was(tmp_path: Path) -> None:
    recording = read_recording(RECORDED)
    save(recorded_backend(recording), recording.window, recording.alert, tmp_path / "copy")
    copy = read_recording(tmp_path / "copy")
    assert copy.alert == recording.alert
    assert copy.changes == recording.changes
    for name in ("metrics", "logs", "spans"):
        pd.testing.assert_frame_equal(getattr(copy, name), getattr(recording, name), rtol=1e-5)


def test_the_same_window_gives_the_same_bytes(tmp_path: Path) -> None:
    recording = read_recording(RECORDED)
    for name in ("one", "two"):
        save(recorded_backend(recording), recording.window, recording.alert, tmp_path / name)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
