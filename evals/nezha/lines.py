"""Reads one log line of a Nezha export: what the container wrote, wrapped in the runtime's JSON.

What was written may be JSON again (zap, pino, Python's json loggers) or text that begins with a clock, a level and the
place in the code. Ids of trace and span are taken off the front: the export has columns for them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import orjson

from tools.attributes import scalar_text
from tools.words import LOG_KEYS, clean_text, layout, severity

_IDS = r"(?:TraceID:\s*\S+\s+SpanID:\s*\S+(?:\s+|$))?"
_TEXT = re.compile(
    r"\s*(?:(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\s+)?"
    r"(?:\[?(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL)\]?:?\s+)?"
    r"(?:(?P<place>-|\S+#\d+)\s+)?" + _IDS + r"(?P<message>.*)",
    re.DOTALL | re.ASCII,
)
_MESSAGE = re.compile(r"\s*" + _IDS + r"(?P<message>.*)", re.DOTALL | re.ASCII)
_ERROR_KEYS = ("error", "err", "exception", "exc_info", "stack", "stacktrace", "stack_trace")
"""Where structured loggers put the error that a message is about."""


class Line(NamedTuple):
    """What a line says; "" for what it does not say."""

    severity: str
    body: str
    place: str
    """The statement that wrote it, as the logger names it; the body begins with it."""
    error: str
    time: str
    """When the container's runtime took it."""


NO_LINE = Line("", "", "", "", "")


def read_line(raw: str) -> Line | None:
    """Read the export's JSON around a line; None when it is none."""
    try:
        wrapped = orjson.loads(raw)
        text, time = wrapped["log"], wrapped.get("time", "")
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(text, str) or not isinstance(time, str):
        return None
    return _structured(text, time) or _plain(text, time)


def _structured(text: str, time: str) -> Line | None:
    """A line that is a JSON object with a message; None when it is something else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    keys = layout(record, {name: LOG_KEYS[name] for name in ("severity", "body")})
    if "body" not in keys:
        return None
    told = _MESSAGE.match(scalar_text(record[keys["body"]]))
    error = next((record[key] for key in _ERROR_KEYS if record.get(key)), "")
    return Line(
        severity=severity(record.get(keys.get("severity", ""))),
        body=told["message"].rstrip() if told else "",
        place="",
        error=scalar_text(error),
        time=time,
    )


def _plain(text: str, time: str) -> Line:
    told = _TEXT.match(text)
    level, place, message = (told["level"], told["place"], told["message"]) if told else ("", "", text)
    place = "" if place in (None, "-") else place
    return Line(
        severity=severity(level),
        body=clean_text(f"{place} {message}".strip()),
        place=place,
        error="",
        time=time,
    )
