"""Reads what a Tempo answers: found traces, and a trace as OTLP in JSON (opentelemetry-proto, trace/v1)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from tools.live.span_rows import EXCEPTION, INSTANCES, Span

HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
TRACE_LENGTH, SPAN_LENGTH = 32, 16


def services_of(answer: JsonValue) -> list[str]:
    """Values of a tag."""
    values = answer.get("tagValues") if isinstance(answer, dict) else None
    return [str(each["value"]) for each in _objects(values) if each.get("value")]


def found_in(answer: JsonValue) -> list[str]:
    """Ids of the traces of a search, in full length: Tempo drops leading zeros."""
    traces = answer.get("traces") if isinstance(answer, dict) else None
    return [str(each["traceID"]).rjust(TRACE_LENGTH, "0") for each in _objects(traces) if each.get("traceID")]


def spans_of(answer: JsonValue) -> list[Span]:
    """The spans of a trace; what is no span is left out. `/api/v2/traces` puts it into `trace`, v1 has it bare."""
    if not isinstance(answer, dict):
        return []
    inner = answer.get("trace")
    trace = inner if isinstance(inner, dict) else answer
    batches = trace.get("batches") or trace.get("resourceSpans")
    return [span for batch in _objects(batches) for span in _of_batch(batch)]


def _of_batch(batch: Mapping[str, JsonValue]) -> Iterator[Span]:
    resource = batch.get("resource")
    about = _attributes(resource.get("attributes")) if isinstance(resource, dict) else {}
    for scope in _objects(batch.get("scopeSpans") or batch.get("instrumentationLibrarySpans")):
        for told in _objects(scope.get("spans")):
            span = _span(told, about)
            if span is not None:
                yield span


def _span(told: Mapping[str, JsonValue], about: Mapping[str, object]) -> Span | None:
    start, end = _nanoseconds(told.get("startTimeUnixNano")), _nanoseconds(told.get("endTimeUnixNano"))
    if start is None or end is None:
        return None
    status = told.get("status")
    return Span(
        trace_id=_hex(told.get("traceId"), TRACE_LENGTH),
        span_id=_hex(told.get("spanId"), SPAN_LENGTH),
        parent_span_id=_hex(told.get("parentSpanId"), SPAN_LENGTH),
        service=str(about.get("service.name", "")),
        name=str(told.get("name", "")),
        start_us=start // 1000,
        duration_us=(end - start) / 1000,
        attributes={name: about[name] for name in INSTANCES if name in about} | _attributes(told.get("attributes")),
        exception=_exception(told.get("events")),
        kind=told.get("kind"),
        status=status.get("code") if isinstance(status, dict) else None,
    )


def _hex(value: JsonValue, length: int) -> str:
    """An id as hexadecimal: JSON of OTLP has it so, that of protobuf in Base64, which has another length."""
    text = value if isinstance(value, str) else ""
    if not text or (len(text) == length and HEXADECIMAL.fullmatch(text)):
        return text.lower()
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return text


def _exception(events: JsonValue) -> dict[str, object]:
    for event in _objects(events):
        fields = _attributes(event.get("attributes"))
        if any(name in fields for name in EXCEPTION):
            return {name: fields[name] for name in EXCEPTION if name in fields}
    return {}


def _attributes(value: JsonValue) -> dict[str, object]:
    return {str(each["key"]): _value(each.get("value")) for each in _objects(value) if each.get("key")}


def _value(value: JsonValue) -> object:
    """The scalar inside of an `AnyValue`; lists as their items, parted by commas."""
    if not isinstance(value, dict):
        return value
    for kind, inner in value.items():
        if kind == "arrayValue" and isinstance(inner, dict):
            return ", ".join(str(_value(item)) for item in _list(inner.get("values")))
        if kind == "intValue":
            return int(inner) if isinstance(inner, str) and inner.lstrip("-").isdecimal() else inner
        if kind in {"stringValue", "boolValue", "doubleValue", "bytesValue"}:
            return inner
    return None


def _nanoseconds(value: JsonValue) -> int | None:
    """64-bit numbers come as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _objects(value: JsonValue) -> Iterable[dict[str, JsonValue]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
