"""What Prometheus' Alertmanager sends to a webhook (its documentation, "webhook_config", version 4 of the payload).

One delivery holds a group of alerts, those that fire and those that are over. An alert is the same by its fingerprint,
the hash of its labels; `startsAt` tells one time that it fired from the next. Grafana's alerting sends the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue

from agent.intake.notice import Notice
from agent.intake.reading import items, moment, text
from agent.parse_alert import parse_alert
from tools.evidence import digest_of

NEVER = "0001-01-01T00:00:00Z"
"""What Go writes for a time that is not known, as the end of an alert that fires."""


def notices(body: Mapping[str, JsonValue], source: str = "alertmanager") -> list[Notice]:
    """Return one notice for each alert of the delivery; raises CallerError with the key and its value."""
    return [_notice(alert, source) for alert in items(body, "alerts")]


def _notice(sent: Mapping[str, JsonValue], source: str) -> Notice:
    over = text(sent, "status") == "resolved"
    says: Literal["fire", "resolve"] = "resolve" if over else "fire"
    alert = parse_alert(sent)
    at = moment(sent, "endsAt") if over and text(sent, "endsAt") not in {"", NEVER} else alert.fired_at
    key = text(sent, "fingerprint") or digest_of(dict[str, JsonValue](alert.labels))
    return Notice(source=source, key=key, says=says, alert=alert, at=at)
