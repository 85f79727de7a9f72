"""Reads what a Jaeger answers: services, dependencies and traces in its own JSON (`model/json` of its sources)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from tools.evidence import Edge
from tools.live.span_rows import EXCEPTION, INSTANCES, Span

SKEW = "clock skew"
NOT_DONE = "disabled"
"""Words of its warnings about clocks."""


def names_of(data: Iterable[JsonValue]) -> list[str]:
    """The texts of a list."""
    return [name for name in data if isinstance(name, str) and name]


def dependencies_of(data: Iterable[JsonValue]) -> list[Edge]:
    """Who calls whom, each pair once."""
    pairs = {
        (str(each["parent"]), str(each["child"]))
        for each in data
        if isinstance(each, dict) and each.get("parent") and each.get("child") and each["parent"] != each["child"]
    }
    return [Edge(caller=caller, callee=callee) for caller, callee in sorted(pairs)]


def errors_of(value: JsonValue) -> str:
    """What went wrong, in the server's words; "" where nothing did."""
    return "; ".join(str(each.get("msg", each)) for each in _list(value) if isinstance(each, dict))


def spans_of(trace: JsonValue) -> list[Span]:
    """The spans of one trace; what is no span is left out."""
    if not isinstance(trace, dict):
        return []
    processes = _objects(trace.get("processes"))
    return [span for each in _list(trace.get("spans")) if (span := _span(each, processes)) is not None]


def moved_spans(trace: JsonValue) -> int:
    """How many spans of a trace Jaeger shows at another time than they were sent with.

    It does so where the clocks of two machines disagree, and only where `query.max-clock-skew-adjustment` lets it; else it
    says that it did not.
    """
    if not isinstance(trace, dict):
        return 0
    warnings = [
        [str(each).lower() for each in _list(span.get("warnings"))]
        for span in _list(trace.get("spans"))
        if isinstance(span, dict)
    ]
    return sum(any(SKEW in each and NOT_DONE not in each for each in of_span) for of_span in warnings)


def _span(told: JsonValue, processes: Mapping[str, Mapping[str, JsonValue]]) -> Span | None:
    if not isinstance(told, dict):
        return None
    start, duration = told.get("startTime"), told.get("duration")
    if not isinstance(start, int) or not isinstance(duration, int | float):
        return None
    process = processes.get(str(told.get("processID")), {})
    tags = _tags(told.get("tags"))
    about = {name: value for name, value in _tags(process.get("tags")).items() if name in INSTANCES}
    return Span(
        trace_id=str(told.get("traceID", "")),
        span_id=str(told.get("spanID", "")),
        parent_span_id=_parent(told),
        service=str(process.get("serviceName", "")),
        name=str(told.get("operationName", "")),
        start_us=start,
        duration_us=float(duration),
        attributes={**about, **{name: value for name, value in tags.items() if name != "error"}},
        exception=_exception(told.get("logs")),
        kind=tags.get("span.kind"),
        status=_status(tags),
    )


def _status(tags: Mapping[str, JsonValue]) -> JsonValue:
    """OpenTelemetry's status; else OpenTracing's tag `error`."""
    if "otel.status_code" in tags:
        return tags["otel.status_code"]
    return "error" if str(tags.get("error", "")).lower() == "true" else None


def _parent(told: Mapping[str, JsonValue]) -> str:
    """The span that this one is a child of, or else follows from, within the same trace."""
    found = {
        str(each.get("refType")): str(each.get("spanID", ""))
        for each in reversed(_list(told.get("references")))
        if isinstance(each, dict) and each.get("traceID") == told.get("traceID")
    }
    return found.get("CHILD_OF") or found.get("FOLLOWS_FROM") or ""


def _exception(logs: JsonValue) -> dict[str, object]:
    for event in _list(logs):
        fields = _tags(event.get("fields")) if isinstance(event, dict) else {}
        if any(name in fields for name in EXCEPTION):
            return {name: fields[name] for name in EXCEPTION if name in fields}
    return {}


def _tags(value: JsonValue) -> dict[str, JsonValue]:
    return {str(each["key"]): each.get("value") for each in _list(value) if isinstance(each, dict) and each.get("key")}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _objects(value: JsonValue) -> dict[str, Mapping[str, JsonValue]]:
    if not isinstance(value, dict):
        return {}
    return {name: each for name, each in value.items() if isinstance(each, dict)}
