"""Request approval: wait for a person's word. A resumed node runs again from its top, so nothing else happens here."""

from __future__ import annotations

from typing import Any

from langgraph.types import interrupt

from agent.state import IncidentState


def request_approval(state: IncidentState) -> dict[str, Any]:
    """Stop until the runner brings the ids of the approvals that people gave; none when they gave none."""
    return {"approved": interrupt({"approvals": state.approvals})}
