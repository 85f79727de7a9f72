"""The alert of a case whose benchmark records none, and the name of its recording: neither says anything about the cause."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from tools.evidence import JsonObject
from tools.moments import iso


def neutral_alert(service: str, metric: str, fired_at: datetime) -> JsonObject:
    """What a monitor on the front of the system would send. Without a `metric` it watches the service as a whole."""
    what = f"{metric} of {service}" if metric else service
    return {
        "service": service,
        "metric": metric,
        "fired_at": iso(fired_at),
        "summary": f"{what} left its usual range",
        "monitor": f"{service} {metric}".strip(),
    }


def name_of_recording(alert: JsonObject) -> str:
    """A name that two runs agree on and that tells nothing, made from the alert."""
    digest = hashlib.sha256(orjson.dumps(alert, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"incident-{digest[:8]}"
