"""A nudge, then a stop."""

from __future__ import annotations

import pytest

from agent.budget import Budget
from agent.settings import Settings
from agent.state import IncidentState


@pytest.mark.parametrize(
    ("calls", "seconds", "nudged", "spent"),
    [
        (0, 0.0, False, False),
        (7, 0.0, False, False),
        (8, 0.0, True, False),
        (10, 0.0, True, True),
        (0, 90.0, True, False),
        (0, 101.0, True, True),
    ],
)
def test_calls_and_seconds_of_earlier_nodes_count(calls: int, seconds: float, nudged: bool, spent: bool) -> None:
    settings = Settings(store="sqlite:///x.db", budget_tool_calls=10, budget_seconds=100)
    state = IncidentState(incident="i", tool_calls=calls, seconds={"triage": seconds})
    budget = Budget(settings, state)
    assert (budget.nudged, budget.spent) == (nudged, spent)


def test_calls_of_this_node_count_at_once() -> None:
    budget = Budget(Settings(store="sqlite:///x.db", budget_tool_calls=2), IncidentState(incident="i"))
    budget.calls += 2
    assert budget.spent
    assert str(budget) == "budget of 2 tool calls and 300 s"


def test_branches_side_by_side_count_once() -> None:
    seconds = {"triage": 1.0, "gather.logs": 5.0, "gather.metrics": 3.0, "diagnose": 0.5}
    assert IncidentState(incident="i", seconds=seconds).working_seconds == 6.5
