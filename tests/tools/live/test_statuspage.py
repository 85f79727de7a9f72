"""Against documents after the official description, see fixtures/official/statuspage; no such page can be had here."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tools.live.documents import Documents, official
from tools.evidence import Edge, Source, TimeWindow, ToolError
from tools.live.notebook import Notebook
from tools.live.statuspage import LISTED, Statuspage, StatuspageConfig

ALERT = datetime(2026, 8, 18, 10, 0, tzinfo=UTC)


def window(until: datetime = ALERT, hours: float = 2) -> TimeWindow:
    return TimeWindow(since=until - timedelta(hours=hours), until=until)


@pytest.fixture
def documents() -> dict[str, Any]:
    names = ("summary", "incidents", "scheduled-maintenances")
    return {f"/api/v2/{name}.json": official("statuspage", name) for name in names}


def page(documents: dict[str, Any], **config: object) -> tuple[Statuspage, Notebook]:
    notes = Notebook()
    found = Statuspage(StatuspageConfig.model_validate({"url": "https://status.postrider.example"} | config), notes)
    found._http.session.mount("https://", Documents(documents))
    return found, notes


def test_an_incident_under_way(documents: dict[str, Any]) -> None:
    status, notes = page(documents, components=("Transactional mail",))
    [event] = status.status_events(window())
    assert (event.provider, event.service, event.status) == ("Postrider", "Transactional mail", "partial_outage")
    assert event.started_at == datetime(2026, 8, 18, 8, 45, tzinfo=UTC)
    assert event.resolved_at is None
    assert event.title == "Delayed acceptance of mail"
    assert event.detail.startswith("2026-08-18T09:31:12.440000Z A part of the requests to send is refused with 451.")
    assert len(notes) == 0


def test_it_is_told_as_it_stood_at_the_end_of_the_window(documents: dict[str, Any]) -> None:
    status, _ = page(documents, components=("Transactional mail",))
    [early] = status.status_events(window(datetime(2026, 8, 18, 9, 0, tzinfo=UTC)))
    assert early.status == "degraded_performance"
    assert "451" not in early.detail
    assert status.status_events(window(datetime(2026, 8, 18, 8, 45, tzinfo=UTC))) == []


def test_an_incident_that_ended_later_was_not_over_then(documents: dict[str, Any]) -> None:
    status, _ = page(documents, provider="postrider")
    at = datetime(2026, 8, 11, 17, 0, tzinfo=UTC)
    [during] = status.status_events(window(at))
    assert (during.service, during.status, during.resolved_at) == ("postrider", "minor", None)
    [after] = status.status_events(window(at + timedelta(hours=1)))
    assert after.resolved_at == datetime(2026, 8, 11, 17, 22, 40, 700_000, tzinfo=UTC)
    assert status.status_events(window(at + timedelta(hours=3))) == []


def test_a_component_that_is_well_again_before_the_incident_is_closed(documents: dict[str, Any]) -> None:
    incident = documents["/api/v2/incidents.json"]["incidents"][0]
    over = copy.deepcopy(incident["incident_updates"][0])
    over["affected_components"][0] |= {"old_status": "partial_outage", "new_status": "operational"}
    over |= {"status": "monitoring", "created_at": "2026-08-18T09:50:00Z", "display_at": "2026-08-18T09:50:00Z"}
    incident["incident_updates"].insert(0, over)
    status, _ = page(documents, components=("Transactional mail",))
    first = status.status_events(window())[0]
    assert (first.status, first.resolved_at) == ("partial_outage", datetime(2026, 8, 18, 9, 50, tzinfo=UTC))


def test_a_component_that_was_named_but_never_unwell(documents: dict[str, Any]) -> None:
    status, _ = page(documents, components=("Inbound mail",))
    [event] = status.status_events(window())
    assert (event.title, event.status) == ("Delayed acceptance of mail", "major")


def test_planned_work_counts_once_it_has_begun(documents: dict[str, Any]) -> None:
    status, _ = page(documents, components=("Inbound mail",))
    began = datetime(2026, 8, 18, 4, 5, 30, tzinfo=UTC)
    [during] = status.status_events(window(began + timedelta(minutes=10)))
    assert (during.status, during.started_at, during.resolved_at) == ("under_maintenance", began, None)
    [after] = status.status_events(window(began + timedelta(hours=2)))
    assert after.resolved_at == datetime(2026, 8, 18, 5, 10, 5, 908_000, tzinfo=UTC)
    assert status.status_events(window(began - timedelta(minutes=5, seconds=30))) == []


def test_planned_work_that_nobody_marked_as_begun(documents: dict[str, Any]) -> None:
    status, _ = page(documents, components=("Transactional mail",))
    [work] = [
        event
        for event in status.status_events(window(datetime(2026, 8, 26, 4, 30, tzinfo=UTC), hours=1))
        if event.status == "under_maintenance"
    ]
    assert (work.started_at, work.resolved_at) == (datetime(2026, 8, 26, 4, 0, tzinfo=UTC), None)


def test_a_component_that_is_unwell_without_an_incident(documents: dict[str, Any]) -> None:
    status, _ = page(documents, components=("Dashboard",))
    [event] = status.status_events(window())
    assert (event.status, event.started_at) == ("degraded_performance", datetime(2026, 8, 18, 8, 2, tzinfo=UTC))
    assert "without an incident" in event.title


def test_all_components_and_no_groups(documents: dict[str, Any]) -> None:
    status, _ = page(documents)
    assert {event.service for event in status.status_events(window())} == {
        "Transactional mail",
        "Inbound mail",
        "Dashboard",
    }


def test_ids_stay_apart_and_stay_the_same(documents: dict[str, Any]) -> None:
    status, _ = page(documents)
    first, second = (status.status_events(window(hours=24 * 14)) for _ in range(2))
    assert first == second
    assert len({event.id for event in first}) == len(first)


def test_more_incidents_than_the_page_lists(documents: dict[str, Any]) -> None:
    incidents = documents["/api/v2/incidents.json"]["incidents"]
    documents["/api/v2/incidents.json"]["incidents"] = [incidents[0] | {"id": f"i{n}"} for n in range(LISTED)]
    status, notes = page(documents)
    status.status_events(window())
    assert "those before 2026-08-18T08:47:02.113000Z are unknown" in notes[0][1]


def test_an_entry_that_cannot_be_read_costs_a_note(documents: dict[str, Any]) -> None:
    documents["/api/v2/incidents.json"]["incidents"][1] |= {"created_at": "yesterday"}
    status, notes = page(documents)
    assert status.status_events(window())
    [(source, text)] = notes
    assert source is Source.STATUS
    assert "one of incidents was left out: created_at" in text


@pytest.mark.parametrize("answer", [[], {"page": {}}, {"components": None}])
def test_another_kind_of_page_is_one_line(documents: dict[str, Any], answer: object) -> None:
    status, _ = page(documents | {"/api/v2/summary.json": answer, "/api/v2/incidents.json": answer})
    with pytest.raises(ToolError, match="made with Statuspage"):
        status.status_events(window())


def test_who_depends_on_it() -> None:
    config = {"used_by": ("shop", "login"), "provider": "postrider"}
    assert page({}, **config)[0].edges() == [
        Edge(caller="shop", callee="postrider"),
        Edge(caller="login", callee="postrider"),
    ]
    assert page({}, **config, components=("Inbound mail",))[0].edges()[0].callee == "Inbound mail"


def test_what_the_doctor_sees(documents: dict[str, Any]) -> None:
    seen = page(documents, components=("Dashbord",))[0].look(window())
    assert seen.name == "status page of Postrider at https://status.postrider.example"
    assert seen.facts == (
        "3 components",
        "Transactional mail is not operational",
        "Dashboard is not operational",
    )
    assert seen.troubles == ("component 'Dashbord' is not on the page; correct its name",)
