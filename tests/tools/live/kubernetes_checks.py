"""What a cluster in which the shop of `shop_cluster` ran has to answer, recorded or live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agent.analysis.diffs import read_diff
from tools.evidence import ChangeEvent, ChangeKind, Edge, TimeWindow
from tools.live.kubernetes import Kubernetes
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting

WINDOW = TimeWindow(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))
"""The cluster is as young as its recording, so that all that it remembers is looked at."""


@dataclass(frozen=True)
class Answers:
    changes: list[ChangeEvent]
    edges: list[Edge]
    sighting: Sighting
    notes: list[str]

    def change(self, id: str) -> ChangeEvent:
        [found] = [change for change in self.changes if change.id.startswith(id)]
        return found


def ask(cluster: Kubernetes, notes: Notebook) -> Answers:
    """All that it is asked for, always the same, so that one cassette serves every check."""
    sighting, changes, edges = cluster.look(WINDOW), cluster.changes(WINDOW), cluster.edges()
    return Answers(changes, edges, sighting, [text for _, text in notes])


def a_rollout_shows_image_and_settings(answers: Answers) -> None:
    change = answers.change("deployment:shop/checkout:2")
    assert (change.kind, change.service, change.version) == (ChangeKind.DEPLOY, "checkout", "1.5.0")
    assert change.before == "registry.example/shop/checkout:1.4.1"
    assert change.after == "registry.example/shop/checkout:1.5.0"
    assert change.title.endswith("(release 1.5.0)")
    assert change.author == "helm"
    assert "-        POOL_SIZE: '20'\n+        POOL_SIZE: '2'\n" in str(change.diff)


def the_analysis_reads_its_diff(answers: Answers) -> None:
    change = answers.change("deployment:shop/checkout:2")
    [pool] = [edit for edit in read_diff(change.diff, change.files).edits if edit.name.endswith("env.POOL_SIZE")]
    assert (pool.number_before, pool.number_after) == (20, 2)


def settings_that_go_by_another_name_are_compared(answers: Answers) -> None:
    change = answers.change("deployment:shop/cart:2")
    assert (change.kind, change.service, change.version) == (ChangeKind.CONFIG, "cart-service", "revision 2")
    assert "-  cache.size=50\n+  cache.size=5\n" in str(change.diff)


def going_back_is_told_when_it_happened(answers: Answers) -> None:
    there, back = answers.change("deployment:shop/cart:2"), answers.change("deployment:shop/cart:3")
    assert back.at > there.at
    assert "went back to an earlier revision" in back.title
    assert "-  cache.size=5\n+  cache.size=50\n" in str(back.diff)
    assert not any(change.id == "deployment:shop/cart:1" and change.at > there.at for change in answers.changes)


def stateful_sets_keep_their_revisions_elsewhere(answers: Answers) -> None:
    change = answers.change("statefulset:shop/db:2")
    assert (change.service, change.before, change.after) == ("db", "postgres:15.4", "postgres:16.1")


def an_edit_by_hand_is_compared_with_the_applied_file(answers: Answers) -> None:
    [change] = [each for each in answers.changes if "checkout-settings changed" in each.title]
    assert (change.kind, change.service, change.after) == (ChangeKind.CONFIG, "checkout", "timeout_ms: '80'")
    assert change.title == "config map checkout-settings changed by kubectl-edit: timeout_ms"
    assert "-  timeout_ms: '800'\n+  timeout_ms: '80'\n" in str(change.diff)


def a_secret_changes_without_its_value(answers: Answers) -> None:
    [change] = [each for each in answers.changes if "secret checkout-db changed" in each.title]
    assert (change.service, change.title) == ("checkout", "secret checkout-db changed by vault-sync: password")
    assert change.before is change.after is change.diff is None


def rules_scalings_nodes_and_certificates(answers: Answers) -> None:
    told = {change.title: (change.kind, change.service) for change in answers.changes}
    assert told["network policy deny-all created"] == (ChangeKind.INFRA, "cart-service")
    assert told["cart-service scaled to 4 replicas: cpu above target"] == (ChangeKind.SCALE, "cart-service")
    assert told["node node-a closed for new pods by kubectl-cordon"] == (ChangeKind.INFRA, None)
    assert told["node node-a is not ready: NodeStatusUnknown"] == (ChangeKind.INFRA, None)
    evicted = "1 pod of checkout had to leave (Evicted): The node was low on resource: memory."
    assert told[evicted] == (ChangeKind.INFRA, "checkout")
    assert told["certificate shop expired"] == (ChangeKind.CERTIFICATE, "shop")


def a_rollout_is_no_scaling(answers: Answers) -> None:
    """The controller reports of replica sets that it scales up and down for the rollouts."""
    assert [change.service for change in answers.changes if change.kind is ChangeKind.SCALE] == ["cart-service"]


def symptoms_are_notes_and_no_suspects(answers: Answers) -> None:
    told = " / ".join(answers.notes)
    assert "checkout: BackOff 7 times" in told
    assert "Back-off restarting failed container" in told
    assert "checkout: OOMKilled 1 time" in told
    assert all("an effect that is not weighed" in note for note in answers.notes)
    assert not any("BackOff" in change.title or "OOMKilled" in change.title for change in answers.changes)


def dependencies_come_from_routes_and_settings(answers: Answers) -> None:
    assert answers.edges == [
        Edge(caller="checkout", callee="cart-service"),
        Edge(caller="checkout", callee="db", kind="data"),
        Edge(caller="shop", callee="checkout"),
    ]


def a_look_tells_what_there_is(answers: Answers) -> None:
    seen = answers.sighting
    assert seen.name.startswith("Kubernetes v1.")
    assert seen.services == ("cart-service", "checkout", "db")
    assert seen.facts[0] == "3 workloads"
    assert seen.troubles == ()
    assert seen.clock is not None


def ids_are_unique_and_times_in_order(answers: Answers) -> None:
    assert len({change.id for change in answers.changes}) == len(answers.changes)
    assert sorted(answers.changes, key=lambda change: change.at) == answers.changes


CHECKS = (
    a_rollout_shows_image_and_settings,
    the_analysis_reads_its_diff,
    settings_that_go_by_another_name_are_compared,
    going_back_is_told_when_it_happened,
    stateful_sets_keep_their_revisions_elsewhere,
    an_edit_by_hand_is_compared_with_the_applied_file,
    a_secret_changes_without_its_value,
    rules_scalings_nodes_and_certificates,
    a_rollout_is_no_scaling,
    symptoms_are_notes_and_no_suspects,
    dependencies_come_from_routes_and_settings,
    a_look_tells_what_there_is,
    ids_are_unique_and_times_in_order,
)
