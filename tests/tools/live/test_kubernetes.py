"""Against answers recorded from a real API server with its controllers; `shop_cluster` is what happened there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.servers.kubernetes import Kubernetes as Server, start_kubernetes
from tests.tools.live.conftest import CASSETTES, Recorded
from tests.tools.live.kubernetes_checks import CHECKS, WINDOW, Answers, ask
from tests.tools.live.shop_cluster import Cluster, fill, happen
from tools.evidence import ToolError
from tools.live import enquiry
from tools.live.kubernetes import Kubernetes, KubernetesConfig
from tools.live.notebook import Notebook


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiry, "AT_ONCE", 1)


@pytest.fixture(scope="module")
def configs(recorded: Recorded) -> Iterator[Callable[[str], KubernetesConfig]]:
    """The way into the cluster for its administrator and for somebody who may read nothing."""
    started: list[Server] = []

    def start() -> Server:
        started.append(start_kubernetes())
        cluster = Cluster(started[0].url, started[0].token, started[0].ca_file)
        fill(cluster)
        happen(cluster)
        return started[0]

    url = recorded(start)

    def config(who: str) -> KubernetesConfig:
        token, ca_file = (getattr(started[0], who), started[0].ca_file) if started else (f"{who}-of-nobody", None)
        return KubernetesConfig(url=url, bearer_token=token, ca_file=ca_file)

    yield config


@pytest.fixture
def answers(configs: Callable[[str], KubernetesConfig]) -> Answers:
    notes = Notebook()
    return ask(Kubernetes(configs("token"), notes), notes)


@pytest.mark.vcr
@pytest.mark.default_cassette("a_shop.yaml")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_recorded_cluster(answers: Answers, check: Callable[[Answers], None]) -> None:
    check(answers)


@pytest.mark.vcr
def test_somebody_who_may_read_nothing_is_told_so(configs: Callable[[str], KubernetesConfig]) -> None:
    with pytest.raises(ToolError, match=r"answered 403: the credentials are missing or may not read this.*stranger"):
        Kubernetes(configs("stranger"), Notebook()).changes(WINDOW)


def test_no_value_of_a_secret_was_ever_sent() -> None:
    recorded = (Path(CASSETTES) / "kubernetes" / "a_shop.yaml").read_text(encoding="utf-8")
    assert "checkout-db" in recorded
    assert "bmV2ZXItdG8tYmUtc2Vlbg" not in recorded  # never-to-be-seen, as the API encodes it
    assert "YWxzby1uZXZlcg" not in recorded
