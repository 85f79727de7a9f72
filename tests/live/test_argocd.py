"""The same questions as in tests/tools/live/test_argocd.py, asked of a server that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.servers.argocd import ArgoCD as Server
from fixtures.servers.kubernetes_api import KubernetesApi
from tests.live.conftest import or_skip
from tests.tools.live import test_argocd as asked
from tests.tools.live.argocd_history import APPLICATIONS, BEGAN, MINUTE, application, sync


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[asked.Access]:
    found = asked.cloned(tmp_path_factory.mktemp("argocd") / "settings")
    with or_skip(lambda: asked.started(found)) as server:
        yield {**found, "server": server}


@pytest.mark.parametrize(
    "question",
    [
        asked.test_syncs_with_what_they_brought,
        asked.test_a_chart_and_its_parameters_for_each_workload,
        asked.test_the_window_is_half_open_and_what_ended_before_is_not_asked_for,
        asked.test_services_by_a_label_and_a_project,
        asked.test_what_the_doctor_sees,
        asked.test_a_wrong_token,
    ],
)
def test_a_running_server_answers_the_same(question: object, access: asked.Access) -> None:
    question(access)  # type: ignore[operator]


def test_without_a_clone_argocd_tells_of_the_commit(access: asked.Access) -> None:
    """Its repository server reads the repository, here from a folder."""
    server = access["server"]
    assert isinstance(server, Server)
    api = KubernetesApi(server.kubernetes.url, server.kubernetes.token, server.kubernetes.ca_file)
    source = {"repoURL": f"file://{access['clone']}", "path": "checkout", "targetRevision": "main"}
    history = [sync(1, BEGAN + 2000 * MINUTE, access["second"], source, username="ann")]
    api.make(APPLICATIONS, application("told", source, history, "told"))
    argocd, notes = asked.asking(access, clones=False)
    window = asked.TimeWindow(since=BEGAN + 1990 * MINUTE, until=BEGAN + 2010 * MINUTE)
    [change] = argocd.changes(window)
    assert change.title.endswith("the one before it is not kept: Smaller pool for checkout")
    assert (change.author, change.merged_at, change.diff) == ("ann", BEGAN - 10 * MINUTE, None)
    assert list(notes) == []
