from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import CallerError, ConflictError
from agent.incident import IncidentStatus, Severity
from agent.leases import Lease
from agent.store import Store
from tests.agent.store_samples import START, Clock, approval_request, draft, evidence, incident_in, plain, says, url_of
from tools.evidence import OperationResult

TTL = timedelta(seconds=30)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), clock) as opened:
        yield opened


def taken(store: Store, incident: str, holder: str = "one") -> Lease:
    lease = store.acquire(incident, holder, TTL)
    assert lease is not None
    return lease


def test_one_holder_at_a_time(store: Store) -> None:
    incident = incident_in(store)
    lease = taken(store, incident)
    assert lease == Lease(incident=incident, holder="one", token=1, expires_at=START + TTL)
    assert store.acquire(incident, "two", TTL) is None
    assert store.acquire(incident, "one", TTL) is None
    assert store.acquire(incident_in(store, "web"), "two", TTL) is not None


def test_the_token_grows_with_every_holder(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    first = taken(store, incident)
    clock.forward(TTL)
    second = taken(store, incident, "two")
    store.release(second)
    third = taken(store, incident, "one")
    assert [first.token, second.token, third.token] == [1, 2, 3]


def test_a_lease_is_free_exactly_when_its_time_is_over(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    taken(store, incident)
    clock.forward(TTL - timedelta(microseconds=1))
    assert store.acquire(incident, "two", TTL) is None
    clock.forward(timedelta(microseconds=1))
    assert store.acquire(incident, "two", TTL) is not None


def test_renewing_keeps_it(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    lease = taken(store, incident)
    clock.forward(TTL / 2)
    renewed = store.renew(lease, TTL)
    assert (renewed.token, renewed.expires_at) == (lease.token, START + TTL * 1.5)
    clock.forward(TTL * 0.75)
    assert store.acquire(incident, "two", TTL) is None
    store.append(incident, [draft()], lease)


def test_a_holder_that_overslept_goes_on_while_nobody_else_came(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    lease = taken(store, incident)
    clock.forward(TTL * 10)
    store.append(incident, [draft()], lease)
    assert store.renew(lease, TTL).token == lease.token


def test_a_lease_given_back_is_stale_and_giving_it_back_again_harms_nobody(store: Store) -> None:
    incident = incident_in(store)
    lease = taken(store, incident)
    store.release(lease)
    store.release(lease)
    second = taken(store, incident, "two")
    store.release(lease)
    store.append(incident, [draft()], second)
    with pytest.raises(ConflictError, match="one lost the lease"):
        store.append(incident, [draft()], lease)


def test_a_lease_covers_its_own_incident_only(store: Store) -> None:
    lease = taken(store, incident_in(store))
    with pytest.raises(ConflictError, match="does not cover"):
        store.append(incident_in(store, "web"), [draft()], lease)


def test_a_lease_nobody_gave_out_is_refused(store: Store) -> None:
    incident = incident_in(store)
    lease = taken(store, incident)
    for forged in ({"token": 2}, {"token": 0, "holder": ""}, {"holder": "two"}):
        with pytest.raises(ConflictError, match="lost the lease"):
            store.append(incident, [draft()], lease.model_copy(update=forged))


def test_a_holder_has_a_name_and_an_incident_exists(store: Store) -> None:
    with pytest.raises(CallerError, match="names nobody"):
        store.acquire(incident_in(store), "", TTL)
    with pytest.raises(CallerError, match="there is no incident"):
        store.acquire("inc-none", "one", TTL)


DONE = OperationResult(outcome="done", detail="done")
DIGEST = approval_request("x").digest

WRITES: dict[str, Callable[[Store, str, Lease], object]] = {
    "set_status": lambda store, incident, lease: store.set_status(incident, IncidentStatus.STABLE, lease),
    "set_severity": lambda store, incident, lease: store.set_severity(incident, Severity.SEV1, lease),
    "set_times": lambda store, incident, lease: store.set_times(incident, acknowledged_at=START, lease=lease),
    "append": lambda store, incident, lease: store.append(incident, [draft()], lease),
    "put_evidence": lambda store, incident, lease: store.put_evidence(incident, evidence(), [1, 2], lease),
    "put_document": lambda store, incident, lease: store.put_document(incident, "ranking", "{}", lease),
    "request_approval": lambda store, incident, lease: store.request_approval(
        approval_request(incident, "A2", "checkout"), lease
    ),
    "claim_action": lambda store, incident, lease: store.claim_action(incident, "A1", DIGEST, lease),
    "finish_action": lambda store, incident, lease: store.finish_action(_key(store), DONE, lease),
    "renew": lambda store, _incident, lease: store.renew(lease, TTL),
}


def _key(store: Store) -> str:
    action = store.action("A3")
    assert action is not None
    return action.key


def prepared(store: Store) -> str:
    """An incident on which every one of WRITES would do something."""
    incident = incident_in(store)
    store.request_approval(approval_request(incident))
    store.decide("A1", says("approve"))
    asked = approval_request(incident, "A3", "price")
    store.request_approval(asked)
    store.decide("A3", says("approve", request=asked))
    store.claim_action(incident, "A3", asked.digest, None)
    return incident


def everything(folder: Path) -> list[str]:
    connection = plain(folder)
    dump = list(connection.iterdump())
    connection.close()
    return dump


@pytest.mark.parametrize("write", WRITES)
def test_a_stale_lease_writes_nothing(store: Store, clock: Clock, tmp_path: Path, write: str) -> None:
    incident = prepared(store)
    stale = taken(store, incident)
    clock.forward(TTL)
    taken(store, incident, "two")
    before = everything(tmp_path)
    with pytest.raises(ConflictError, match=rf"^one lost the lease of {incident} \(token 1\); it may not write$"):
        WRITES[write](store, incident, stale)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("write", WRITES)
def test_a_good_lease_writes(store: Store, clock: Clock, tmp_path: Path, write: str) -> None:
    incident = prepared(store)
    lease = taken(store, incident)
    clock.forward(TTL / 2)
    before = everything(tmp_path)
    WRITES[write](store, incident, lease)
    assert everything(tmp_path) != before
