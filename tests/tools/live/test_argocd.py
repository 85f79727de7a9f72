"""Against what a real Argo CD answered; tests/live/test_argocd.py asks one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.analysis.diffs import read_diff
from tests.live.servers.argocd import ArgoCD as Server, start_argocd
from tests.live.servers.kubernetes_api import KubernetesApi
from tests.tools.live.argocd_history import ADDRESS, BEGAN, MINUTE, fill, repository
from tests.tools.live.conftest import Recorded
from tools.evidence import ChangeKind, TimeWindow, ToolError
from tools.live.argocd import ArgoCD, ArgoCDConfig, backend
from tools.live.argocd.clones import plain_address
from tools.live.notebook import Notebook

WINDOW = TimeWindow(since=BEGAN - 30 * MINUTE, until=BEGAN + 30 * MINUTE)

Access = dict[str, Any]
"""Address and token of a server, and a clone of the repository that it syncs."""


def started(access: Access) -> Server:
    server = start_argocd()
    try:
        api = KubernetesApi(server.kubernetes.url, server.kubernetes.token, server.kubernetes.ca_file)
        fill(api, access["first"], access["second"])
    except BaseException:
        server.stop()
        raise
    access |= {"url": server.url, "bearer_token": server.token}
    return server


def cloned(folder: Path) -> Access:
    made, first, second = repository(folder)
    return {"clone": made.folder, "first": first, "second": second}


@pytest.fixture(scope="module")
def access(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    found = {"bearer_token": "of-nobody", **cloned(tmp_path_factory.mktemp("argocd") / "settings")}
    url = recorded(lambda: started(found))
    yield {**found, "url": url}


def asking(access: Access, clones: bool = True, **config: object) -> tuple[ArgoCD, Notebook]:
    notes = Notebook()
    given = {key: access[key] for key in ("url", "bearer_token")} | config
    return ArgoCD(ArgoCDConfig.model_validate(given), notes, [access["clone"]] if clones else []), notes


@pytest.mark.vcr
def test_syncs_with_what_they_brought(access: Access) -> None:
    argocd, _ = asking(access)
    there, back = [change for change in argocd.changes(WINDOW) if change.service == "checkout"]
    assert (there.id, there.kind, there.at) == ("argocd:argocd/checkout:5", ChangeKind.DEPLOY, BEGAN)
    assert there.title == f"checkout synced to {access['second'][:8]} automatically: Smaller pool for checkout"
    assert (there.author, there.commit) == ("Mia Vogel", access["second"])
    assert there.merged_at == BEGAN - 10 * MINUTE
    assert there.files == ("checkout/deployment.yaml",)
    assert "-pool_size: 20\n+pool_size: 2\n" in str(there.diff)
    assert (there.before, there.after) == (access["first"][:8], access["second"][:8])
    [pool] = [edit for edit in read_diff(there.diff, there.files).edits if edit.name.endswith("pool_size")]
    assert (pool.number_before, pool.number_after) == (20, 2)
    assert back.title.startswith(f"checkout went back to {access['first'][:8]}")
    assert (back.author, back.at) == ("ann", BEGAN + 20 * MINUTE)
    assert "-pool_size: 2\n+pool_size: 20\n" in str(back.diff)


@pytest.mark.vcr
def test_a_chart_and_its_parameters_for_each_workload(access: Access) -> None:
    argocd, notes = asking(access)
    found = [change for change in argocd.changes(WINDOW) if change.author == "bob"]
    assert [(change.id, change.service) for change in found] == [
        ("argocd:argocd/cache:2:cache-a", "cache-a"),
        ("argocd:argocd/cache:2:cache-b", "cache-b"),
    ]
    assert (found[0].before, found[0].after, found[0].version, found[0].commit) == (
        "1.4.0",
        "1.5.0",
        "cache 1.5.0",
        None,
    )
    assert "+- name: memory\n" in str(found[0].diff).replace("+  ", "+").replace("+  ", "+")
    [(_, note)] = notes
    assert "the sync of cache begun at 2026-03-01T12:05:00Z is Failed (one or more objects failed to apply)" in note


@pytest.mark.vcr
def test_the_window_is_half_open_and_what_ended_before_is_not_asked_for(access: Access) -> None:
    argocd, _ = asking(access)
    found = argocd.changes(TimeWindow(since=BEGAN, until=BEGAN + MINUTE))
    assert [change.id for change in found] == ["argocd:argocd/checkout:5"]
    assert argocd.changes(TimeWindow(since=BEGAN + 1000 * MINUTE, until=BEGAN + 1001 * MINUTE)) == []


@pytest.mark.vcr
def test_services_by_a_label_and_a_project(access: Access) -> None:
    argocd, _ = asking(access, service_label="service", projects=["default"])
    assert {change.service for change in argocd.changes(WINDOW)} == {"checkout-service", "cache-service"}
    assert asking(access, projects=["elsewhere"])[0].changes(WINDOW) == []


@pytest.mark.vcr
def test_only_so_many_applications_are_read(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "MAX_APPLICATIONS", 1)
    argocd, notes = asking(access)
    assert {change.service for change in argocd.changes(WINDOW)} == {"checkout"}
    assert any("the syncs of 1 of 2 applications are told" in text for _, text in notes)


@pytest.mark.vcr
def test_what_the_doctor_sees(access: Access) -> None:
    sighting = asking(access)[0].look(WINDOW)
    assert sighting.name.startswith("Argo CD v3.")
    assert sighting.facts == ("3 applications", "4 syncs in the window")
    assert sighting.services == ("cache-a", "cache-b", "checkout", "old")
    assert sighting.troubles == ()


@pytest.mark.vcr
def test_a_wrong_token(access: Access) -> None:
    with pytest.raises(ToolError, match=r"Argo CD at .* answered 401: the credentials are missing or may not read this"):
        asking({**access, "bearer_token": "nonsense"})[0].changes(WINDOW)


@pytest.mark.parametrize(
    "address",
    [
        "git@git.example:shop/settings.git",
        "ssh://git@git.example:22/shop/settings",
        "https://ann@GIT.example/shop/settings.git/",
    ],
)
def test_one_repository_has_many_addresses(address: str) -> None:
    assert plain_address(address) == plain_address(ADDRESS) == "git.example/shop/settings"
