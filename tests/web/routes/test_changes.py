"""Reporting a change over HTTP."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from agent.settings import Settings
from agent.store import Store
from server import create_app
from tests.agent.test_parse_change import REPORT
from tools.evidence import ChangeEvent, TimeWindow
from web.routes.changes import MAX_BODY

DAY = {"since": "2026-06-18T00:00:00Z", "until": "2026-06-19T00:00:00Z"}


@pytest.fixture
def client(tmp_path: Path) -> Generator[TestClient]:
    app = create_app(Settings(store=f"sqlite:///{tmp_path}/whydown.db"))
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened


def test_a_change_is_on_disk_before_202(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/changes", json=REPORT)
    assert answer.status_code == 202
    change = ChangeEvent.model_validate(answer.json())
    with Store.open(f"sqlite:///{tmp_path}/whydown.db") as another:
        assert another.changes(TimeWindow.model_validate(DAY)) == [change]
    assert client.get("/changes", params=DAY).json() == [answer.json()]


def test_a_pipeline_may_try_again(client: TestClient) -> None:
    first, again = client.post("/changes", json=REPORT), client.post("/changes", json=REPORT)
    assert (again.status_code, again.json()) == (202, first.json())
    assert len(client.get("/changes", params=DAY).json()) == 1


def test_another_content_under_the_same_id_is_409(client: TestClient) -> None:
    client.post("/changes", json=REPORT)
    answer = client.post("/changes", json={**REPORT, "title": "reworded"})
    assert answer.status_code == 409
    assert "basket-2.14.0" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (json.dumps({**REPORT, "sevice": "x"}), "application/json", 422, "did you mean 'service'?"),
        ("{", "application/json; charset=utf-8", 422, "no JSON"),
        ("", "application/json", 422, "no JSON"),
        (b"\xff\xfe", "application/json", 422, "no JSON"),
        (json.dumps(REPORT), "text/plain", 415, "application/json"),
        (json.dumps(REPORT), "application/x-www-form-urlencoded", 415, "application/json"),
        (" " * (MAX_BODY + 1), "application/json", 413, "leave its diff out"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_line(
    client: TestClient, content: Any, kind: str, status: int, words: str
) -> None:
    answer = client.post("/changes", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert client.get("/changes", params=DAY).json() == []


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"since": DAY["since"]},
        {**DAY, "since": "2026-06-18T00:00:00"},
        {"since": DAY["until"], "until": DAY["since"]},
    ],
)
def test_a_window_needs_two_moments_with_a_zone(client: TestClient, asked: dict[str, str]) -> None:
    assert client.get("/changes", params=asked).status_code == 422


def test_the_report_is_described(client: TestClient) -> None:
    post = client.get("/openapi.json").json()["paths"]["/changes"]["post"]
    assert "kind" in post["requestBody"]["content"]["application/json"]["schema"]["properties"]
