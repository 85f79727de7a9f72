"""The words of telemetry: which column is which, severities and statuses, and text that is safe to show.

The synonyms are those that OpenTelemetry (logs data model, trace semantic conventions) and the Elastic Common Schema
use in their exports.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

MAX_NAME = 200
"""Longest service, metric or operation name that is kept; a longer one is a payload that slipped into a name."""
MAX_TEXT = 32_768
"""Longest log body or attribute that is kept, in characters: a deep stack trace fits, a dumped request does not."""

UNKNOWN_SERVICE = "unknown_service"
"""What OpenTelemetry's resource convention calls a service that does not say its name."""

_TIME = ("timestamp", "@timestamp", "time", "ts", "datetime", "timeunixnano", "time_unix_nano")
_SERVICE = ("service", "service.name", "service_name", "servicename", "resource.service.name", "app")
_INSTANCE = ("instance", "service.instance.id", "instance_id", "pod", "k8s.pod.name", "host", "host.name", "hostname")
_TRACE = ("trace_id", "traceid", "trace.id")
_SPAN = ("span_id", "spanid", "span.id")

METRIC_KEYS: Mapping[str, tuple[str, ...]] = {
    "timestamp": _TIME,
    "service": _SERVICE,
    "instance": _INSTANCE,
    "metric": ("metric", "metric_name", "metric.name", "name", "__name__"),
    "value": ("value", "val"),
    "unit": ("unit",),
}
LOG_KEYS: Mapping[str, tuple[str, ...]] = {
    "timestamp": (*_TIME, "observedtimeunixnano"),
    "service": _SERVICE,
    "instance": _INSTANCE,
    "severity": (
        "severity",
        "severity_text",
        "severitytext",
        "level",
        "log.level",
        "severity_number",
        "severitynumber",
    ),
    "body": ("body", "message", "msg", "body.stringvalue", "log", "event"),
    "trace_id": _TRACE,
    "span_id": _SPAN,
}
SPAN_KEYS: Mapping[str, tuple[str, ...]] = {
    "trace_id": _TRACE,
    "span_id": _SPAN,
    "parent_span_id": ("parent_span_id", "parent_id", "parentspanid", "parentid", "parent.id"),
    "service": _SERVICE,
    "name": ("name", "operation", "operation_name", "operationname", "span.name", "span_name"),
    "kind": ("kind", "span_kind", "spankind", "span.kind"),
    "start": ("start", "start_time", "starttime", "starttimeunixnano", "start_time_unix_nano", *_TIME),
    "end": ("end", "end_time", "endtime", "endtimeunixnano", "end_time_unix_nano"),
    "duration_ms": ("duration_ms", "durationms"),
    "duration_us": ("duration_us",),
    "duration_ns": ("duration_ns",),
    "duration": ("duration",),
    "status": ("status", "status_code", "statuscode", "status.code", "otel.status_code"),
}

_SEVERITIES = {
    "TRACE": ("trace", "verbose", "finest", "finer"),
    "DEBUG": ("debug", "fine", "d"),
    "INFO": ("info", "information", "informational", "notice", "i", "log", "default", ""),
    "WARN": ("warn", "warning", "w"),
    "ERROR": ("error", "err", "severe", "critical", "crit", "e"),
    "FATAL": ("fatal", "emerg", "emergency", "alert", "panic", "f"),
}
_PINO = {"30": "INFO", "40": "WARN", "50": "ERROR", "60": "FATAL"}
"""The numbers of Pino and Bunyan, as far as they do not collide with OpenTelemetry's."""
_SEVERITY_OF = {word: name for name, words in _SEVERITIES.items() for word in words} | _PINO
_NUMBERED = tuple(_SEVERITIES)
"""OpenTelemetry's severity numbers run 1..24 in steps of four: 1-4 TRACE, 5-8 DEBUG, ... 21-24 FATAL."""

_STATUS_OF = {
    "ok": "OK",
    "status_code_ok": "OK",
    "success": "OK",
    "1": "OK",
    "error": "ERROR",
    "status_code_error": "ERROR",
    "failed": "ERROR",
    "2": "ERROR",
}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters and the marks that turn the reading direction round, which can make a line show what it is not."""
_CUT = re.compile(r"… \(\+\d+ characters\)")
"""What a cut text ends with, behind its limit."""


def layout(keys: Iterable[str], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Which of the `keys` of a record or header carries which wanted column; the first synonym listed wins."""
    lowered = {key.strip().lower(): key for key in reversed(list(keys))}
    found = {column: next((lowered[n] for n in names if n in lowered), None) for column, names in wanted.items()}
    return {column: key for column, key in found.items() if key is not None}


def severity(word: object) -> str:
    """Normalise a severity word or OpenTelemetry severity number; a word nobody knows reads as INFO."""
    text = str(word).strip().lower() if word is not None else ""
    if text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= 24:
        return _NUMBERED[(int(text[:3]) - 1) // 4]
    if text in _SEVERITY_OF:
        return _SEVERITY_OF[text]
    # "SEVERITY_NUMBER_ERROR2", "LogLevel.Warning", "ERROR3": the word is in there, with a number behind it.
    last = re.split(r"[._\s]", text.rstrip("0123456789"))[-1]
    return _SEVERITY_OF.get(last, "INFO")


def span_status(word: object) -> str:
    """OK, ERROR or "" from OpenTelemetry's status words and numbers, or from an HTTP status code."""
    text = str(word).strip().lower() if word is not None else ""
    if text.isascii() and text.isdigit() and len(text) == 3:
        return "ERROR" if text[0] == "5" else "OK" if text[0] in "123" else ""
    return _STATUS_OF.get(text, "")


def span_kind(word: object) -> str:
    """OpenTelemetry's span kind in lower case, "" when unknown; numbers as in its protocol (1 internal, 5 consumer)."""
    text = str(word).strip().lower().removeprefix("span_kind_") if word is not None else ""
    numbered = {"1": "internal", "2": "server", "3": "client", "4": "producer", "5": "consumer"}
    text = numbered.get(text, text)
    return text if text in numbered.values() else ""


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """Text without terminal escapes, control characters (tab and newline stay) or lone surrogates, cut at `limit`.

    Cleaning twice changes nothing, so that what was cut once can be written down and read again.
    """
    if len(text) <= limit and text.isprintable():
        return text
    if not text.isprintable():
        text = text[: limit * 4].encode("utf-8", "replace").decode("utf-8")
        text = _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))
    if len(text) <= limit or _CUT.fullmatch(text, limit):
        return text
    return f"{text[:limit]}… (+{len(text) - limit} characters)"


def clean_name(text: str) -> str:
    """A name on one line: no control characters, no surrounding blanks, at most MAX_NAME characters."""
    text = text.strip()
    if not text.isprintable():
        text = " ".join(clean_text(text).split())
    return text[:MAX_NAME]


def counted(count: int, one: str, many: str = "") -> str:
    """`1 change`, `2 changes`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for a near miss, else the names there are (at most eight), ready to end a message."""
    names = sorted(known)
    near = difflib.get_close_matches(str(word), names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    shown = ", ".join(names[:8])
    return f"; there are {shown}{', ...' if len(names) > 8 else ''}" if names else ""
