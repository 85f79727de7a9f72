"""Against what a real Unleash answered; tests/live/test_unleash.py asks one that runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fixtures.servers.unleash import Unleash, start_unleash
from tests.tools.live.conftest import Recorded
from tests.tools.live.documents import Documents
from tests.tools.live.flag_history import BEGAN, MINUTE, make_flags
from tools.evidence import ChangeKind, Source, TimeWindow, ToolError
from tools.live import unleash
from tools.live.notebook import Notebook
from tools.live.unleash import UnleashChanges, UnleashConfig

TOKEN = "*:*.replayed"
WINDOW = TimeWindow(since=BEGAN - timedelta(hours=1), until=BEGAN + timedelta(hours=1))


Access = dict[str, str]
"""Address and token of a server."""


def started_with_flags(access: Access) -> Unleash:
    server = start_unleash()
    try:
        make_flags(server)
    except BaseException:
        server.stop()
        raise
    access |= {"url": server.url, "bearer_token": server.admin_token}
    return server


@pytest.fixture(scope="module")
def access(recorded: Recorded) -> Access:
    found = {"bearer_token": TOKEN}
    return found | {"url": recorded(lambda: started_with_flags(found))} | found


def asking(access: Access, **config: object) -> tuple[UnleashChanges, Notebook]:
    notes = Notebook()
    return UnleashChanges(UnleashConfig.model_validate(access | config), notes), notes


@pytest.mark.vcr
def test_flags_that_were_turned(access: Access) -> None:
    backend, notes = asking(access)
    found = backend.changes(WINDOW)
    assert [(change.title, change.before, change.after) for change in found] == [
        (
            "new-basket",
            None,
            '{"constraints": [], "disabled": false, "name": "flexibleRollout", "rollout": "10", '
            '"segments": [], "stickiness": "default", "variants": []}',
        ),
        ("new-basket", "10%", "25%"),
        ("new-basket", "off", "on"),
        ("new-basket", "on", "off"),
        ("quiet", "in use", "archived"),
    ]
    assert {change.kind for change in found} == {ChangeKind.FLAG}
    assert [change.service for change in found] == ["basket"] * 4 + [None]
    assert {change.author for change in found} == {"admin"}
    assert found[0].at > BEGAN
    assert [change.at for change in found] == sorted(change.at for change in found)
    assert len({change.id for change in found}) == len(found)
    assert len(notes) == 0


@pytest.mark.vcr
def test_another_environment_and_a_service_for_all(access: Access) -> None:
    found = asking(access, environment="development", service="shop")[0].changes(WINDOW)
    assert [(change.title, change.service) for change in found] == [("quiet", "shop")] * 3


@pytest.mark.vcr
def test_the_window_is_half_open(access: Access) -> None:
    backend, _ = asking(access)
    every = backend.changes(WINDOW)
    window = TimeWindow(since=every[1].at, until=every[3].at)
    assert backend.changes(window) == every[1:3]
    assert backend.changes(TimeWindow(since=BEGAN - 3 * MINUTE, until=BEGAN)) == []


@pytest.mark.vcr
def test_a_project_that_is_not_there_has_no_changes(access: Access) -> None:
    assert asking(access, project="nowhere")[0].changes(WINDOW) == []


@pytest.mark.vcr
def test_what_the_doctor_sees(access: Access) -> None:
    seen = asking(access)[0].look(WINDOW)
    assert seen.facts == ("5 changes of flags in production in the window",)
    assert seen.services == ("basket",)
    assert seen.newest is not None
    assert WINDOW.contains(seen.newest)


@pytest.mark.vcr
def test_a_wrong_token(access: Access) -> None:
    with pytest.raises(ToolError, match="answered 401: the credentials are missing"):
        asking(access, bearer_token="*:*.wrong")[0].changes(WINDOW)


# What the server does not do on demand.


def documented(documents: dict[str, Any]) -> tuple[UnleashChanges, Notebook, Documents]:
    backend, notes = asking({"url": "https://flags.example", "bearer_token": TOKEN})
    adapter = Documents(documents)
    backend._http.session.mount("https://", adapter)
    return backend, notes, adapter


def event(number: int, **fields: object) -> dict[str, object]:
    at = (BEGAN - number * MINUTE).isoformat()
    told = {"id": number, "type": "feature-environment-enabled", "createdAt": at, "environment": "production"}
    return told | {"featureName": f"flag{number}", "tags": []} | fields


def test_more_events_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unleash, "PAGE", 2)
    monkeypatch.setattr(unleash, "MAX_EVENTS", 4)
    pages = {
        f"{unleash.PATH}?from=IS%3A2026-06-17&to=IS%3A2026-06-19&limit=2&offset={offset}": {
            "events": [event(offset), event(offset + 1)],
            "total": 9,
        }
        for offset in (0, 2)
    }
    backend, notes, adapter = documented(pages)
    assert [change.title for change in backend.changes(WINDOW)] == ["flag3", "flag2", "flag1", "flag0"]
    assert len(adapter.asked) == 2
    assert "more than 4 events; changes of flags before 2026-06-18T09:57:00Z are left out" in notes[0][1]


def test_an_event_that_cannot_be_read_costs_a_note() -> None:
    backend, notes, _ = documented({unleash.PATH: {"events": [event(1), event(2, createdAt="soon")], "total": 2}})
    assert [change.title for change in backend.changes(WINDOW)] == ["flag1"]
    assert notes[0][0] is Source.CHANGES
    assert "createdAt" in notes[0][1]


@pytest.mark.parametrize("answer", [[], {}, {"events": {}, "total": 0}, {"events": [], "total": None}])
def test_another_answer_is_one_line(answer: object) -> None:
    with pytest.raises(ToolError, match="is this Unleash 6 or later"):
        documented({unleash.PATH: answer})[0].changes(WINDOW)


def test_a_segment_and_a_strategy_with_more_than_a_share() -> None:
    events = [
        event(1, type="segment-updated", featureName=None, environment=None, data={"name": "staff"}, preData={"name": "staff"}),
        event(2, type="feature-strategy-update", preData={"name": "a", "parameters": {"rollout": "5"}},
              data={"name": "b", "parameters": {"rollout": "9"}}),
        event(3, type="feature-strategy-remove", preData={"name": "a", "parameters": {}}, data=None),
        event(4, type="feature-metadata-updated", environment=None),
    ]  # fmt: skip
    found = documented({unleash.PATH: {"events": events, "total": 4}})[0].changes(WINDOW)
    assert [(change.title, change.before, change.after) for change in found] == [
        ("flag3", '{"name": "a"}', None),
        ("flag2", '{"name": "a", "rollout": "5"}', '{"name": "b", "rollout": "9"}'),
        ("segment staff", None, None),
    ]


def test_a_service_by_the_type_of_a_tag() -> None:
    events = [event(1, tags=[{"type": "simple", "value": "x"}, {"type": "service", "value": "basket"}])]
    assert documented({unleash.PATH: {"events": events, "total": 1}})[0].changes(WINDOW)[0].service == "basket"


def test_the_token_is_sent_as_it_is() -> None:
    backend, _, adapter = documented({unleash.PATH: {"events": [], "total": 0}})
    backend.changes(WINDOW)
    assert adapter.asked[0].headers["Authorization"] == TOKEN
