"""Against answers recorded from a real API server with its controllers; `shop_cluster` is what happened there."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from fixtures.servers.kubernetes import Kubernetes as Server, start_kubernetes
from fixtures.servers.kubernetes_api import KubernetesApi
from tests.tools.live.conftest import CASSETTES, Recorded
from tests.tools.live.kubernetes_checks import CHECKS, WINDOW, Answers, ask
from tests.tools.live.shop_cluster import fill, happen
from tools.evidence import JsonObject, ToolError
from tools.live.kubernetes import Kubernetes, KubernetesConfig, lists
from tools.live.notebook import Notebook

Configs = Callable[[str], KubernetesConfig]
"""The way into the cluster for `token` (its administrator), `reader` and `stranger`."""


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 1)


def started_shop() -> Server:
    server = start_kubernetes()
    try:
        cluster = KubernetesApi(server.url, server.token, server.ca_file)
        fill(cluster)
        happen(cluster)
        cluster.forget(server.etcd)
    except BaseException:
        server.stop()
        raise
    return server


def configs_of(server: Server) -> Configs:
    tokens = {"token": server.token, "reader": server.reader, "stranger": server.stranger}
    return lambda who: KubernetesConfig(url=server.url, bearer_token=SecretStr(tokens[who]), ca_file=server.ca_file)


@pytest.fixture(scope="module")
def configs(recorded: Recorded) -> Configs:
    started: list[Server] = []

    def start() -> Server:
        started.append(started_shop())
        return started[0]

    url = recorded(start)
    if started:
        return configs_of(started[0])
    return lambda who: KubernetesConfig(url=url, bearer_token=SecretStr(f"{who}-of-nobody"))


@pytest.fixture
def answers(configs: Configs) -> Answers:
    notes = Notebook()
    return ask(Kubernetes(configs("token"), notes), notes)


@pytest.mark.vcr
@pytest.mark.default_cassette("a_shop.yaml")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_recorded_cluster(answers: Answers, check: Callable[[Answers], None]) -> None:
    check(answers)


@pytest.mark.vcr
def test_somebody_who_may_read_nothing_is_told_so(configs: Configs) -> None:
    with pytest.raises(ToolError, match=r"answered 403: the credentials are missing or may not read this.*stranger"):
        Kubernetes(configs("stranger"), Notebook()).changes(WINDOW)


@pytest.mark.vcr
def test_what_may_not_be_read_is_named(configs: Configs) -> None:
    """The reader may list Deployments and ReplicaSets."""
    notes = Notebook()
    cluster = Kubernetes(configs("reader"), notes)
    sighting = cluster.look(WINDOW)
    changed = {change.id for change in cluster.changes(WINDOW)}
    assert "deployment:shop/checkout:2" in changed
    assert not any(id.startswith("statefulset") for id in changed)
    [(_, note)] = notes
    assert note.startswith("Kubernetes: statefulsets, daemonsets, controllerrevisions, events, pods, nodes, configmaps")
    assert "answered 403" in note
    assert sighting.facts[0] == "2 workloads"
    assert any("secrets cannot be read" in trouble and "grant it" in trouble for trouble in sighting.troubles)


@pytest.mark.vcr
def test_small_pages_hold_the_same(configs: Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Kubernetes(configs("token"), Notebook()).changes(WINDOW)
    monkeypatch.setattr(lists, "PAGE", 2)
    assert Kubernetes(configs("token"), Notebook()).changes(WINDOW) == whole
    monkeypatch.setattr(lists, "MAX_OBJECTS", 2)
    notes = Notebook()
    Kubernetes(configs("token"), notes).changes(WINDOW)
    assert any("only 2 configmaps were read" in text for _, text in notes)


@pytest.mark.vcr
def test_a_list_that_cannot_go_on_is_asked_for_whole(configs: Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the server cleaned up between two pages: it has forgotten the state that the token names."""
    whole = Kubernetes(configs("token"), Notebook()).changes(WINDOW)
    monkeypatch.setattr(lists, "PAGE", 2)
    page = lists.Lister.page
    asked: list[object] = []

    def late(self: lists.Lister, kind: lists.Kind, path: str, params: dict[str, str | int]) -> JsonObject:
        found = page(self, kind, path, params)
        asked.append(params.get("limit"))
        token = {"v": "meta.k8s.io/v1", "rv": 1, "start": "a\0"}
        old = urlsafe_b64encode(json.dumps(token, separators=(",", ":")).encode()).decode().rstrip("=")
        return {**found, "metadata": {"continue": old}} if found["metadata"].get("continue") else found

    monkeypatch.setattr(lists.Lister, "page", late)
    notes = Notebook()
    assert Kubernetes(configs("token"), notes).changes(WINDOW) == whole
    assert None in asked
    assert not any("known" in text for _, text in notes)


@pytest.mark.vcr
def test_one_namespace_alone(configs: Configs) -> None:
    config = configs("token").model_copy(update={"namespaces": ("elsewhere",)})
    sighting = Kubernetes(config, Notebook()).look(WINDOW)
    assert sighting.facts[0] == "0 workloads"
    assert "correct namespaces" in sighting.troubles[0]


def test_no_value_of_a_secret_was_ever_sent() -> None:
    recorded = (Path(CASSETTES) / "kubernetes" / "a_shop.yaml").read_text(encoding="utf-8")
    assert "checkout-db" in recorded
    assert "bmV2ZXItdG8tYmUtc2Vlbg" not in recorded  # never-to-be-seen, as the API encodes it
    assert "YWxzby1uZXZlcg" not in recorded
