"""What an Elasticsearch shows when somebody looks at it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tools.evidence import JsonObject, Source, TimeWindow, ToolError
from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.elasticsearch.connection import Connection
from tools.live.elasticsearch.discovery import Known, shown
from tools.live.elasticsearch.fields import Field, Fields
from tools.live.elasticsearch.queries import in_window
from tools.live.elasticsearch.reader import Reader
from tools.live.sighting import Sighting
from tools.words import counted

INDICES_COUNTED = 200
_BACKING = re.compile(r"^\.ds-(?P<stream>.+?)(?:-\d{4}\.\d\d\.\d\d)?-\d{6}$")
"""How the indices behind a data stream are named, with a date by Elasticsearch only."""
ALL = 0.995
"""Share of lines from which on a field counts as being in all of them."""


def seen(
    connection: Connection,
    reader: Reader,
    config: ElasticsearchConfig,
    known: Known,
    window: TimeWindow,
    services: list[str],
) -> Sighting:
    """A few cheap questions beside what was discovered. Raises ToolError when the server does not answer."""
    fields = known.fields
    name = "OpenSearch" if connection.product.is_opensearch else "Elasticsearch"
    return Sighting(
        source=Source.LOGS,
        name=" ".join(part for part in (name, _version(connection, reader.deadline), "at", config.url) if part),
        facts=_facts(fields, _streams(reader, fields, window)),
        services=tuple(services),
        newest=known.newest,
        clock=_clock(connection, reader.deadline),
        troubles=_troubles(fields),
    )


def _version(connection: Connection, deadline: float) -> str:
    """Not everybody may ask it, and not every build has the page."""
    try:
        version: JsonObject = connection.ask(lambda client: client.info(), deadline).get("version", {})
        return str(version.get("number", ""))
    except ToolError:
        pass
    try:
        told = connection.ask(
            lambda client: client.nodes.info(node_id="_local", filter_path="nodes.*.version"), deadline
        )
        return next((str(node["version"]) for node in told.get("nodes", {}).values()), "")
    except ToolError:
        return ""


def _clock(connection: Connection, deadline: float) -> datetime | None:
    """The server's own time in whole seconds; it sends none with its answers."""
    try:
        rows = connection.ask_list(lambda client: client.cat.health(format="json", h="epoch"), deadline)
    except ToolError:
        return None
    epoch = str(rows[0].get("epoch", "")) if rows else ""
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else None


def _streams(reader: Reader, fields: Fields, window: TimeWindow) -> dict[str, int]:
    """Documents of the window by data stream or index, the largest first."""
    by_index: JsonObject = {"indices": {"terms": {"field": "_index", "size": INDICES_COUNTED}}}
    answer = reader.count(in_window(fields.time, window), by_index, 0)
    found: dict[str, int] = {}
    for bucket in answer.get("aggregations", {}).get("indices", {}).get("buckets", []):
        name = _BACKING.sub(r"\g<stream>", str(bucket["key"]))
        found[name] = found.get(name, 0) + int(bucket["doc_count"])
    return found


def _facts(fields: Fields, streams: dict[str, int]) -> tuple[str, ...]:
    facts = [f"{fields.total:,} lines in the window, of {counted(len(fields.indices), 'index', 'indices')} there are"]
    if streams:
        facts.append("in " + ", ".join(f"{name} ({lines:,})" for name, lines in list(streams.items())[:6]))
    facts.append(f"time from {fields.time.name}")
    for what, found in (("service", fields.service), ("severity", fields.severity), ("text", fields.body)):
        if found:
            facts.append(
                f"{what} from " + ", ".join(f"{field.name} ({_share(field, fields.total)})" for field in found)
            )
    return tuple(facts)


def _share(field: Field, total: int) -> str:
    return "all lines" if field.lines >= ALL * total else f"{100 * field.lines / max(total, 1):.2g} % of lines"


def _troubles(fields: Fields) -> tuple[str, ...]:
    if not fields.total:
        return (
            f"no line of the window is in {shown(fields.indices)}: is anything shipped there? "
            "see index and time_field, and whether its clock is right",
        )
    troubles: list[str] = []
    if not fields.body:
        troubles.append("no field with the text of a line was recognised: lines cannot be read; set body_field")
    if not fields.service:
        troubles.append(
            "no field that names the service was recognised: all lines look like one service; set service_field"
        )
    elif all(field.exact is None for field in fields.service):
        troubles.append(
            f"{fields.service[0].name} is analysed text: services are found but not counted; map it as keyword as well"
        )
    if not fields.severity:
        troubles.append(
            "no field with the severity was recognised: errors cannot be read before the rest, unless lines are JSON with "
            "a level; set severity_field"
        )
    elif sum(field.lines for field in fields.severity) < ALL * fields.total:
        troubles.append("some lines name no severity and count as INFO")
    return tuple(troubles)
