"""How a Tempo is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.live.access import Access


class TempoConfig(Access):
    """The HTTP API of a Grafana Tempo; a tenant is named by `headers = { X-Scope-OrgID = "..." }`."""

    kind: Literal["tempo"] = "tempo"
    max_traces: int = Field(default=1_000, ge=240, le=20_000)
    """Traces of one answer, about; each costs a question of its own."""
