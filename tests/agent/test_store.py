"""What must hold when several processes use one store, and when one of them dies."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.approval import ApprovalStatus
from agent.errors import ConflictError
from agent.store import Store
from tests.agent import store_workers
from tests.agent.store_samples import MINUTE, Clock, alert, approval_request, draft, incident_in, says, url_of

PROCESSES = 4
Outcomes = dict[str, dict[int, dict[str, object]]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), Clock()) as opened:
        yield opened


def prepare(store: Store) -> None:
    """Per round: an incident with one request to decide (A) and one approved operation to claim (B)."""
    for number in range(store_workers.ROUNDS):
        incident = incident_in(store, f"service-{number}")
        store.request_approval(approval_request(incident, f"A{number}"))
        price = approval_request(incident, f"B{number}", "price")
        store.request_approval(price)
        store.decide(f"B{number}", says("approve", request=price))


def run_races(url: str) -> Outcomes:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(PROCESSES), context.Queue()
    workers = [
        context.Process(target=store_workers.race, args=(url, str(number), start, results))
        for number in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    outcomes: Outcomes = defaultdict(lambda: defaultdict(dict))
    for _ in range(PROCESSES * store_workers.ROUNDS * 5):
        what, number, name, outcome = results.get(timeout=60)
        outcomes[what][number][name] = outcome
    for worker in workers:
        worker.join()
        worker.close()
    results.close()
    return outcomes


def test_of_several_processes_exactly_one_wins_every_race(store: Store, tmp_path: Path) -> None:
    prepare(store)
    outcomes = run_races(url_of(tmp_path))
    for what in ("create", "acquire", "decide", "claim"):
        winners = [[won for won in by_name.values() if won] for by_name in outcomes[what].values()]
        assert [len(won) for won in winners] == [1] * store_workers.ROUNDS, what
    for number in range(store_workers.ROUNDS):
        (word,) = [word for word in outcomes["decide"][number].values() if word]
        assert store.approval(f"A{number}").status.value == word
        assert len(store.approval(f"A{number}").decisions) == 1
        incident = incident_in(store, f"service-{number}")
        assert store.verify_timeline(incident) is None
        texts = [entry.text for entry in store.timeline(incident)]
        assert sorted(texts) == ["mine"] * PROCESSES + ["ours"]


def test_threads_that_share_a_store_write_one_chain(store: Store) -> None:
    incident = incident_in(store)
    start = threading.Barrier(8)

    def write(name: int) -> list[int]:
        start.wait(10)
        return [store.append(incident, [draft(f"{name}")], None)[0].seq for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        numbers = [seq for seqs in pool.map(write, range(8)) for seq in seqs]
    assert sorted(numbers) == list(range(1, 81))
    assert store.verify_timeline(incident) is None


def test_threads_race_for_a_decision_that_needs_two(store: Store) -> None:
    incident = incident_in(store)
    store.request_approval(approval_request(incident, approvers=2))
    start = threading.Barrier(6)

    def say(name: int) -> ApprovalStatus | None:
        start.wait(10)
        try:
            return store.decide("A1", says("approve", by=f"person {name}")).status
        except ConflictError:
            return None

    with ThreadPoolExecutor(6) as pool:
        heard = list(pool.map(say, range(6)))
    assert sorted(word.value for word in heard if word) == ["approved", "pending"]
    assert len(store.approved("A1")) == 2


def start_worker(what: str, folder: Path, incident: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.agent.store_workers", what, url_of(folder), incident]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with Store.open(url_of(tmp_path)) as store:
        incident = incident_in(store)
    for acknowledgements in (1, 25, 60):
        with start_worker("write", tmp_path, incident) as worker:
            assert worker.stdout is not None
            told = [int(worker.stdout.readline()) for _ in range(acknowledgements)]
            worker.kill()
            told += [int(line) for line in worker.stdout if line.endswith("\n")]
        with Store.open(url_of(tmp_path)) as store:
            entries = store.timeline(incident)
            assert store.verify_timeline(incident) is None
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            assert len(entries) >= told[-1]
            assert len(entries) % 3 == 0  # all three of a call, or none
            assert {f"E{seq}" for seq in told} <= {found.id for found in store.evidence_list(incident)}
            assert store.evidence(incident, f"E{told[-1]}")[1] == [told[-1]]


def test_an_action_claimed_by_a_killed_process_is_never_repeated(store: Store, tmp_path: Path) -> None:
    incident = incident_in(store)
    store.request_approval(approval_request(incident))
    store.decide("A1", says("approve"))
    with start_worker("claim", tmp_path, incident) as worker:
        assert worker.stdout is not None
        key = worker.stdout.readline().strip()
        worker.kill()
    action = store.action("A1")
    assert action is not None
    assert (action.key, action.result) == (key, None)
    assert store.claim_action(incident, "A1", approval_request(incident).digest, None) is None
    assert store.acquire(incident, "successor", MINUTE) is None


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    incident = incident_in(store)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            store.append(incident, [draft("a"), draft("b")], None)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            checks = [store.verify_timeline(incident) for _ in range(50)]
        finally:
            stop.set()
        writing.result()
    assert checks == [None] * 50


def test_without_a_clock_the_store_uses_the_time_of_day(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    with Store.open(url_of(tmp_path)) as store:
        incident, _ = store.create_incident(alert())
        (entry,) = store.append(incident.id, [draft()], None)
    assert before <= entry.at <= datetime.now(UTC)
