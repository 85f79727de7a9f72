"""How a Jaeger is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.live.access import Access


class JaegerConfig(Access):
    """The HTTP API of a Jaeger query service (v1, or v2, which answers the same paths)."""

    kind: Literal["jaeger"] = "jaeger"
    max_traces: int = Field(default=1_200, ge=240, le=50_000)
    """Traces of one answer, about; of more the same number is read in every stretch of the window."""
