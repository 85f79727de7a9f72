from __future__ import annotations

import numpy as np

from agent.analysis.metrics.naming import read_name
from agent.analysis.metrics.presence import presences
from agent.analysis.metrics.series import Series
from tests.agent.analysis.metric_frames import index_of, minutes


def _series(service: str, metric: str, first: int, last: int) -> Series:
    times = minutes(last)[first:]
    return Series(service, metric, read_name(metric), "", times, np.full(len(times), 5.0))


def test_a_service_that_falls_silent_is_gone_and_that_hurts() -> None:
    found = presences([_series("web", "cpu", 0, 90), _series("api", "cpu", 0, 60), _series("api", "heap_mb", 0, 60)])
    assert found[0] is None
    for one in found[1:]:
        assert one is not None
        assert (index_of(one.onset), one.onset.shape, one.onset.direction, one.harmful) == (60, "gone", "down", True)


def test_one_series_of_a_service_may_end_without_harm() -> None:
    found = presences([_series("web", "cpu", 0, 90), _series("web", "heap_mb", 0, 60)])
    assert found[1] is not None
    assert not found[1].harmful


def test_errors_that_are_counted_from_their_first_on_have_appeared() -> None:
    found = presences([_series("web", "cpu", 0, 90), _series("web", "errors_per_min", 70, 90)])
    assert found[1] is not None
    assert (index_of(found[1].onset), found[1].onset.shape, found[1].harmful) == (70, "new", True)


def test_a_whole_new_service_is_no_appearance() -> None:
    assert presences([_series("web", "cpu", 0, 90), _series("canary", "cpu", 60, 90)]) == [None, None]


def test_a_late_scrape_is_no_silence_and_a_short_series_is_not_judged() -> None:
    assert presences([_series("web", "cpu", 0, 90), _series("api", "cpu", 0, 87)]) == [None, None]
    assert presences([_series("web", "cpu", 0, 90), _series("api", "cpu", 0, 8)]) == [None, None]
    assert presences([]) == []


def test_gaps_that_are_usual_for_a_series_are_no_silence() -> None:
    sparse = _series("api", "cpu", 0, 90)
    kept = np.r_[0:20, 40:60, 80:82]
    sparse = Series("api", "cpu", sparse.meaning, "", sparse.times[kept], sparse.values[kept])
    assert presences([_series("web", "cpu", 0, 110), sparse]) == [None, None]
