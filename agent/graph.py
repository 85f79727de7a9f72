"""How an incident is investigated: the picture of the product.

triage -> gather (one branch per source) -> correlate -> hypothesize -> probe -> diagnose -> propose_mitigation
    -> request_approval (waits for people) -> mitigate -> verify_recovery -> write_postmortem
"""

from __future__ import annotations

from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from agent.investigation import Investigation
from agent.nodes.correlate import correlate
from agent.nodes.diagnose import diagnose
from agent.nodes.gather import branches, gather
from agent.nodes.hypothesize import hypothesize
from agent.nodes.mitigate import mitigate
from agent.nodes.probe import probe
from agent.nodes.propose_mitigation import propose_mitigation
from agent.nodes.request_approval import request_approval
from agent.nodes.triage import triage
from agent.nodes.verify_recovery import verify_recovery
from agent.nodes.write_postmortem import write_postmortem
from agent.state import Branch, IncidentState
from agent.step import as_node

IncidentGraph = CompiledStateGraph[Any, Investigation, Any, Any]


def build_graph(checkpoints: BaseCheckpointSaver[Any]) -> IncidentGraph:
    """The graph, with its checkpoints; run it with an `Investigation` as context and the incident's id as thread."""
    graph = StateGraph(IncidentState, context_schema=Investigation)
    graph.add_node("triage", as_node(triage))
    graph.add_node("gather", as_node(gather, lambda branch: f"gather.{branch.source.value}"), input_schema=Branch)
    graph.add_node("correlate", as_node(correlate))
    graph.add_node("hypothesize", as_node(hypothesize))
    graph.add_node("probe", as_node(probe))
    graph.add_node("diagnose", as_node(diagnose))
    graph.add_node("propose_mitigation", as_node(propose_mitigation))
    graph.add_node("request_approval", request_approval)
    graph.add_node("mitigate", as_node(mitigate))
    graph.add_node("verify_recovery", as_node(verify_recovery))
    graph.add_node("write_postmortem", as_node(write_postmortem))

    graph.add_edge(START, "triage")
    graph.add_conditional_edges("triage", fan_out, ["gather"])
    graph.add_edge("gather", "correlate")
    graph.add_edge("correlate", "hypothesize")
    graph.add_edge("hypothesize", "probe")
    graph.add_edge("probe", "diagnose")
    graph.add_edge("diagnose", "propose_mitigation")
    graph.add_conditional_edges("propose_mitigation", is_there_to_approve)
    graph.add_conditional_edges("request_approval", was_approved)
    graph.add_edge("mitigate", "verify_recovery")
    graph.add_edge("verify_recovery", "write_postmortem")
    graph.add_edge("write_postmortem", END)
    return graph.compile(checkpointer=checkpoints)


def fan_out(state: IncidentState) -> list[Send]:
    """One gather branch for each source, all at once."""
    return [Send("gather", branch) for branch in branches(state)]


def is_there_to_approve(state: IncidentState) -> Literal["request_approval", "write_postmortem"]:
    """Nothing that whydown could perform means nobody is asked."""
    return "request_approval" if state.approvals else "write_postmortem"


def was_approved(state: IncidentState) -> Literal["mitigate", "write_postmortem"]:
    """Rejected, escalated and expired all mean: nothing is done."""
    return "mitigate" if state.approved else "write_postmortem"
