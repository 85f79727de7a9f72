"""Against what a real Argo CD answered; tests/live/test_argocd.py asks one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.analysis.diffs import read_diff
from fixtures.servers.argocd import ArgoCD as Server, start_argocd
from fixtures.servers.kubernetes_api import KubernetesApi
from tests.tools.live.argocd_history import ADDRESS, BEGAN, MINUTE, application, fill, repository, sync
from tests.tools.live.conftest import Recorded
from tests.tools.live.documents import Documents
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
    assert "+  parameters:\n+    memory: 64Mi\n" in str(found[0].diff)
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
    with pytest.raises(
        ToolError, match=r"Argo CD at .* answered 401: the credentials are missing or may not read this"
    ):
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


def answering(access: Access, documents: dict[str, Any], clones: bool = False) -> tuple[ArgoCD, Notebook]:
    """Answered by documents in the form of those that the server sent."""
    found, notes = asking({**access, "url": "https://argocd.test"}, clones=clones)
    found._http.session.mount("https://", Documents(documents))  # pyright: ignore[reportPrivateUsage]
    return found, notes


def documents_of(name: str, revision: str) -> dict[str, Any]:
    source = {"repoURL": ADDRESS, "path": "checkout"}
    history = [sync(1, BEGAN - 50 * MINUTE, "a" * 40, source), sync(2, BEGAN, revision, source, automated=True)]
    one = application(name, source, history, name)
    return {backend.PATH: {"items": [one]}, f"{backend.PATH}/{name}": one}


def test_who_committed_is_asked_for_without_a_clone(access: Access) -> None:
    told = {"author": "Mia Vogel <mia@example.invalid>", "date": "2026-03-01T11:50:00Z", "message": "Pool\n\nSmaller."}
    place = f"{backend.PATH}/stock/revisions/{'b' * 40}/metadata"
    argocd, notes = answering(access, documents_of("stock", "b" * 40) | {place: told})
    [change] = argocd.changes(WINDOW)
    assert change.title == "stock synced to bbbbbbbb automatically: Pool"
    assert (change.author, change.merged_at) == ("Mia Vogel <mia@example.invalid>", BEGAN - 10 * MINUTE)
    assert list(notes) == []


def test_a_commit_that_cannot_be_looked_up_is_a_note(access: Access) -> None:
    argocd, notes = answering(access, documents_of("stock", "b" * 40))
    [change] = argocd.changes(WINDOW)
    assert (change.title, change.author, change.commit) == ("stock synced to bbbbbbbb automatically", None, "b" * 40)
    [(_, note)] = notes
    assert "authors and titles of commits are unknown: Argo CD at https://argocd.test answered 404" in note


def test_a_clone_that_was_not_fetched_is_a_note(access: Access) -> None:
    argocd, notes = answering(access, documents_of("stock", "b" * 40), clones=True)
    [change] = argocd.changes(WINDOW)
    assert change.diff is None
    assert any("aaaaaaaa to bbbbbbbb is not in the clone, fetch it" in text for _, text in notes)


def test_a_revision_that_is_no_commit_never_reaches_git(access: Access) -> None:
    argocd, notes = answering(access, documents_of("stock", "--output=/etc/passwd"), clones=True)
    [change] = argocd.changes(WINDOW)
    assert (change.commit, change.diff) == (None, None)
    assert list(notes) == []


def test_an_application_that_makes_no_sense_is_a_note(access: Access) -> None:
    documents = documents_of("stock", "b" * 40)
    documents[backend.PATH]["items"].append({"metadata": {"labels": {}}})
    argocd, notes = answering(access, documents, clones=True)
    assert len(argocd.changes(WINDOW)) == 1
    assert any("an application was left out: metadata.name: Field required" in text for _, text in notes)


def test_something_else_than_argocd(access: Access) -> None:
    with pytest.raises(ToolError, match="without a list of applications; is this the address of Argo CD"):
        answering(access, {backend.PATH: {"items": "none"}})[0].changes(WINDOW)
