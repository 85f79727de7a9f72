"""The graph of services: who calls whom, joined from spans, written dependencies and what logs complain of.

Nodes are services under the names that telemetry gives them; names are compared as they are, never by resemblance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

import networkx as nx

from tools.evidence import Edge

MAX_PATHS = 3
"""Paths from a cause to the symptom that are told; a fourth one convinces nobody."""


def edges_between(pairs: Iterable[tuple[str, str]]) -> tuple[Edge, ...]:
    """Call edges of (caller, callee) pairs, each once, in order; a service that calls itself is left out."""
    return tuple(Edge(caller=a, callee=b) for a, b in sorted(set(pairs)) if a and b and a != b)


def call_graph(*groups: Iterable[Edge], services: Iterable[str] = ()) -> nx.DiGraph[str]:
    """The graph caller -> callee of all edges; `services` without an edge are nodes too.

    An edge has the attribute `kinds`, the set of its kinds (call, data, host). Node order is alphabetical, so that
    whatever walks the graph gives the same answer every time.
    """
    edges = sorted({(edge.caller, edge.callee, edge.kind) for group in groups for edge in group})
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted({*services, *(caller for caller, _, _ in edges), *(callee for _, callee, _ in edges)}))
    for caller, callee, kind in edges:
        if caller != callee:
            kinds = graph.get_edge_data(caller, callee, {"kinds": frozenset()})["kinds"]
            graph.add_edge(caller, callee, kinds=kinds | {kind})
    return graph


def callees_of(graph: nx.DiGraph[str], service: str, *, direct: bool = False) -> frozenset[str]:
    """What a service depends on, directly or through others; empty for a service the graph does not know."""
    if service not in graph:
        return frozenset()
    return frozenset(graph.successors(service) if direct else nx.descendants(graph, service))


def callers_of(graph: nx.DiGraph[str], service: str, *, direct: bool = False) -> frozenset[str]:
    """Who depends on a service, directly or through others; empty for a service the graph does not know."""
    if service not in graph:
        return frozenset()
    return frozenset(graph.predecessors(service) if direct else nx.ancestors(graph, service))


def paths_to_symptom(
    graph: nx.DiGraph[str], cause: str, symptom: str, limit: int = MAX_PATHS
) -> tuple[tuple[str, ...], ...]:
    """Paths cause -> ... -> symptom against the direction of calls, shortest first; () when there is none."""
    if cause not in graph or symptom not in graph:
        return ()
    if cause == symptom:
        return ((cause,),)
    try:
        return tuple(tuple(reversed(p)) for p in islice(nx.shortest_simple_paths(graph, symptom, cause), limit))
    except nx.NetworkXNoPath:
        return ()


def deepest(graph: nx.DiGraph[str], deviating: Collection[str], silent: Collection[str] = ()) -> tuple[str, ...]:
    """The deviating services that no deviating callee explains, in order of name.

    A callee explains its caller along calls through services that deviate too, or that are `silent`: without telemetry
    of their own they may have passed it on. Services that call each other in a circle explain each other; all of the
    circle is told. A service the graph does not know explains only itself.
    """
    chosen = frozenset(deviating)
    sight = graph.subgraph((chosen | frozenset(silent)) & frozenset(graph))
    circles = {node: frozenset(circle) for circle in nx.strongly_connected_components(sight) for node in circle}
    found: list[str] = []
    for service in sorted(chosen):
        below = nx.descendants(sight, service) if service in sight else set[str]()
        if not (below & chosen) - circles.get(service, frozenset()):
            found.append(service)
    return tuple(found)
