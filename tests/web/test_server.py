"""The service: read only, one line per error, deaf to other sites."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agent import documents
from agent.errors import CallerError, OperatorError
from agent.incident import Diagnosis, Evidence, Incident, TimelineEntry, TimelineKind
from agent.settings import Settings
from agent.store import Store, TimelineDraft
from server import create_app, listen
from tests.web import told

RESULT = {"columns": ["timestamp", "value"], "rows": [["2026-11-02T15:00:00Z", 1.0]], "rows_total": 1}


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/whydown.db") as opened:
        yield opened


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Generator[TestClient]:
    app = create_app(Settings(store=f"sqlite:///{tmp_path}/whydown.db"))
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened


def opened(store: Store) -> Incident:
    incident, _ = store.create_incident(told.ALERT, "/recordings/basket")
    store.append(incident.id, [TimelineDraft(kind=TimelineKind.ALERT, text="p99 above 800 ms", at=told.FIRED)], None)
    return incident


def test_it_is_well_when_the_store_can_be_read(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_every_body_is_a_value_of_the_vocabulary(client: TestClient, store: Store) -> None:
    incident = opened(store)
    evidence = Evidence.of(told.Source.METRICS, told.CALLS, told.WINDOW, "queries per request", RESULT)
    store.put_evidence(incident.id, evidence, RESULT)
    store.put_document(incident.id, documents.DIAGNOSIS, told.DIAGNOSIS.model_dump_json())
    base = f"/incidents/{incident.id}"
    assert [Incident.model_validate(each) for each in client.get("/incidents").json()] == [incident]
    assert Incident.model_validate(client.get(base).json()) == incident
    [entry] = client.get(f"{base}/timeline").json()
    assert TimelineEntry.model_validate(entry).text == "p99 above 800 ms"
    assert client.get(f"{base}/timeline", params={"after_seq": 1}).json() == []
    assert Diagnosis.model_validate(client.get(f"{base}/diagnosis").json()) == told.DIAGNOSIS
    answered = client.get(f"{base}/evidence/{evidence.id}").json()
    assert Evidence.model_validate(answered["evidence"]) == evidence
    assert answered["result"] == RESULT


def test_incidents_can_be_chosen_by_status(client: TestClient, store: Store) -> None:
    opened(store)
    assert len(client.get("/incidents", params={"status": "investigating"}).json()) == 1
    assert client.get("/incidents", params={"status": "closed"}).json() == []


@pytest.mark.parametrize("path", ["", "/timeline", "/diagnosis", "/evidence/E1"])
def test_an_unknown_incident_is_404_in_one_line(client: TestClient, path: str) -> None:
    answer = client.get(f"/incidents/inc-none{path}")
    assert answer.status_code == 404
    assert "inc-none" in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_no_diagnosis_yet_is_404(client: TestClient, store: Store) -> None:
    answer = client.get(f"/incidents/{opened(store).id}/diagnosis")
    assert answer.status_code == 404
    assert "no diagnosis yet" in answer.json()["detail"]


def test_evidence_that_was_changed_in_the_database_is_not_served(client: TestClient, store: Store) -> None:
    incident = opened(store)
    evidence = Evidence.of(told.Source.METRICS, told.CALLS, told.WINDOW, "queries per request", RESULT)
    store.put_evidence(incident.id, evidence, RESULT)
    with store._engine.begin() as connection:  # pyright: ignore
        connection.exec_driver_sql("UPDATE evidence SET value = replace(value, 'queries per', 'errors per')")
    answer = client.get(f"/incidents/{incident.id}/evidence/{evidence.id}")
    assert answer.status_code == 503
    assert "changed outside whydown" in answer.json()["detail"]


def test_nothing_can_be_written(client: TestClient, store: Store) -> None:
    path = f"/incidents/{opened(store).id}"
    assert {client.request(verb, path).status_code for verb in ("POST", "PUT", "PATCH", "DELETE")} == {405}


def test_another_sites_name_for_this_machine_is_refused(client: TestClient) -> None:
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::"])
def test_it_is_not_served_beyond_this_machine(host: str) -> None:
    with pytest.raises(CallerError, match="only on 127"):
        listen(host, 8321)


def test_an_address_in_use_is_one_line() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OperatorError, match=r"--port \d+: .*in use"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_openapi_lists_the_routes(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/healthz", "/incidents", "/incidents/{incident_id}/diagnosis"} <= paths.keys()
