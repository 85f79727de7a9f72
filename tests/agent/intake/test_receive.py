from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent import work_rows
from agent.incident import IncidentStatus, TimelineKind
from agent.intake.intake import Intake
from agent.intake.notice import Notice, Receipt
from agent.intake.receive import MOST_NAMED
from agent.intake.silence import Matcher, Silence
from agent.store import Store
from tests.agent.intake.notices import SECOND, notice
from tests.agent.store_samples import START, Clock, url_of
from tools.evidence import Edge

MINUTE = timedelta(minutes=1)


class Door:
    """An intake on a store of its own, with a clock that the test moves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.intake = Intake(store, most_per_hour=1_000)

    def take(self, said: Notice, after: timedelta = timedelta(0)) -> Receipt:
        """Receive a notice `after` START by the store's clock."""
        self.clock.at = START + after
        return self.intake.receive([said])[0]

    def due(self) -> list[str]:
        with self.store.reading() as connection:
            return [each.incident for each in work_rows.due(connection, self.clock.at, 100)]

    def worked(self) -> None:
        """What a worker does when it is through with everything."""
        with self.store.transaction() as connection:
            for work in work_rows.due(connection, self.clock.at, 100):
                work_rows.done(connection, work, None, 1.0, 3)

    def texts(self, incident: str) -> list[str]:
        return [entry.text for entry in self.store.timeline(incident)]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    clock = Clock()
    with Store.open(url_of(tmp_path), clock) as store:
        yield Door(store, clock)


def test_an_alert_opens_an_incident_that_is_due(door: Door) -> None:
    receipt = door.take(notice())
    assert receipt.placed == "opened"
    assert receipt.incident is not None
    assert door.due() == [receipt.incident]
    assert door.texts(receipt.incident) == ["slow: p99 of basket"]
    assert [each.incident for each in door.intake.alerts()] == [receipt.incident]


def test_the_same_delivery_twice_is_one(door: Door) -> None:
    first = door.take(notice())
    second = door.take(notice(), MINUTE)
    assert (second.placed, second.incident) == ("repeated", first.incident)
    assert len(door.store.incidents()) == 1
    assert [each.deliveries for each in door.intake.alerts()] == [2]
    assert len(door.store.timeline(first.incident or "")) == 1


def test_a_delivery_is_taken_in_whole_or_not_at_all(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.intake import receive

    calls = iter([receive.receive])

    def dies(*given: object) -> Receipt:
        return next(calls)(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(receive, "receive", dies)
    with pytest.raises(StopIteration):
        door.intake.receive([notice("basket"), notice("web")])
    assert door.intake.alerts() == []
    assert door.store.incidents() == []


def test_a_neighbour_joins_once_investigations_have_seen_the_call(door: Door) -> None:
    door.intake.saw_edges([Edge(caller="web", callee="basket"), Edge(caller="edge", callee="web")])
    first = door.take(notice("basket"))
    second = door.take(notice("edge", "errors", fired=3 * MINUTE), 3 * MINUTE)
    assert (second.placed, second.incident) == ("joined", first.incident)
    assert door.texts(first.incident or "")[1] == (
        "errors: p99 of edge (joined, because edge and basket call each other; the first alert of this name)"
    )
    assert door.due() == [first.incident]


def test_calls_that_nobody_has_seen_for_a_month_are_forgotten(door: Door) -> None:
    door.intake.saw_edges([Edge(caller="web", callee="basket")])
    door.clock.at = START + timedelta(days=31)
    door.intake.saw_edges([Edge(caller="a", callee="b")])
    first = door.take(notice("basket"), timedelta(days=31))
    second = door.take(notice("web", "errors"), timedelta(days=31, minutes=3))
    assert first.incident != second.incident


def test_when_all_alerts_are_over_an_incident_without_work_is_stable(door: Door) -> None:
    incident = door.take(notice()).incident or ""
    door.take(notice("basket", "errors", fired=SECOND), SECOND)
    door.worked()
    door.take(notice(says="resolve", at=3 * MINUTE), 3 * MINUTE)
    assert door.store.incident(incident).status is IncidentStatus.INVESTIGATING
    door.take(notice("basket", "errors", says="resolve", fired=SECOND, at=4 * MINUTE), 4 * MINUTE)
    stood = door.store.incident(incident)
    assert (stood.status, stood.mitigated_at) == (IncidentStatus.STABLE, START + 4 * MINUTE)
    assert door.texts(incident)[-1] == "every alert of it is over, says its monitor"


def test_an_incident_that_is_still_investigated_is_left_to_the_worker(door: Door) -> None:
    incident = door.take(notice()).incident or ""
    door.take(notice(says="resolve", at=MINUTE), MINUTE)
    assert door.store.incident(incident).status is IncidentStatus.INVESTIGATING


def stable(door: Door) -> str:
    incident = door.take(notice()).incident or ""
    door.worked()
    door.take(notice(says="resolve", at=6 * MINUTE), 6 * MINUTE)
    assert door.store.incident(incident).status is IncidentStatus.STABLE
    return incident


def test_an_alert_that_comes_back_begins_another_round_of_its_incident(door: Door) -> None:
    incident = stable(door)
    back = door.take(notice(fired=16 * MINUTE), 16 * MINUTE)
    assert (back.placed, back.incident) == ("reopened", incident)
    stood = door.store.incident(incident)
    assert (stood.status, stood.mitigated_at) == (IncidentStatus.INVESTIGATING, None)
    assert door.store.round_of(incident).number == 2
    assert door.store.alert_of(incident).fired_at == START + 16 * MINUTE
    assert door.due() == [incident]
    assert door.texts(incident)[-1] == "slow: p99 of basket (it came back 10 min after it was over)"


def test_a_monitor_that_takes_its_resolved_back_reopens_too(door: Door) -> None:
    incident = stable(door)
    back = door.take(notice(at=9 * MINUTE), 9 * MINUTE)
    assert (back.placed, back.incident) == ("reopened", incident)
    assert [each.resolved_at for each in door.intake.alerts()] == [None]


def test_a_late_copy_of_the_first_delivery_does_not_reopen(door: Door) -> None:
    incident = stable(door)
    assert door.take(notice(), 9 * MINUTE).placed == "repeated"
    assert door.store.incident(incident).status is IncidentStatus.STABLE


def test_documents_of_the_round_before_are_kept_aside(door: Door) -> None:
    incident = stable(door)
    door.store.put_document(incident, "diagnosis", "{}")
    door.take(notice(fired=16 * MINUTE), 16 * MINUTE)
    assert door.store.document(incident, "diagnosis") is None
    assert door.store.document(incident, "round 1/diagnosis") == "{}"


def test_whoever_works_on_the_round_before_loses_the_lease(door: Door) -> None:
    from agent.errors import ConflictError

    incident = stable(door)
    lease = door.store.acquire(incident, "a worker", timedelta(hours=1))
    assert lease is not None
    door.take(notice(fired=16 * MINUTE), 16 * MINUTE)
    with pytest.raises(ConflictError, match="lost the lease"):
        door.store.put_document(incident, "diagnosis", "{}", lease)


def test_a_flapping_alert_is_not_investigated_again(door: Door) -> None:
    for number in range(3):
        start = number * 10 * MINUTE
        door.take(notice(fired=start), start)
        door.worked()
        door.take(notice(says="resolve", fired=start, at=start + MINUTE), start + MINUTE)
    last = door.take(notice(fired=30 * MINUTE), 30 * MINUTE)
    text = door.texts(last.incident or "")[-1]
    assert text.startswith("not investigated unasked: it flaps: the same alert fired 4 times within 1 h")


def test_a_silenced_alert_is_kept_and_becomes_no_incident(door: Door) -> None:
    silence = Silence(
        id="S1",
        kind="silence",
        matchers=(Matcher(name="service", value="basket"),),
        since=START,
        until=START + 60 * MINUTE,
        by="ana",
        reason="load test",
    )
    door.intake.silence(silence)
    receipt = door.take(notice(), MINUTE)
    assert (receipt.incident, receipt.because) == (None, "silenced until 16:00 UTC by ana: load test")
    assert [each.because for each in door.intake.alerts()] == [receipt.because]
    assert door.intake.silences() == [silence]
    door.clock.at = START + 2 * MINUTE
    assert door.intake.end_silence("S1").until == door.clock.at
    assert door.intake.silences() == []
    assert door.take(notice(fired=3 * MINUTE), 3 * MINUTE).placed == "opened"


def test_who_took_it_stands_with_the_incident(door: Door) -> None:
    incident = door.take(notice()).incident or ""
    taken = notice(says="acknowledge", at=2 * MINUTE, by="ana")
    for _ in range(2):
        door.take(taken, 2 * MINUTE)
    assert door.store.incident(incident).acknowledged_at == START + 2 * MINUTE
    last = door.store.timeline(incident)[-1]
    assert (last.by, last.text) == ("ana", "slow: p99 of basket: acknowledged")
    assert len(door.store.timeline(incident)) == 2


def test_deliveries_that_overtake_each_other_lose_nothing(door: Door) -> None:
    assert door.take(notice(says="acknowledge", at=MINUTE, by="ana"), MINUTE).incident is None
    receipt = door.take(notice(), 2 * MINUTE)
    assert receipt.placed == "opened"
    (episode,) = door.intake.alerts()
    assert (episode.acknowledged_by, episode.deliveries) == ("ana", 1)
    assert door.store.incident(receipt.incident or "").acknowledged_at == START + MINUTE


def test_an_alert_that_was_over_before_it_was_heard_of_opens_nothing(door: Door) -> None:
    door.take(notice(says="resolve", at=MINUTE), MINUTE)
    assert door.take(notice(), 2 * MINUTE).placed == "repeated"
    assert door.store.incidents() == []
    assert len(door.intake.alerts()) == 1


def test_a_storm_is_one_incident_with_few_lines(door: Door) -> None:
    total = 4 * MOST_NAMED
    said = [notice(f"svc-{n}", "down", fired=n * SECOND / 10) for n in range(total)]
    receipts = door.intake.receive(said)
    (incident,) = {each.incident for each in receipts}
    assert len(door.intake.alerts(limit=1_000)) == total
    assert len(door.texts(incident or "")) == MOST_NAMED + 1
    unseen = door.take(notice("new-service", "never seen", fired=30 * SECOND), 30 * SECOND)
    assert unseen.incident == incident
    assert "the first alert of this name" in door.texts(incident or "")[-1]


def test_monitors_are_listed_with_the_noisiest_first(door: Door) -> None:
    for number in range(3):
        start = number * timedelta(hours=2)
        door.take(notice(monitor="noisy", fired=start), start)
        door.take(notice(monitor="noisy", says="resolve", fired=start, at=start + MINUTE), start + MINUTE)
    door.take(notice("web", "quiet", fired=timedelta(hours=9)), timedelta(hours=9))
    found = door.intake.monitors()
    assert [(each.monitor, each.alerts, each.quickly_over) for each in found] == [("noisy", 3, 3), ("quiet", 1, 0)]


def test_the_kinds_of_entries_say_what_they_are(door: Door) -> None:
    incident = door.take(notice()).incident or ""
    door.take(notice(says="resolve", at=MINUTE), MINUTE)
    kinds = [entry.kind for entry in door.store.timeline(incident)]
    assert kinds == [TimelineKind.ALERT, TimelineKind.RECOVERY]
    assert door.store.verify_timeline(incident) is None
