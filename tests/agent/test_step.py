"""What is true of every node."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from langgraph.runtime import Runtime

from agent.incident import TimelineKind
from agent.investigation import Investigation
from agent.state import IncidentState
from agent.step import Step, as_node
from agent.store import TimelineDraft
from agent.time_limit import Stopped
from tests.agent.investigations import Opened, small_backend


def tell_two(state: IncidentState, desk: Investigation) -> Step:
    kind = TimelineKind.STATUS
    return Step({"tool_calls": 2}, [TimelineDraft(kind=kind, text="one"), TimelineDraft(kind=kind, text="two")])


def test_it_is_timed_and_tells_once_however_often_it_runs(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        node, state = as_node(tell_two), IncidentState(incident=desk.incident)
        for _ in range(2):
            changes = node(state, Runtime(context=desk))
            assert changes["tool_calls"] == 2
            assert changes["seconds"].keys() == {"tell_two"}
        first, second = opened.store.timeline(desk.incident)[1:]
        assert [(e.text, e.node) for e in (first, second)] == [("one", "tell_two"), ("two", "tell_two")]
        assert isinstance(first.took, timedelta)
        assert second.took is None


def test_branches_of_one_node_tell_each_their_own(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        for name in ("left", "right"):
            node = as_node(tell_two, lambda _, name=name: f"tell.{name}")
            node(IncidentState(incident=desk.incident), Runtime(context=desk))
        assert opened.texts(desk.incident, "tell_two") == ["one", "two", "one", "two"]


def test_it_does_not_start_when_told_to_stop(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        desk.stop.set()
        with pytest.raises(Stopped):
            as_node(tell_two)(IncidentState(incident=desk.incident), Runtime(context=desk))
        assert opened.texts(desk.incident, "tell_two") == []
