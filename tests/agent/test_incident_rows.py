from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given

from agent import incident_rows
from agent.errors import CallerError, ConflictError, OperatorError
from agent.incident import Alert, IncidentStatus, Severity
from agent.incident_rows import TRANSITIONS, fingerprint
from agent.store import Store
from tests.agent.store_samples import MINUTE, START, Clock, alert, incident_in, plain, url_of
from tests.agent.values import value_of

S = IncidentStatus


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), clock) as opened:
        yield opened


def test_a_new_alert_becomes_an_incident(store: Store) -> None:
    incident, created = store.create_incident(alert(), "basket-n-plus-one")
    assert created
    assert incident.id.startswith("inc-20260618-")
    assert len(incident.id) == len("inc-20260618-7f3a")
    assert (incident.status, incident.detected_at, incident.severity) == (S.INVESTIGATING, START, None)
    assert incident.title == "basket latency_p99"
    assert store.incident(incident.id) == incident
    assert store.alert_of(incident.id) == alert()
    assert store.recording_of(incident.id) == "basket-n-plus-one"


def test_the_summary_of_the_alert_is_the_title(store: Store) -> None:
    told = alert().model_copy(update={"summary": "baskets are slow"})
    assert store.create_incident(told)[0].title == "baskets are slow"


def test_the_same_delivery_twice_is_the_same_incident(store: Store) -> None:
    first, _ = store.create_incident(alert())
    again = alert().model_copy(update={"summary": "reworded", "observed": 5.0, "annotations": {"a": "b"}})
    assert store.create_incident(again) == (first, False)
    assert len(store.incidents()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"service": "web"},
        {"metric": "errors"},
        {"monitor": "broken"},
        {"labels": {"zone": "b"}},
        {"fired_at": START + MINUTE},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_alert_is_another_incident(store: Store, other: dict[str, object]) -> None:
    first, _ = store.create_incident(alert())
    second, created = store.create_incident(alert().model_copy(update=other))
    assert created
    assert second.id != first.id


@given(value_of(Alert))
def test_a_fingerprint_does_not_depend_on_the_order_of_labels(found: Alert) -> None:
    turned = found.model_copy(update={"labels": dict(reversed(found.labels.items()))})
    assert fingerprint(turned) == fingerprint(found)


def test_an_id_that_is_taken_grows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = iter(["7f3a" + "0" * 60, "7f3a" + "1" * 60])
    monkeypatch.setattr(incident_rows, "fingerprint", lambda _alert: next(marks))
    assert store.create_incident(alert("a"))[0].id == "inc-20260618-7f3a"
    assert store.create_incident(alert("b"))[0].id == "inc-20260618-7f3a1111"


def test_incidents_come_newest_first_and_by_status(store: Store) -> None:
    ids = [store.create_incident(alert(minutes=n))[0].id for n in range(4)]
    store.set_status(ids[1], S.CLOSED, None)
    assert [found.id for found in store.incidents()] == ids[::-1]
    assert [found.id for found in store.incidents(limit=2)] == ids[:1:-1]
    assert [found.id for found in store.incidents(statuses=[S.CLOSED])] == [ids[1]]
    assert store.incidents(statuses=[]) == []


@pytest.mark.parametrize("limit", [0, -1, 10**30])
def test_a_list_has_a_sensible_length(store: Store, limit: int) -> None:
    with pytest.raises(CallerError, match="limit"):
        store.incidents(limit)


@pytest.mark.parametrize(("before", "after"), [*product(S, S)])
def test_only_allowed_steps_are_taken(store: Store, before: IncidentStatus, after: IncidentStatus) -> None:
    incident = incident_in(store)
    for step in {S.MITIGATING: [S.MITIGATING], S.STABLE: [S.STABLE]}.get(before, [before]):
        store.set_status(incident, step, None)
    if after is before or after in TRANSITIONS[before]:
        assert store.set_status(incident, after, None).status is after
    else:
        with pytest.raises(ConflictError, match=f"is {before.value}; {after.value} is not one of"):
            store.set_status(incident, after, None)
        assert store.incident(incident).status is before


def test_the_life_of_an_incident_sets_its_times(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    for status in (S.AWAITING_APPROVAL, S.MITIGATING, S.STABLE, S.CLOSED):
        clock.forward(MINUTE)
        store.set_status(incident, status, None)
    closed = store.incident(incident)
    assert (closed.mitigated_at, closed.resolved_at) == (START + 3 * MINUTE, START + 4 * MINUTE)


def test_the_same_status_again_keeps_its_times(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    first = store.set_status(incident, S.STABLE, None)
    clock.forward(MINUTE)
    assert store.set_status(incident, S.STABLE, None) == first


def test_a_relapse_takes_the_times_back(store: Store) -> None:
    incident = incident_in(store)
    for status in (S.STABLE, S.CLOSED, S.INVESTIGATING):
        store.set_status(incident, status, None)
    again = store.incident(incident)
    assert (again.mitigated_at, again.resolved_at) == (None, None)


def test_severity_and_times_can_be_set(store: Store) -> None:
    incident = incident_in(store)
    assert store.set_severity(incident, Severity.SEV2, None).severity is Severity.SEV2
    assert store.set_times(incident, acknowledged_at=START + MINUTE).acknowledged_at == START + MINUTE
    corrected = store.set_times(incident, mitigated_at=START, resolved_at=START + 2 * MINUTE)
    assert (corrected.acknowledged_at, corrected.mitigated_at) == (START + MINUTE, START)
    assert store.set_times(incident) == corrected


def test_a_time_somebody_wrote_is_not_written_over_by_a_status(store: Store, clock: Clock) -> None:
    incident = incident_in(store)
    store.set_times(incident, mitigated_at=START, resolved_at=START)
    clock.forward(MINUTE)
    assert store.set_status(incident, S.STABLE, None).mitigated_at == START
    store.set_times(incident, resolved_at=START)
    assert store.set_status(incident, S.CLOSED, None).resolved_at == START


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    incident = incident_in(store)
    with pytest.raises(CallerError, match=r"acknowledged_at: .* no time zone"):
        store.set_times(incident, acknowledged_at=START.replace(tzinfo=None))


def test_an_unknown_incident_is_the_callers_error(store: Store) -> None:
    for ask in (store.incident, store.alert_of, store.recording_of, store.timeline, store.verify_timeline):
        with pytest.raises(CallerError, match="there is no incident 'inc-none'"):
            ask("inc-none")
    with pytest.raises(CallerError, match="there is no incident 'inc-none'"):
        store.set_status("inc-none", S.CLOSED, None)


@pytest.mark.parametrize(("column", "value"), [("status", "asleep"), ("severity", "SEV9"), ("alert", "{}")])
def test_a_row_somebody_spoiled_is_one_line_for_the_operator(
    store: Store, tmp_path: Path, column: str, value: str
) -> None:
    incident = incident_in(store)
    with plain(tmp_path) as connection:
        connection.execute(f"UPDATE incidents SET {column} = ?", (value,))
    connection.close()
    with pytest.raises(OperatorError, match=rf"incident {incident}: [^\n]+$"):
        store.incident(incident)
        store.alert_of(incident)
