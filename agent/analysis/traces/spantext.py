"""What status and attributes say of each span: did it fail, what did it say, did somebody lose patience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.analysis.logs.typical import shown
from agent.analysis.logs.wording import speaks_of_cancellation, speaks_of_deadline, speaks_of_failure

Flags = NDArray[np.bool_]

_FALSE = frozenset({"", "false", "0", "none", "null", "no", "ok"})
_FLAG = frozenset({"true", "1", "yes"})
_HTTP = ("http.status_code", "http.response.status_code")
_GRPC = ("rpc.grpc.status_code", "grpc.status_code", "rpc.status_code")
_MESSAGES = (
    "exception.message",
    "error.message",
    "error",
    "status_message",
    "status.message",
    "otel.status_description",
    "exception.type",
    "error.type",
)
_TELLING = frozenset((*_HTTP, *_GRPC, *_MESSAGES))
_GRPC_NAMES = {
    "1": "Canceled",
    "4": "DeadlineExceeded",
    "8": "ResourceExhausted",
    "13": "Internal",
    "14": "Unavailable",
}
"""The codes of the gRPC status table that say why, by number."""


@dataclass(frozen=True)
class SpanTexts:
    """Row by row."""

    error: Flags
    deadline: Flags
    """The message says that patience ran out."""
    cancellation: Flags
    """The message says that the caller gave up."""
    message: NDArray[np.object_]
    """What the span says about its failure, masked and cut; "" when it did not fail or says nothing."""
    attributes: NDArray[np.object_]


def read_texts(status: NDArray[np.object_], attributes: NDArray[np.object_]) -> SpanTexts:
    """Read the status ("OK", "ERROR" or "") and the attributes (flat dicts of strings) of each span."""
    error = np.asarray(status == "ERROR", dtype=np.bool_)
    message = np.full(len(status), "", dtype=object)
    deadline, cancellation = np.zeros(len(status), dtype=np.bool_), np.zeros(len(status), dtype=np.bool_)
    for row, found in enumerate(attributes):
        if not found or _TELLING.isdisjoint(found):
            continue
        error[row] = error[row] or _fails(found, str(status[row]))
        if error[row]:
            message[row] = shown(_message(found))
            deadline[row], cancellation[row] = _patience(message[row])
    return SpanTexts(error, deadline, cancellation, message, attributes)


def _fails(attributes: Mapping[str, str], status: str) -> bool:
    if attributes.get("error", "").lower() not in _FALSE:
        return True
    if _http_status(attributes) >= 500:
        return True
    if status == "OK":
        return False
    if any(attributes.get(key, "").lower() not in _FALSE for key in _GRPC):
        return True
    if attributes.get("exception.message") or attributes.get("exception.type"):
        return True
    return any(speaks_of_failure(attributes.get(key, "")) for key in _MESSAGES)


def _message(attributes: Mapping[str, str]) -> str:
    told = (attributes.get(key, "") for key in _MESSAGES)
    text = next((t for t in told if t.lower() not in _FALSE and t.lower() not in _FLAG), "")
    kind = attributes.get("exception.type", "")
    if kind and text and kind not in text:
        text = f"{kind}: {text}"
    grpc = next((attributes[key] for key in _GRPC if attributes.get(key, "").lower() not in _FALSE), "")
    name = _GRPC_NAMES.get(grpc, f"gRPC status {grpc}" if grpc else "")
    if name and name.lower() not in text.lower():
        text = f"{text} ({name})" if text else name
    if text:
        return text
    http = _http_status(attributes)
    return f"HTTP {http}" if http >= 400 else ""


def _http_status(attributes: Mapping[str, str]) -> int:
    """The HTTP status code, 0 without one."""
    for key in _HTTP:
        text = attributes.get(key, "")
        if len(text) == 3 and text.isascii() and text.isdigit():
            return int(text)
    return 0


@lru_cache(maxsize=8192)
def _patience(message: str) -> tuple[bool, bool]:
    return speaks_of_deadline(message), speaks_of_cancellation(message)
