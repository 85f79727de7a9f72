"""Monitors reporting over HTTP: what is answered, and what is on disk by then."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from agent.settings import Settings
from agent.store import Store
from server import create_app
from web.routes.webhooks import MAX_BODY

FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "SlowCheckout", "service": "checkout", "severity": "critical"},
    "annotations": {"summary": "checkout p99 is 4.1 s"},
    "startsAt": "2026-06-18T15:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "8f3a1c",
}
RESOLVED = FIRING | {"status": "resolved", "endsAt": "2026-06-18T15:20:00Z"}


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "receiver": "whydown", "alerts": list(alerts)}


@pytest.fixture
def client(tmp_path: Path) -> Generator[TestClient]:
    app = create_app(Settings(store=f"sqlite:///{tmp_path}/whydown.db", workers=0))
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened


def test_an_alert_is_on_disk_before_202(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/webhooks/alertmanager", json=group(FIRING))
    assert answer.status_code == 202
    (receipt,) = answer.json()
    assert receipt["placed"] == "opened"
    with Store.open(f"sqlite:///{tmp_path}/whydown.db") as another:
        assert another.incident(receipt["incident"]).title == "checkout p99 is 4.1 s"
        assert another.alert_of(receipt["incident"]).severity == "critical"


def test_the_same_delivery_twice_is_one_incident(client: TestClient) -> None:
    first, second = (client.post("/webhooks/alertmanager", json=group(FIRING)).json()[0] for _ in range(2))
    assert (second["placed"], second["incident"]) == ("repeated", first["incident"])
    assert len(client.get("/incidents").json()) == 1


def test_fire_and_resolve_in_one_delivery(client: TestClient) -> None:
    other = FIRING | {"fingerprint": "77", "labels": FIRING["labels"] | {"service": "basket"}}
    client.post("/webhooks/alertmanager", json=group(FIRING, other))
    placed = client.post("/webhooks/alertmanager", json=group(RESOLVED, other)).json()
    assert [each["placed"] for each in placed] == ["resolved", "repeated"]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("alertmanager", {"alerts": "x"}, 422, 'alertmanager: alerts is "x"; a list of objects is needed'),
        ("alertmanager", {}, 422, "alerts is null"),
        ("alertmanager", {"alerts": [7]}, 422, "alerts[0] is 7"),
        ("alertmanager", {"alerts": [FIRING | {"startsAt": "soon"}]}, 422, 'startsAt is "soon"'),
        ("alertmanager", {"alerts": [FIRING | {"labels": {}}]}, 422, "name the service"),
        ("alertmanager", [1], 422, "no object"),
        ("alertmaneger", {}, 404, "there is no monitor 'alertmaneger'; known: alertmanager"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(
    client: TestClient, path: str, body: Any, status: int, words: str
) -> None:
    answer = client.post(f"/webhooks/{path}", json=body)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert client.get("/incidents").json() == []


def test_a_body_without_end_is_cut_off(client: TestClient) -> None:
    answer = client.post(
        "/webhooks/alertmanager", content=b" " * (MAX_BODY + 1), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
