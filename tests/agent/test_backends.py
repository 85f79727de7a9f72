"""The configured backends: checked keys, joined sources, and what a failing one costs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.backends import JoinedChanges, live_backend, parts_of, read_backends
from agent.checkup import check_up
from agent.errors import OperatorError
from agent.settings import Settings
from agent.store import Store
from tools.evidence import ChangeEvent, ChangeKind, Source, TimeWindow, ToolError
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = TimeWindow(since=AT.replace(hour=11), until=AT.replace(hour=13))
METER = {"kind": "prometheus", "url": "http://127.0.0.1:9090"}


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/whydown.db") as opened:
        yield opened


class Knows:
    """A source of changes that has these, or fails."""

    def __init__(self, *found: ChangeEvent | ToolError) -> None:
        self.found = found

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        for each in self.found:
            if isinstance(each, ToolError):
                raise each
        return [each for each in self.found if isinstance(each, ChangeEvent)]

    def look(self, window: TimeWindow) -> Sighting:
        return Sighting(source=Source.CHANGES, name="knows")


def change(name: str, hour: int = 12, title: str = "") -> ChangeEvent:
    return ChangeEvent(id=name, kind=ChangeKind.DEPLOY, at=AT.replace(hour=hour), title=title)


def test_nothing_is_configured_by_default(store: Store) -> None:
    config = read_backends(Settings())
    assert not config.live
    assert parts_of(config, store) == []


def test_what_is_configured_becomes_a_backend(store: Store, tmp_path: Path) -> None:
    edges = tmp_path / "edges.toml"
    edges.write_text('[[edges]]\ncaller = "shop"\ncallee = "stock"\n')
    settings = Settings(metrics=METER, topology=({"kind": "file", "path": str(edges)},))
    config = read_backends(settings)
    backend = live_backend(config, store)
    assert backend.metrics is not None
    assert backend.topology is not None
    assert [(edge.caller, edge.callee) for edge in backend.topology.edges()] == [("shop", "stock")]
    assert backend.logs is None
    assert backend.window is None
    assert [part.source for part in parts_of(config, store)] == [Source.METRICS, Source.CHANGES, Source.TOPOLOGY]


def test_a_cluster_knows_changes_and_dependencies(store: Store, tmp_path: Path) -> None:
    cluster = {"kind": "kubernetes", "kubeconfig": str(tmp_path / "none")}
    delivery = {"kind": "argocd", "url": "https://argocd.example"}
    config = read_backends(Settings(changes=(cluster, delivery, {"kind": "git", "path": str(tmp_path)})))
    backend = live_backend(config, store)
    assert backend.topology is not None
    with pytest.raises(ToolError, match=r"kubeconfig .* cannot be read"):
        backend.topology.edges()
    parts = parts_of(config, store)
    assert [part.name for part in parts] == ["POST /changes", "kubernetes", "argocd", "git"]
    assert parts[1].also == (Source.TOPOLOGY,)
    missing = check_up([*parts[:1], replace(parts[1], backend=Knows())], AT, None, 5.0).missing
    assert Source.TOPOLOGY not in {each.source for each in missing}


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (METER | {"urll": "x"}, "metrics.urll: there is no such key; did you mean 'url'?"),
        (METER | {"url": "9090"}, "metrics.url: .*an address like https://metrics.example.net is needed.*'9090'"),
        ({"kind": "prometheus"}, "metrics.url: Field required"),
        (METER | {"bearer_token": 7}, "metrics.bearer_token: [^7]*$"),
    ],
)
def test_a_wrong_table_is_named_by_key_and_value(metrics: dict[str, str | int], said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        read_backends(Settings(metrics=metrics))


def test_a_kind_that_is_not_known_is_named() -> None:
    with pytest.raises(OperatorError, match=r"changes\.0.*'svn'"):
        read_backends(Settings(changes=({"kind": "svn"},)))


def test_changes_of_all_sources_are_one_list_each_once() -> None:
    notes = Notebook()
    joined = JoinedChanges([Knows(change("b"), change("a", 11)), Knows(change("b", title="again"))], [], notes)
    assert [(each.id, each.title) for each in joined.changes(WINDOW)] == [("a", ""), ("b", "")]
    assert list(notes) == []


def test_a_source_that_fails_is_a_note_and_all_of_them_an_error() -> None:
    notes, failure = Notebook(), ToolError(Source.CHANGES, "git is not there")
    assert len(JoinedChanges([Knows(failure), Knows(change("a"))], [], notes).changes(WINDOW)) == 1
    assert list(notes) == [(Source.CHANGES, "git is not there")]
    with pytest.raises(ToolError, match="git is not there"):
        JoinedChanges([Knows(failure)], [], notes).changes(WINDOW)


def test_without_a_status_page_that_is_said() -> None:
    with pytest.raises(ToolError, match="no status page is configured"):
        JoinedChanges([], [], Notebook()).status_events(WINDOW)


def test_logs_are_a_backend_and_their_key_is_never_shown(store: Store) -> None:
    table = {"kind": "elasticsearch", "url": "https://logs.example", "api_key": "k3y-of-logs", "index": ["logs-*"]}
    config = read_backends(Settings(logs=table))
    assert live_backend(config, store).logs is not None
    assert [part.name for part in parts_of(config, store)] == ["elasticsearch", "POST /changes"]
    assert "k3y-of-logs" not in f"{config!r} {config.model_dump_json()}"
    with pytest.raises(OperatorError, match=r"logs\.index\.?\w*: .*no name or pattern"):
        read_backends(Settings(logs=table | {"index": ["a,b"]}))
    with pytest.raises(OperatorError, match=r"logs.*: .*api_key") as raised:
        read_backends(Settings(logs=table | {"bearer_token": "t0ken"}))
    assert "k3y-of-logs" not in str(raised.value)
