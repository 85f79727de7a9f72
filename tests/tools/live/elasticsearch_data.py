"""Lines of a small incident in three dialects: Elastic Common Schema, OpenTelemetry, and a shipper's own habit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import requests

from tests.live.log_push import make_stream, push_documents
from tools.evidence import JsonObject, TimeWindow

SINCE = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
WINDOW = TimeWindow(since=SINCE, until=SINCE + timedelta(minutes=20))
BROKE = SINCE + timedelta(minutes=12)
ECS, OTEL, HABIT = "logs-shop-ecs", "logs-shop-otel", "filebeat-shop"
ODD = 'we"b*\\ OR service.name:* AND {x}\n'
"""A service that is called like a query; names lose their line breaks."""
ODD_BODY = 'cannot parse "a:b" AND (c OR d*)~ [x TO y] \\ /re/ {"k": 1}\n\tat parse (line 7)'
CHECKOUT_LINES = 80 + 16


def fill(url: str, session: requests.Session | None = None) -> None:
    """Put all lines into the server."""
    asking = session or requests.Session()
    make_stream(url, ECS, asking)
    push_documents(url, ECS, ecs(), asking)
    push_documents(url, OTEL, otel(), asking)
    push_documents(url, HABIT, habit(), asking)


def ecs() -> Iterator[JsonObject]:
    """A line of checkout every 15 s, an error every 30 s once it broke, and an oddity or two."""
    for place in range(80):
        at = SINCE + timedelta(seconds=15 * place)
        yield {
            "@timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{place:03d}456Z",
            "message": f"order {place} paid",
            "log": {"level": "info"},
            "service": {"name": "checkout"},
            "host": {"name": f"c-{place % 2 + 1}"},
            "trace": {"id": f"{place:032x}"},
            "labels": {"basket": str(place)},
            "agent": {"type": "filebeat"},
        }
    for place in range(16):
        yield line(BROKE + timedelta(seconds=30 * place), "checkout", "error", "pool of payments-db is empty")
    yield line(BROKE, ODD, "warn", ODD_BODY)
    yield line(WINDOW.until, "checkout", "info", "one that is too late by nothing")
    yield line(WINDOW.since - timedelta(microseconds=1), "checkout", "info", "one that is too early")


def otel() -> Iterator[JsonObject]:
    """Lines of payment as the OpenTelemetry collector maps them."""
    for place in range(20):
        at = SINCE + timedelta(minutes=place, seconds=7)
        yield {
            "@timestamp": at.isoformat(),
            "body": {"text": f"charge {place} accepted"},
            "severity_text": "Warning" if at > BROKE else "Information",
            "resource": {"attributes": {"service.name": "payment", "service.instance.id": "p-1"}},
            "attributes": {"amount": place},
            "trace_id": f"{place:032x}",
            "span_id": f"{place:016x}",
        }


def habit() -> Iterator[JsonObject]:
    """Lines of search whose JSON stands in the text, as a container's output does."""
    for place in range(10):
        at = SINCE + timedelta(minutes=2 * place, seconds=3)
        yield {
            "@timestamp": at.isoformat(),
            "log": f'{{"level":"warn","msg":"slow query {place}","took_ms":{place * 10}}}',
            "kubernetes": {"labels": {"app": "search"}, "pod": {"name": "search-0"}},
        }


def line(at: datetime, service: str, level: str, message: str) -> JsonObject:
    return {
        "@timestamp": at.isoformat(timespec="microseconds"),
        "message": message,
        "log": {"level": level},
        "service": {"name": service},
    }
