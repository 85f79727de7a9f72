"""Logs of a live Elasticsearch or OpenSearch, answered like those of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tools.evidence import JsonObject, Source, TimeWindow
from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.elasticsearch.connection import Connection
from tools.live.elasticsearch.discovery import Discovery
from tools.live.elasticsearch.fields import Fields, record_keys
from tools.live.elasticsearch.queries import (
    Key,
    all_of,
    in_window,
    of_service,
    sampled,
    strata,
    thinned,
    with_text,
)
from tools.live.elasticsearch.reader import Documents, Reader, TooSlow, mean_bytes, page_of
from tools.live.elasticsearch.sight import seen
from tools.live.log_rows import LogRows, empty_frame
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.live.thinning import SEVERE, Plan, plan
from tools.words import severity

SAMPLED = 200
"""Random documents whose size is looked at."""
USUAL_BYTES = 2_000
"""Size of a document where nobody looked."""
STRATA_PAGES = 4
"""Pages of kinds of lines that are counted; the kinds beyond are so rare that they are treated as one."""
FEWEST = 1_000
"""Lines below which an answer is no picture of a window."""


@dataclass(frozen=True)
class _Counted:
    """How many documents of each kind there are; the key None stands for all kinds that are not listed."""

    keys: tuple[Key | None, ...]
    lines: tuple[int, ...]
    severe: tuple[bool, ...]
    line_bytes: float


@dataclass(frozen=True)
class _Question:
    """What is asked for, as somebody asked, and the query that finds at least that."""

    window: TimeWindow
    service: str | None
    contains: str | None
    fields: Fields
    query: JsonObject

    def exactly(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.service is not None:
            frame = frame[frame["service"] == self.service]
        if self.contains:
            wanted = self.contains
            frame = frame[[wanted in body for body in frame["body"]]]
        return frame.reset_index(drop=True)

    def __str__(self) -> str:
        asked = [
            f"{name}={value!r}" for name, value in (("service", self.service), ("contains", self.contains)) if value
        ]
        return f" ({', '.join(asked)})" if asked else ""


class Elasticsearch:
    """Implements `tools.backend.Logs`. Safe between threads."""

    def __init__(self, config: ElasticsearchConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._connection = Connection(config)
        self._discovery = Discovery(self._connection, config)

    def log_lines(
        self, window: TimeWindow, service: str | None = None, contains: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """Log lines inside the window, with the columns of `tools.backend`, oldest first.

        They are counted first. All are read where they fit into the budget (max_lines, max_megabytes); otherwise a
        share of them, as `tools.live.thinning` says. With a limit the oldest lines are read, nothing is left out between
        them. Raises ToolError.
        """
        reader = self._reader()
        fields = self._discovery.known(window, reader).fields
        if not fields.total:
            return empty_frame()
        question = self._question(window, service, contains, fields, reader)
        rows = self._rows(fields, self._notes)
        if limit is not None:
            found = self._oldest(question, limit, reader)
            return question.exactly(rows.frame(window, found.times, found.records)).head(limit)
        counts = self._count(question, reader)
        if not sum(counts.lines):
            return empty_frame()
        found, chosen = self._read(question, counts, reader)
        if not chosen.is_full:
            self._notes.add(Source.LOGS, f"Elasticsearch: {chosen.told(len(found.records))}{question}")
        return question.exactly(rows.frame(window, found.times, found.records))

    def look(self, window: TimeWindow) -> Sighting:
        """What the server is and what it holds of the window. Raises ToolError."""
        reader = self._reader()
        known = self._discovery.known(window, reader)
        question = self._question(window, None, None, known.fields, reader)
        counts = self._count(question, reader) if known.fields.total else None
        services = {_service(key, known.fields) for key in counts.keys} if counts else set[str]()
        return seen(self._connection, reader, self._config, known, window, sorted(services - {""}))

    def _reader(self) -> Reader:
        return Reader(self._connection, self._notes, self._config.index)

    def _rows(self, fields: Fields, notes: Notebook) -> LogRows:
        keys = record_keys(self._discovery.names)
        return LogRows.of(keys, notes, "Elasticsearch", services_inside=not fields.service)

    def _question(
        self, window: TimeWindow, service: str | None, contains: str | None, fields: Fields, reader: Reader
    ) -> _Question:
        clauses = [in_window(fields.time, window)]
        if service is not None:
            clauses.append(of_service(fields, service))
        if contains:
            narrowed = with_text(fields.body, contains, self._discovery.plain(fields.body, reader))
            clauses += [] if narrowed is None else [narrowed]
        return _Question(window, service, contains, fields, all_of(clauses))

    def _oldest(self, question: _Question, limit: int, reader: Reader) -> Documents:
        """Documents from the oldest on, until enough of them are what was asked for."""
        rows = self._rows(question.fields, Notebook())
        looked_at = wanted = 0

        def enough(found: Documents) -> bool:
            nonlocal looked_at, wanted
            new = rows.frame(question.window, found.times[looked_at:], found.records[looked_at:])
            looked_at, wanted = len(found.records), wanted + len(question.exactly(new))
            return wanted >= limit or looked_at >= self._config.max_lines

        found = reader.pages(question.query, question.fields.time.name, page_of(USUAL_BYTES, 4 * limit), enough=enough)
        if wanted < limit and looked_at >= self._config.max_lines:
            self._notes.add(Source.LOGS, f"Elasticsearch: only the first {looked_at:,} lines were looked at{question}")
        return found

    def _count(self, question: _Question, reader: Reader) -> _Counted:
        """Documents by service and severity, and the size of a random few."""
        lines: dict[Key | None, int] = {}
        answer = reader.count(sampled(question.query), strata(question.fields, None), SAMPLED)
        line_bytes = mean_bytes(answer.get("hits", {}).get("hits", []))
        total = int(answer.get("aggregations", {}).get("all", {}).get("doc_count", 0))
        for _ in range(STRATA_PAGES):
            page: JsonObject = answer.get("aggregations", {}).get("strata", {})
            for bucket in page.get("buckets", []):
                lines[tuple(bucket["key"].values())] = int(bucket["doc_count"])
            if "after_key" not in page or sum(lines.values()) >= total:
                break
            answer = reader.count(question.query, strata(question.fields, page["after_key"]), 0)
        rest = total - sum(lines.values())
        if rest > 0:
            lines[None] = rest
        severe = tuple(_severity(key, question.fields) in SEVERE for key in lines)
        return _Counted(tuple(lines), tuple(lines.values()), severe, line_bytes)

    def _read(self, question: _Question, counts: _Counted, reader: Reader) -> tuple[Documents, Plan]:
        """As many documents as budget and time allow."""
        budget = min(self._config.max_lines, int(self._config.max_megabytes * 2**20 / max(counts.line_bytes, 1.0)))
        while True:
            chosen = plan(counts.lines, counts.severe, budget)
            query = question.query
            if not chosen.is_full:
                query = thinned(query, question.fields, counts.keys, chosen)
            try:
                page = page_of(counts.line_bytes)
                return reader.pages(query, question.fields.time.name, page, chosen.expected), chosen
            except TooSlow as slow:
                if slow.lines < FEWEST or slow.lines >= budget:
                    raise self._connection.http.error(
                        f"is too slow: {chosen.expected:,} lines are not read in {self._config.timeout_seconds:g} s; "
                        "raise timeout_seconds or narrow index"
                    ) from slow
                budget = slow.lines
                self._notes.add(Source.LOGS, f"Elasticsearch is slow: only {budget:,} lines can be read in time")


def _service(key: Key | None, fields: Fields) -> str:
    """The service of a kind of lines, "" where it has none."""
    return str(_first((key or ())[: _services(fields)]) or "")


def _severity(key: Key | None, fields: Fields) -> str:
    return severity(_first((key or ())[_services(fields) :]))


def _services(fields: Fields) -> int:
    """How many values of a key are those of the service fields."""
    return sum(1 for field in fields.service if field.exact is not None)


def _first(values: Sequence[str | int | None]) -> str | int | None:
    return next((value for value in values if value is not None), None)
