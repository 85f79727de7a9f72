"""What other processes do to a store in the tests: they race, and they are killed. Imported by spawned processes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from agent.errors import ConflictError
from agent.store import Store
from tests.agent.store_samples import Clock, alert, approval_request, draft, evidence, incident_in, says

ROUNDS = 12
TTL = timedelta(minutes=5)


def race(url: str, name: str, start: Barrier, results: Queue[tuple[str, int, str, object]]) -> None:
    """Take part in every race of every round, each started at the same moment in all processes."""
    with Store.open(url, Clock()) as store:
        for number in range(ROUNDS):
            for what, attempt in _races(store, number, name).items():
                start.wait(30)
                results.put((what, number, name, attempt()))


def _races(store: Store, number: int, name: str) -> dict[str, Callable[[], object]]:
    incident, fresh = f"service-{number}", f"new-{number}"

    def id_of() -> str:
        return incident_in(store, incident)

    def decide() -> object:
        verdict = "approve" if int(name) % 2 else "reject"
        request = approval_request(id_of(), f"A{number}")
        try:
            return store.decide(f"A{number}", says(verdict, by=f"person {name}", request=request)).status.value
        except ConflictError:
            return None

    return {
        "create": lambda: store.create_incident(alert(fresh))[1],
        "acquire": lambda: store.acquire(id_of(), name, TTL) is not None,
        "decide": decide,
        "claim": lambda: store.claim_action(
            id_of(), f"B{number}", approval_request(id_of(), target="price").digest, None
        ),
        "append": lambda: [
            entry.seq for entry in store.append(id_of(), [draft("mine"), draft("ours", f"k{number}")], None)
        ],
    }


def write_until_killed(url: str, incident: str) -> None:
    """Append, keep evidence and tell each acknowledged sequence number on standard output, for ever."""
    with Store.open(url) as store:
        while True:
            entries = store.append(incident, [draft("one"), draft("two"), draft("three")], None)
            result = [entries[-1].seq]
            value = evidence(result).model_copy(update={"id": f"E{result[0]}"})
            store.put_evidence(incident, value, result)
            print(result[0], flush=True)  # noqa: T201


def claim_and_hang(url: str, incident: str) -> None:
    """Claim an approved action as a leaseholder, say so, and never finish it."""
    with Store.open(url, lambda: datetime(2026, 6, 18, 15, 2, tzinfo=UTC)) as store:
        lease = store.acquire(incident, "doomed", TTL)
        print(store.claim_action(incident, "A1", approval_request(incident).digest, lease), flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    {"write": write_until_killed, "claim": claim_and_hang}[sys.argv[1]](*sys.argv[2:])
