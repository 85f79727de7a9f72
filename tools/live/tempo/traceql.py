"""TraceQL, written with its values escaped (https://grafana.com/docs/tempo/latest/traceql/)."""

from __future__ import annotations

import orjson


def of_service(service: str, *, only_failed: bool) -> str:
    """Traces with a span of the service, or only those in which such a span failed."""
    failed = " && status = error" if only_failed else ""
    return f"{{ resource.service.name = {quoted(service)}{failed} }}"


def quoted(value: str) -> str:
    """A string literal. TraceQL reads it as Go does, which knows every escape that JSON writers use."""
    return orjson.dumps(value).decode()
