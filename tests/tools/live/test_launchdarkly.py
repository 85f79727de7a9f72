"""Against documents after the official description, see fixtures/official/launchdarkly; there is no server to ask here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from tests.tools.live.documents import Documents, official
from tools.evidence import ChangeKind, TimeWindow, ToolError
from tools.live import launchdarkly
from tools.live.launchdarkly import PATH, LaunchDarklyChanges, LaunchDarklyConfig
from tools.live.notebook import Notebook

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
WINDOW = TimeWindow(since=NOON - timedelta(hours=2), until=NOON)
IDS = tuple(f"6673a100000000000000000{n}" for n in (1, 2, 3))


@pytest.fixture
def documents() -> dict[str, Any]:
    entries = {f"{PATH}/{name}": official("launchdarkly", name) for name in IDS}
    return {PATH: official("launchdarkly", "entries"), **entries}


def asking(documents: dict[str, Any], **config: object) -> tuple[LaunchDarklyChanges, Notebook, Documents]:
    notes, adapter = Notebook(), Documents(documents)
    chosen = LaunchDarklyConfig.model_validate({"project": "shop", "bearer_token": "api-t0ken"} | config)
    backend = LaunchDarklyChanges(chosen, notes)
    backend._http.session.mount("https://", adapter)
    return backend, notes, adapter


def test_flags_that_were_turned(documents: dict[str, Any]) -> None:
    backend, notes, adapter = asking(documents)
    found = backend.changes(WINDOW)
    assert [(change.title, change.before, change.after) for change in found[:2]] == [
        ("New basket", "off", "on"),
        ("New basket", "10%", "25%"),
    ]
    assert (found[2].before, str(found[2].after)[:12]) == ('{"rules": []}', '{"rules": [{')
    assert found[1].at == datetime(2026, 6, 18, 10, 30, 0, 250_000, tzinfo=UTC)
    assert {(change.kind, change.service, change.author) for change in found} == {
        (ChangeKind.FLAG, "basket", "mia@shop.example")
    }
    assert [change.id for change in found] == [f"launchdarkly-{name}" for name in IDS]
    assert adapter.asked[0].headers["Authorization"] == "api-t0ken"
    assert len(notes) == 0


def test_what_is_asked(documents: dict[str, Any]) -> None:
    backend, _, adapter = asking(documents)
    backend.changes(WINDOW)
    asked = parse_qs(urlsplit(str(adapter.asked[0].url)).query)
    assert asked == {
        "spec": ["proj/shop:env/production:flag/*"],
        "after": [str(int(WINDOW.since.timestamp()) * 1000 - 1)],
        "before": [str(int(WINDOW.until.timestamp()) * 1000 + 1)],
        "limit": ["20"],
    }


def test_the_window_is_half_open(documents: dict[str, Any]) -> None:
    window = TimeWindow(since=NOON - timedelta(minutes=115), until=NOON - timedelta(hours=1))
    assert [change.id[-1] for change in asking(documents)[0].changes(window)] == ["1", "2"]


def test_another_environment_and_a_service_for_all(documents: dict[str, Any]) -> None:
    for name in IDS:
        documents[f"{PATH}/{name}"]["currentVersion"]["tags"] = []
    found = asking(documents, environment="test", service="shop")[0].changes(WINDOW)
    assert {(change.service, change.before) for change in found} == {("shop", None)}
    assert found[1].after == "- Changed the default rule to a rollout"


def test_an_entry_is_read_once(documents: dict[str, Any]) -> None:
    backend, _, adapter = asking(documents)
    assert backend.changes(WINDOW) == backend.changes(WINDOW)
    assert len([path for path in adapter.paths if path.startswith(f"{PATH}/")]) == len(IDS)


def test_calls_are_rationed(documents: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launchdarkly, "MAX_DETAILS", 1)
    backend, notes, _ = asking(documents)
    assert [change.before is not None for change in backend.changes(WINDOW)] == [False, False, True]
    assert "of 3 edits of flags only the latest 1 tell what was turned" in notes[0][1]


def test_an_edit_that_does_not_say_what_was_turned_is_still_told(documents: dict[str, Any]) -> None:
    del documents[f"{PATH}/{IDS[1]}"]
    backend, notes, _ = asking(documents)
    assert [change.before for change in backend.changes(WINDOW)] == [None, None, '{"rules": []}']
    assert (
        "what 2 edits of flags turned is unknown: LaunchDarkly at https://app.launchdarkly.com answered 404"
        in notes[0][1]
    )


def test_pages_go_back_in_time(documents: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launchdarkly, "PAGE", 2)
    newest, middle, oldest = documents.pop(PATH)["items"]
    after = int(WINDOW.since.timestamp()) * 1000 - 1
    for before, items in (
        (int(WINDOW.until.timestamp()) * 1000 + 1, [newest, middle]),
        (middle["date"] + 1, [middle, oldest]),
        (oldest["date"] + 1, [oldest]),
    ):
        query = f"spec=proj%2Fshop%3Aenv%2Fproduction%3Aflag%2F%2A&after={after}&before={before}&limit=2"
        documents[f"{PATH}?{query}"] = {"items": items}
    assert len(asking(documents)[0].changes(WINDOW)) == 3


def test_more_entries_than_are_read(documents: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launchdarkly, "PAGE", 3)
    monkeypatch.setattr(launchdarkly, "MAX_ENTRIES", 3)
    backend, notes, _ = asking(documents)
    assert len(backend.changes(WINDOW)) == 3
    assert "more than 3 edits of flags; those before 2026-06-18T10:05:00Z are left out" in notes[0][1]


def test_an_entry_that_cannot_be_read_costs_a_note(documents: dict[str, Any]) -> None:
    del documents[PATH]["items"][0]["date"]
    backend, notes, _ = asking(documents)
    assert len(backend.changes(WINDOW)) == 2
    assert "an entry was left out: date" in notes[0][1]


@pytest.mark.parametrize("answer", [[], {}, {"items": {}}])
def test_another_answer_is_one_line(answer: object) -> None:
    with pytest.raises(ToolError, match="without a list of items"):
        asking({PATH: answer})[0].changes(WINDOW)


@pytest.mark.parametrize("key", ["shop:env/*", "", "a b", 'a"'])
def test_a_key_is_no_pattern(key: str) -> None:
    with pytest.raises(ValidationError, match="project"):
        LaunchDarklyConfig(project=key)


def test_what_the_doctor_sees(documents: dict[str, Any]) -> None:
    seen = asking(documents)[0].look(WINDOW)
    assert seen.name == "LaunchDarkly at https://app.launchdarkly.com, shop, production"
    assert (seen.facts, seen.services) == (("3 edits of flags in the window",), ("basket",))
    assert seen.newest == datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
