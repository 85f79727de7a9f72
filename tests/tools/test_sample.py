from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tools.sample import Sample, group_keys, row_keys


def filled(limit: int, count: int, batch: int = 1_000) -> Sample:
    sample = Sample(limit)
    for first in range(0, count, batch):
        frame = pd.DataFrame({"row": np.arange(first, first + batch)})
        sample.add(frame, row_keys(first, batch))
    return sample


def test_below_the_limit_every_row_stays() -> None:
    sample = filled(10_000, 5_000)
    frame = sample.frame()
    assert frame is not None
    assert frame["row"].tolist() == list(range(5_000))
    assert sample.kept == sample.offered == 5_000


@pytest.mark.parametrize("step", [2, 3, 7, 10])
def test_above_it_rows_are_thinned_evenly_over_the_file_and_within_every_nth(step: int) -> None:
    sample = filled(10_000, 100_000)
    frame = sample.frame()
    assert frame is not None
    assert sample.offered == 100_000
    assert 5_000 < sample.kept <= 10_000
    over_file = np.histogram(frame["row"], bins=20, range=(0, 100_000))[0]
    assert over_file.min() > 0.9 * over_file.max()
    within = np.bincount(frame["row"] % step)
    assert within.min() > 0.9 * within.max()


def test_the_sample_is_the_same_however_the_rows_come_in() -> None:
    one, other = filled(3_000, 20_000, batch=20_000).frame(), filled(3_000, 20_000, batch=500).frame()
    assert one is not None
    assert other is not None
    assert one["row"].tolist() == other["row"].tolist()


def test_groups_stay_whole() -> None:
    sample = Sample(500)
    for batch in range(20):
        names = [f"trace-{batch * 20 + k // 5}" for k in range(100)]
        sample.add(pd.DataFrame({"trace": names}), group_keys(names))
    frame = sample.frame()
    assert frame is not None
    assert 0 < len(frame) <= 500
    assert set(frame["trace"].value_counts()) == {5}


def test_nothing_in_nothing_out() -> None:
    assert Sample(5).frame() is None
