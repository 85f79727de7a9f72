"""Finds out, once for each window, which indices and fields there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from tools.attributes import flat
from tools.evidence import JsonObject, TimeWindow, ToolError
from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.elasticsearch.connection import Connection
from tools.live.elasticsearch.fields import (
    Field,
    Fields,
    asked_names,
    candidates,
    counted_fields,
    date_field,
    presence,
    texts_of,
    typed,
)
from tools.live.elasticsearch.queries import in_window, is_plain, sampled
from tools.live.elasticsearch.reader import HEALTH, Reader
from tools.live.log_rows import is_marked
from tools.moments import read_moment

REMEMBERED_SECONDS = 120.0
"""How long what was discovered in a window is taken to hold; an investigation asks its window many times."""
WINDOWS_REMEMBERED = 4
SAMPLED = 100
"""Random lines that are looked at for control characters: a service that colours its lines colours most of them."""


@dataclass(frozen=True)
class Known:
    """What one window holds."""

    fields: Fields
    newest: datetime | None
    """Time of the newest document; None where it holds none."""


class Discovery:
    """Safe between threads. Raises ToolError."""

    def __init__(self, connection: Connection, config: ElasticsearchConfig) -> None:
        self._connection = connection
        self._config = config
        self.names = candidates(config)
        self._windows: OrderedDict[TimeWindow, tuple[float, Known]] = OrderedDict()
        self._marked: OrderedDict[TimeWindow, tuple[float, bool]] = OrderedDict()
        self._plain: dict[str, bool] = {}
        self._lock = Lock()

    def known(self, window: TimeWindow, reader: Reader) -> Known:
        """What the window holds, asked for again after a while."""
        with self._lock:
            at, known = self._windows.get(window, (0.0, None))
            if known is None or monotonic() - at > REMEMBERED_SECONDS:
                known = self._discovered(window, reader)
                self._windows[window] = (monotonic(), known)
                while len(self._windows) > WINDOWS_REMEMBERED:
                    self._windows.popitem(last=False)
            return known

    def plain(self, fields: Sequence[Field], reader: Reader) -> frozenset[str]:
        """Those of the analysed fields whose words stand in the index as they were written; none where it is not told."""
        with self._lock:
            for field in fields:
                if field.name not in self._plain:
                    self._plain[field.name] = self._asked_plain(field.name, reader)
            return frozenset(field.name for field in fields if self._plain[field.name])

    def marked(self, window: TimeWindow, fields: Fields, reader: Reader) -> bool:
        """Whether a random few lines of the window hold colour codes or other control characters.

        A frame tells its texts without them, so that words may touch there which are apart in the documents, and the
        other way round: then a text that somebody has read cannot be looked for by its words.
        """
        with self._lock:
            at, found = self._marked.get(window, (0.0, None))
            if found is None or monotonic() - at > REMEMBERED_SECONDS:
                query = sampled({"bool": {"filter": [in_window(fields.time, window)]}})
                hits = reader.count(query, {}, SAMPLED).get("hits", {}).get("hits", [])
                texts = (text for hit in hits for text in texts_of([flat(hit.get("_source") or {})], fields.body))
                found = any(is_marked(text) for text in texts)
                self._marked[window] = (monotonic(), found)
                while len(self._marked) > WINDOWS_REMEMBERED:
                    self._marked.popitem(last=False)
            return found

    def _discovered(self, window: TimeWindow, reader: Reader) -> Known:
        caps = reader.field_caps(asked_names(self.names))
        if not caps.get("indices"):
            raise self._connection.http.error(
                f"has no open index of the name {shown(self._config.index)}, or the credentials may not see it; set index"
            )
        time = date_field(typed(caps, self.names["timestamp"]))
        if time is None:
            raise self._connection.http.error(
                f"has no field of type date in {shown(caps['indices'])}, looked for {shown(self.names['timestamp'])}; "
                "set time_field"
            )
        roles = {role: typed(caps, self.names[role]) for role in ("service", "severity", "body")}
        every = [field for fields in roles.values() for field in fields]
        answer = reader.search(
            {
                "query": in_window(time, window),
                "size": 0,
                "aggs": presence(time, every),
                "filter_path": f"aggregations.fields,aggregations.newest,{HEALTH}",
            }
        )
        return Known(_counted(time, roles, caps["indices"], answer), _newest(answer))

    def _asked_plain(self, name: str, reader: Reader) -> bool:
        try:
            return is_plain(reader.field_mapping(name))
        except ToolError:  # a right of its own; without it the server narrows less
            return False


def shown(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _counted(time: Field, roles: Mapping[str, Sequence[Field]], indices: Sequence[str], answer: JsonObject) -> Fields:
    buckets: Mapping[str, JsonObject] = answer.get("aggregations", {}).get("fields", {}).get("buckets", {})
    if not buckets:
        return Fields(time, (), (), (), tuple(indices), 0)
    found = {role: counted_fields(fields, buckets, role) for role, fields in roles.items()}
    total = int(buckets[""]["doc_count"])
    return Fields(time, found["service"], found["severity"], found["body"], tuple(indices), total)


def _newest(answer: JsonObject) -> datetime | None:
    newest: JsonObject = answer.get("aggregations", {}).get("newest", {})
    return read_moment(newest.get("value_as_string")) if newest.get("value") is not None else None
