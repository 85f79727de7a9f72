"""Turns what a monitor sent into an `Alert`, or says in one line what is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate

from pydantic import JsonValue

from agent.errors import CallerError
from agent.incident import Alert
from tools.evidence import as_utc
from tools.redaction import masked, masked_attributes
from tools.words import MAX_NAME, clean_name, clean_text

SERVICE_LABELS = ("service", "service_name", "app", "job")
"""Labels that name the service, the most exact first: the usual ones of Prometheus rules and of OpenTelemetry."""

TEXT_LIMIT = 1_000
"""Characters kept of one text. An alert travels in every checkpoint, and nobody reads more than that at night."""

TEXTS_LIMIT = 8_000
"""Characters kept of all labels together, and of all annotations, for the same reason."""

KNOWN = frozenset(
    "service metric fired_at startsAt summary monitor severity threshold observed labels annotations".split()
)


def parse_alert(sent: Mapping[str, JsonValue]) -> Alert:
    """Normalise one alert: our own keys, or those of an alert of Prometheus' Alertmanager.

    Other keys with a text are kept as annotations, so that nothing a person wrote is lost. Secrets are masked, texts
    cut and freed of control characters; times must carry a zone. Raises CallerError that names the key and its value.
    """
    raw = {key: masked(value) for key, value in sent.items()}
    labels = _texts(raw, "labels")
    annotations = _texts(raw, "annotations")
    others = {key: _as_text(value) for key, value in raw.items() if key not in KNOWN and isinstance(value, str)}
    return Alert(
        service=_service(raw, labels),
        metric=clean_name(_text(raw, "metric") or labels.get("metric", "") or _watched(raw)),
        fired_at=_fired_at(raw),
        summary=_text(raw, "summary") or annotations.get("summary") or annotations.get("description", ""),
        monitor=clean_name(_text(raw, "monitor") or labels.get("alertname", "")),
        severity=clean_name(_text(raw, "severity") or labels.get("severity", "")),
        threshold=_number(raw, "threshold"),
        observed=_number(raw, "observed"),
        labels=_few(labels),
        annotations=_few(annotations | masked_attributes(others)),
    )


def _refusal(key: str, value: object, wanted: str) -> CallerError:
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return CallerError(f"alert: {key} is {shown if len(shown) <= 80 else shown[:77] + '...'}; {wanted}")


def _service(raw: Mapping[str, JsonValue], labels: Mapping[str, str]) -> str:
    named = _text(raw, "service") or next((labels[label] for label in SERVICE_LABELS if labels.get(label)), "")
    service = clean_name(named)
    if not service:
        wanted = f"name the service there or in one of the labels {', '.join(SERVICE_LABELS)}"
        raise _refusal("service", raw.get("service"), wanted)
    return service


def _text(raw: Mapping[str, JsonValue], key: str) -> str:
    value = raw.get(key)
    if isinstance(value, dict | list):
        raise _refusal(key, value, "a text is needed")
    return _as_text(value)


def _texts(raw: Mapping[str, JsonValue], key: str) -> dict[str, str]:
    value = raw.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refusal(key, value, "an object of texts is needed")
    return {clean_name(name): _as_text(text) for name, text in value.items() if text is not None}


def _as_text(value: JsonValue) -> str:
    if value is None:
        return ""
    return clean_text(value.strip() if isinstance(value, str) else json.dumps(value), TEXT_LIMIT)


def _few(texts: dict[str, str]) -> dict[str, str]:
    """The first texts that fit into TEXTS_LIMIT."""
    sizes = accumulate(len(name) + len(text) for name, text in texts.items())
    return {name: text for (name, text), size in zip(texts.items(), sizes, strict=True) if size <= TEXTS_LIMIT}


def _watched(raw: Mapping[str, JsonValue]) -> str:
    """What the rule of a Prometheus watches, from the link in its alert; the comparison that makes it fire goes."""
    link = _text(raw, "generatorURL")
    if not link:
        return ""
    from tools.live.prometheus.expression import rule_of, signal_of  # a parser that other monitors' alerts do not need
    from tools.live.prometheus.promql import NotPromql

    rule = rule_of(link)
    try:
        watched = "" if rule is None else signal_of(rule).expression
    except NotPromql:  # a ruler of another vendor: the alert is as good as one without a link
        return ""
    return watched if len(watched) <= MAX_NAME else ""


def _fired_at(raw: Mapping[str, JsonValue]) -> datetime:
    key = "fired_at" if raw.get("fired_at") is not None or raw.get("startsAt") is None else "startsAt"
    value = raw.get(key)
    wanted = "a time with a zone is needed, like 2026-01-31T12:00:00Z"
    if not isinstance(value, str):
        raise _refusal(key, value, wanted)
    try:
        return as_utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError) as error:
        raise _refusal(key, value, wanted) from error


def _number(raw: Mapping[str, JsonValue], key: str) -> float | None:
    value = raw.get(key)
    if value is None:
        return None
    wanted = "a finite number is needed"
    if isinstance(value, bool | dict | list):
        raise _refusal(key, value, wanted)
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise _refusal(key, value, wanted) from error
    if not math.isfinite(number):
        raise _refusal(key, value, wanted)
    return number
