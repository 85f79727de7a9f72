"""Correlate: one picture, in the order in which things began."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent import documents
from agent.analysis.observed import Observations, PathBreak
from agent.incident import Query, TimelineKind
from agent.nodes import correlate as correlate_module
from agent.nodes.correlate import correlate
from tests.agent.analysis.faults.sightings import broken
from tests.agent.investigations import Opened, gathered, small_backend


def test_it_merges_and_tells_in_order_of_onset(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        step = correlate(gathered(desk), desk)
        seen = desk.get(documents.OBSERVATIONS, Observations)
        assert {signal.kind.value for signal in seen.signals} == {"metric", "log", "span"}
        assert seen.changes
        assert seen.edges
        assert seen.runbooks
        told = step.entries[1:]
        assert [entry.at for entry in told] == sorted(entry.at for entry in told if entry.at)
        assert {entry.kind for entry in told} == {TimelineKind.SIGNAL, TimelineKind.CHANGE}
        assert all(entry.evidence[0] in desk.known_evidence() for entry in told)


def test_it_says_how_many_it_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate_module, "SIGNALS_TOLD", 1)
    monkeypatch.setattr(correlate_module, "CHANGES_TOLD", 1)
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        step = correlate(gathered(desk), desk)
        more = len(desk.get(documents.OBSERVATIONS, Observations).signals) - 1
        assert f"of which 1 are told here and {more} more are in the observations" in step.entries[0].text
        assert "1 earlier ones not told here" in step.entries[0].text
        assert len(step.entries) == 3


def test_it_joins_lines_and_spans_to_see_where_requests_leave_their_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[object, ...]] = []

    def observe(*arguments: object) -> tuple[PathBreak, ...]:
        given.append(arguments)
        return (broken("inventory", 9.0),)

    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        lines, spans = (desk.frame_of(Query(tool=tool), state.window) for tool in ("log_lines", "spans"))
        monkeypatch.setattr(correlate_module, "observe_paths", observe)
        correlate(state, desk)
        (arguments,) = given
        assert (arguments[0] is lines, arguments[1] is spans) == (True, True)
        assert arguments[2:] == (desk.alert, state.window, state.split)
        assert desk.get(documents.OBSERVATIONS, Observations).breaks == (broken("inventory", 9.0),)
        assert desk.frame_of(Query(tool="spans"), state.window) is not spans  # let go: nobody needs them any more


def test_a_source_that_is_gone_leaves_the_other_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(correlate_module, "observe_paths", lambda lines, *_: given.append(lines) or ())
    with Opened(tmp_path) as opened:
        desk = opened.desk(replace(small_backend(tmp_path), logs=None))
        correlate(gathered(desk), desk)
        assert given[-1] is None
        assert desk.get(documents.OBSERVATIONS, Observations).breaks == ()


def test_without_a_window_or_a_split_there_is_no_path_to_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        monkeypatch.setattr(correlate_module, "observe_paths", lambda *_: pytest.fail("nothing to observe"))
        for missing in ("window", "split"):
            correlate(state.model_copy(update={missing: None}), desk)
            assert desk.get(documents.OBSERVATIONS, Observations).breaks == ()
