"""A process that is killed anywhere loses nothing and does nothing twice."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import agent.graph
from agent.errors import ConflictError
from agent.incident import IncidentStatus, Source
from agent.nodes import propose_mitigation
from agent.state import Branch
from agent.step import as_node
from tests.agent.investigations import (
    CountingOperations,
    Opened,
    one_mitigation,
    small_alert,
    small_backend,
    with_operations,
)

LATER = timedelta(minutes=1)
"""Long enough for the dead process's lease to run out, too short for the approval to expire."""

STEPS = (
    "triage",
    "gather",
    "correlate",
    "hypothesize",
    "probe",
    "diagnose",
    "propose_mitigation",
    "request_approval",
    "mitigate",
    "verify_recovery",
    "write_postmortem",
)
FORK = multiprocessing.get_context("fork")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(node: Callable[..., Any], at: str) -> Callable[..., Any]:
    """The node as it is registered, killed at its start, or at its end before the checkpoint knows of it."""

    def wrapped(state: Any, **runtime: Any) -> Any:
        strikes = not isinstance(state, Branch) or state.source is Source.LOGS
        if strikes and at == "start":
            die()
        result = node(state, **runtime)
        if strikes:
            die()
        return result

    if node is agent.graph.request_approval:
        return lambda state: wrapped(state)
    return lambda state, runtime: wrapped(state, runtime=runtime)


def run_until_killed(folder: Path, incident: str, name: str, at: str) -> None:
    """In a process of its own: one run in which one node is deadly."""

    def deadly_as_node(work: Callable[..., Any], name_of: Callable[..., str] | None = None) -> Callable[..., Any]:
        return deadly(as_node(work, name_of), at) if work.__name__ == name else as_node(work, name_of)

    agent.graph.as_node = deadly_as_node  # type: ignore[assignment]
    if name == "request_approval":
        agent.graph.request_approval = deadly(agent.graph.request_approval, at)  # type: ignore[assignment]
    run_once(folder, incident)


def run_once(folder: Path, incident: str, operations: CountingOperations | None = None) -> None:
    propose_mitigation.propose = one_mitigation
    backend = with_operations(small_backend(folder), operations or CountingOperations(folder / "ledger"))
    with Opened(folder) as opened:
        opened.runner.run(incident, backend)


def in_a_process(target: Callable[..., None], *arguments: object) -> int | None:
    process = FORK.Process(target=target, args=arguments)
    process.start()
    process.join()
    return process.exitcode


@pytest.fixture
def incident(tmp_path: Path) -> str:
    with Opened(tmp_path) as opened:
        return opened.runner.open(small_alert()).id


def resume(folder: Path, incident: str, operations: CountingOperations | None = None) -> Opened:
    """Approve what waits and run to the end, as another process would after the dead one's lease ran out."""
    backend = with_operations(small_backend(folder), operations or CountingOperations(folder / "ledger"))
    opened = Opened(folder, ahead=LATER)
    if opened.runner.run(incident, backend).status == "awaiting_approval":
        opened.decide(incident)
        assert opened.runner.run(incident, backend).status == "finished"
    return opened


@pytest.mark.parametrize("at", ["start", "end"])
@pytest.mark.parametrize("name", STEPS)
def test_killed_in_a_node_it_resumes_without_doing_anything_twice(
    tmp_path: Path, incident: str, name: str, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propose_mitigation, "propose", one_mitigation)
    if STEPS.index(name) > STEPS.index("propose_mitigation") and (name, at) != ("request_approval", "start"):
        assert in_a_process(run_once, tmp_path, incident) == 0
        with Opened(tmp_path) as opened:
            opened.decide(incident)
    assert in_a_process(run_until_killed, tmp_path, incident, name, at) == -signal.SIGKILL

    with resume(tmp_path, incident) as opened:
        assert opened.store.verify_timeline(incident) is None
        told = Counter((e.node, e.kind, e.text) for e in opened.store.timeline(incident) if e.node)
        assert [entry for entry, times in told.items() if times > 1] == []
        assert {node for node, _, _ in told} == set(STEPS)
        approvals = opened.store.approvals(incident_id=incident)
        assert len(approvals) == 1
        assert opened.store.action(approvals[0].request.id) is not None
        assert CountingOperations(tmp_path / "ledger").performed == 1
        assert opened.store.incident(incident).status is IncidentStatus.INVESTIGATING


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_acting_the_outcome_is_unknown_and_nothing_is_repeated(
    tmp_path: Path, incident: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propose_mitigation, "propose", one_mitigation)
    assert in_a_process(run_once, tmp_path, incident) == 0
    with Opened(tmp_path) as opened:
        approval = opened.decide(incident)
    ledger = tmp_path / "ledger"
    deadly_hands = CountingOperations(ledger, **{moment: die})  # type: ignore[arg-type]
    assert in_a_process(run_once, tmp_path, incident, deadly_hands) == -signal.SIGKILL
    done = CountingOperations(ledger).performed
    assert done == (1 if moment == "after" else 0)

    with Opened(tmp_path, ahead=timedelta(minutes=11)) as opened:
        backend = with_operations(small_backend(tmp_path), CountingOperations(ledger))
        assert opened.runner.run(incident, backend).status == "finished"
        assert CountingOperations(ledger).performed == done, "what may have been done is not done again"
        action = opened.store.action(approval)
        assert action is not None
        assert action.result is None
        assert any("outcome unknown, not repeated" in text for text in opened.texts(incident, "mitigate"))
        assert opened.store.verify_timeline(incident) is None


def test_only_one_of_two_processes_investigates(tmp_path: Path, incident: str) -> None:
    """The other one is refused at once, and the first goes on undisturbed."""
    inside, go_on = FORK.Event(), FORK.Event()

    def slow_run() -> None:
        def wait() -> None:
            inside.set()
            assert go_on.wait(30)

        propose_mitigation.propose = one_mitigation
        original = agent.graph.triage

        def triage(state: Any, desk: Any) -> Any:
            wait()
            return original(state, desk)

        agent.graph.triage = triage  # type: ignore[assignment]
        with Opened(tmp_path) as opened:
            opened.runner.run(incident, small_backend(tmp_path))

    process = FORK.Process(target=slow_run)
    process.start()
    assert inside.wait(30)
    with Opened(tmp_path) as opened:
        with pytest.raises(ConflictError, match="another process"):
            opened.runner.run(incident, small_backend(tmp_path))
        assert opened.texts(incident, "triage") == []
        go_on.set()
        process.join()
        assert process.exitcode == 0
        assert opened.store.verify_timeline(incident) is None
        assert len(opened.store.approvals(incident_id=incident)) == 1


def test_a_process_that_lost_its_lease_writes_nothing_more(tmp_path: Path, incident: str) -> None:
    """It slept through its lease; by the time it wakes, another process has finished the work."""
    with Opened(tmp_path) as late, Opened(tmp_path, ahead=timedelta(hours=2)) as other:
        original = agent.graph.correlate
        finished: list[int] = []

        def correlate(state: Any, desk: Any) -> Any:
            if not finished:
                finished.append(0)
                other.runner.run(incident, small_backend(tmp_path))
                finished[0] = len(other.store.timeline(incident))
            return original(state, desk)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agent.graph, "correlate", correlate)
            with pytest.raises(ConflictError, match="lost the lease"):
                late.runner.run(incident, small_backend(tmp_path))
        assert len(other.store.timeline(incident)) == finished[0]
        assert other.store.verify_timeline(incident) is None
