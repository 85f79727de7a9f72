"""What `whydown doctor` tells of a Prometheus."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from statistics import median

import orjson
from pydantic import JsonValue

from tools.evidence import Source, ToolError
from tools.live.prometheus.catalogue import Catalogue
from tools.live.prometheus.connection import NAME, Connection
from tools.live.prometheus.families import Known, status_of
from tools.live.prometheus.promql import named, selector
from tools.live.prometheus.vocabulary import TIMES, tier
from tools.live.sighting import Sighting
from tools.words import UNKNOWN_SERVICE, counted

METRICS_DATED = 3
"""Metrics whose newest sample is looked for."""


def seen(connection: Connection, catalogue: Catalogue, address: str) -> Sighting:
    """A few cheap questions beside the catalogue. Raises ToolError when the server does not answer."""
    version, clock = _version_and_clock(connection)
    services = catalogue.services
    return Sighting(
        source=Source.METRICS,
        name=" ".join(part for part in (version, "at", address) if part),
        facts=_facts(catalogue, services),
        services=tuple(sorted(name for name in services if name != UNKNOWN_SERVICE)),
        newest=_newest(connection, catalogue),
        clock=clock,
        troubles=_troubles(catalogue, services),
    )


def _version_and_clock(connection: Connection) -> tuple[str, datetime | None]:
    """What the server calls itself; not everything that speaks the API has this page."""
    try:
        reply = connection.http.ask("GET", "/api/v1/status/buildinfo")
        told: JsonValue = orjson.loads(reply.body)
    except (ToolError, orjson.JSONDecodeError):
        return NAME, None
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, dict):
        return NAME, reply.clock
    return f"{data.get('application') or NAME} {data.get('version') or ''}".strip(), reply.clock


def _facts(catalogue: Catalogue, services: dict[str, int]) -> tuple[str, ...]:
    facts = [
        f"{counted(len(catalogue.known), 'metric')} in the window, "
        f"{counted(sum(services.values()), 'set of labels', 'sets of labels')} of {counted(len(services), 'service')}"
    ]
    if catalogue.known:
        steps = [one.seconds for one in catalogue.known]
        facts.append(f"a sample every {median(steps):g} s")
    kinds = [one.family.kind for one in catalogue.known]
    told = [(kind, kinds.count(kind)) for kind in ("counter", "gauge", "histogram", "native", "summary")]
    facts.append(", ".join(f"{count} {kind}" for kind, count in told if count) or "nothing of any kind")
    return tuple(facts)


def _newest(connection: Connection, catalogue: Catalogue) -> datetime | None:
    """Time stamp of the newest stored sample of a few metrics, at the end of the window or, failing that, in it."""
    window = catalogue.window
    moments: list[float] = []
    for one in catalogue.known[:METRICS_DATED]:
        chosen = selector([named(one.family.probe), *connection.only])
        rows = connection.instant(f"max(timestamp({chosen}))", window.until)
        moments += [float(row["value"][1]) for row in rows if row.get("value")]
        if not rows and one.whole:
            rows = connection.instant(f"{chosen}[{math.ceil(window.length.total_seconds())}s]", window.until)
            moments += [row["values"][-1][0] for row in rows if row.get("values")]
    return datetime.fromtimestamp(max(moments), UTC) if moments else None


def _troubles(catalogue: Catalogue, services: dict[str, int]) -> tuple[str, ...]:
    known = catalogue.known
    if not known:
        return ("it holds no series of this window; is it scraping anything? see its page /targets",)
    troubles: list[str] = []
    if not catalogue.typed:
        troubles.append(
            "it tells no types (/api/v1/metadata is empty): name counters with _total at the end, or they read as gauges"
        )
    unnamed = services.get(UNKNOWN_SERVICE, 0)
    if unnamed:
        troubles.append(
            f"{counted(unnamed, 'set of labels', 'sets of labels')} name no service; "
            "say which label does (service_labels)"
        )
    if not any(_is_latency(one) for one in known):
        troubles.append("no histogram of a duration is there: which service is slow has to be told from traces")
    if not any(status_of(one) or "error" in one.family.name for one in known):
        troubles.append(
            "no metric tells errors (a label like status or code): they have to be told from logs or traces"
        )
    return tuple(troubles)


def _is_latency(known: Known) -> bool:
    return known.family.kind in ("histogram", "native", "summary") and (
        known.family.unit in TIMES and tier(known.family.name) == 0
    )
