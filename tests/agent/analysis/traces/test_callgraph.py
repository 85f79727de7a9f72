from __future__ import annotations

import networkx as nx

from agent.analysis.traces.callgraph import call_graph, callees_of, callers_of, deepest, edges_between, paths_to_symptom
from tools.evidence import Edge

EDGES = edges_between(
    [("web", "gate"), ("gate", "shop"), ("gate", "user"), ("shop", "stock"), ("stock", "db"), ("user", "db")]
)
GRAPH = call_graph(EDGES)


def test_edges_are_told_once_without_self_calls() -> None:
    assert edges_between([("a", "b"), ("a", "b"), ("a", "a"), ("", "b")]) == (Edge(caller="a", callee="b"),)


def test_sources_are_joined_and_kinds_are_kept() -> None:
    graph = call_graph([Edge(caller="a", callee="b")], [Edge(caller="a", callee="b", kind="host")], services=["lonely"])
    assert graph.edges["a", "b"]["kinds"] == {"call", "host"}
    assert sorted(graph) == ["a", "b", "lonely"]
    assert nx.utils.graphs_equal(
        graph,
        call_graph(
            [Edge(caller="a", callee="b", kind="host")], EDGES[:0], [Edge(caller="a", callee="b")], services=["lonely"]
        ),
    )


def test_neighbours() -> None:
    assert callees_of(GRAPH, "gate", direct=True) == {"shop", "user"}
    assert callees_of(GRAPH, "gate") == {"shop", "user", "stock", "db"}
    assert callers_of(GRAPH, "db", direct=True) == {"stock", "user"}
    assert callers_of(GRAPH, "stock") == {"shop", "gate", "web"}
    assert callees_of(GRAPH, "nobody") == callers_of(GRAPH, "nobody") == frozenset()


def test_paths_run_from_the_cause_to_the_symptom_shortest_first() -> None:
    assert paths_to_symptom(GRAPH, "db", "web") == (
        ("db", "user", "gate", "web"),
        ("db", "stock", "shop", "gate", "web"),
    )
    assert paths_to_symptom(GRAPH, "db", "web", limit=1) == (("db", "user", "gate", "web"),)
    assert paths_to_symptom(GRAPH, "web", "db") == ()
    assert paths_to_symptom(GRAPH, "db", "db") == (("db",),)
    assert paths_to_symptom(GRAPH, "db", "nobody") == ()


def test_the_deepest_deviating_services() -> None:
    assert deepest(GRAPH, ["web", "gate", "shop", "stock"]) == ("stock",)
    assert deepest(GRAPH, ["web", "gate", "stock", "user"]) == ("stock", "user")
    assert deepest(GRAPH, ["web", "db"]) == ("db", "web")
    assert deepest(GRAPH, ["web", "db"], silent=["gate", "user"]) == ("db",)
    assert deepest(GRAPH, ["nobody", "web"]) == ("nobody", "web")


def test_a_circle_is_told_whole() -> None:
    graph = call_graph(edges_between([("web", "a"), ("a", "b"), ("b", "a")]))
    assert deepest(graph, ["web", "a", "b"]) == ("a", "b")


def test_names_that_resemble_each_other_are_not_joined() -> None:
    graph = call_graph(edges_between([("web", "stock"), ("stock-api", "db")]))
    assert callees_of(graph, "web") == {"stock"}
