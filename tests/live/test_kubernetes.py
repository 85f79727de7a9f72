"""The same questions as in tests/tools/live/test_kubernetes.py, asked of a cluster that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fixtures.servers.kubernetes import Kubernetes as Server
from tests.live.conftest import or_skip
from tests.tools.live import test_kubernetes as asked
from tests.tools.live.kubernetes_checks import CHECKS, WINDOW, Answers, ask
from tools.live.kubernetes import Kubernetes, KubernetesConfig
from tools.live.notebook import Notebook


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with or_skip(asked.started_shop) as running:
        assert isinstance(running, Server)
        yield running


@pytest.fixture(scope="module")
def configs(shop: Server) -> asked.Configs:
    return asked.configs_of(shop)


@pytest.fixture(scope="module")
def answers(configs: asked.Configs) -> Answers:
    notes = Notebook()
    return ask(Kubernetes(configs("token"), notes), notes)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_running_cluster_answers_the_same(answers: Answers, check: Callable[[Answers], None]) -> None:
    check(answers)


@pytest.mark.parametrize(
    "question",
    [
        asked.test_somebody_who_may_read_nothing_is_told_so,
        asked.test_what_may_not_be_read_is_named,
        asked.test_small_pages_hold_the_same,
        asked.test_a_list_that_cannot_go_on_is_asked_for_whole,
        asked.test_one_namespace_alone,
    ],
)
def test_other_questions(question: object, configs: asked.Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = question.__code__.co_varnames[: question.__code__.co_argcount]  # type: ignore[attr-defined]
    given = {"configs": configs, "monkeypatch": monkeypatch}
    question(**{name: given[name] for name in wanted})  # type: ignore[operator]


def test_a_kubeconfig_leads_to_the_same_cluster(shop: Server, answers: Answers) -> None:
    cluster = Kubernetes(KubernetesConfig(kubeconfig=shop.kubeconfig), Notebook())
    assert cluster.changes(WINDOW) == answers.changes
