"""Logs of a live Elasticsearch or OpenSearch, answered like those of a recording."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tools.evidence import Source, TimeWindow
from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.elasticsearch.connection import Connection
from tools.live.elasticsearch.discovery import Discovery
from tools.live.elasticsearch.fields import Fields, record_keys
from tools.live.elasticsearch.queries import all_of, in_window, of_service, with_text
from tools.live.elasticsearch.question import Question
from tools.live.elasticsearch.reader import Documents, Reader, TooSlow, page_of
from tools.live.elasticsearch.share import Share
from tools.live.elasticsearch.sight import seen
from tools.live.elasticsearch.strata import Counted, count_strata, service_of, spellings_of
from tools.live.log_rows import LogRows, empty_frame
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting

USUAL_BYTES = 2_000
"""Size of a document where nobody looked."""


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
        share of them, as `tools.live.thinning` says, and the lines that are worded like none of the common ones, as
        `tools.live.wordings` says. With a limit the oldest lines are read, nothing is left out between them. Raises
        ToolError.
        """
        reader = self._reader()
        fields = self._discovery.known(window, reader).fields
        if not fields.total:
            return empty_frame()
        for question in self._questions(window, service, contains, fields, reader):
            frame = self._answer(question, limit, reader)
            if len(frame):
                return frame
        return empty_frame()

    def look(self, window: TimeWindow) -> Sighting:
        """What the server is and what it holds of the window. Raises ToolError."""
        reader = self._reader()
        known = self._discovery.known(window, reader)
        counts = self._counts(window, known.fields, reader) if known.fields.total else None
        services = {service_of(key, known.fields) for key in counts.keys} if counts else set[str]()
        return seen(self._connection, reader, self._config, known, window, sorted(services - {""}))

    def _reader(self) -> Reader:
        return Reader(self._connection, self._notes, self._config.index)

    def _rows(self, fields: Fields, notes: Notebook) -> LogRows:
        keys = record_keys(self._discovery.names)
        return LogRows.of(keys, notes, "Elasticsearch", services_inside=not fields.service)

    def _questions(
        self, window: TimeWindow, service: str | None, contains: str | None, fields: Fields, reader: Reader
    ) -> Iterator[Question]:
        """What is asked for; then the same of a service whose name is spelled differently in the documents."""
        clauses = [in_window(fields.time, window)]
        if contains and not self._discovery.marked(window, fields, reader):
            narrowed = with_text(fields.body, contains, self._discovery.plain(fields.body, reader))
            clauses += [] if narrowed is None else [narrowed]
        if service is None:
            yield Question(window, service, contains, fields, all_of(clauses))
            return
        yield Question(window, service, contains, fields, all_of([*clauses, of_service(fields, [service])]))
        spelled = spellings_of(service, self._counts(window, fields, reader), fields)
        if spelled and spelled != [service]:
            names = of_service(fields, [service, *spelled])
            yield Question(window, service, contains, fields, all_of([*clauses, names]))

    def _counts(self, window: TimeWindow, fields: Fields, reader: Reader) -> Counted:
        return count_strata(all_of([in_window(fields.time, window)]), fields, reader, samples=0)

    def _answer(self, question: Question, limit: int | None, reader: Reader) -> pd.DataFrame:
        rows = self._rows(question.fields, self._notes)
        if limit is not None:
            found = self._oldest(question, limit, reader)
            return question.exactly(rows.frame(question.window, found.times, found.records)).head(limit)
        counts = count_strata(question.query, question.fields, reader)
        if not counts.total:
            return empty_frame()
        found = Share(self._connection, self._config, self._notes, reader, question).read(counts)
        return question.exactly(rows.frame(question.window, found.times, found.records))

    def _oldest(self, question: Question, limit: int, reader: Reader) -> Documents:
        """Documents from the oldest on, until enough of them are what was asked for."""
        rows = self._rows(question.fields, Notebook())
        looked_at = wanted = 0

        def enough(found: Documents) -> bool:
            nonlocal looked_at, wanted
            new = rows.frame(question.window, found.times[looked_at:], found.records[looked_at:])
            looked_at, wanted = len(found.records), wanted + len(question.exactly(new))
            return wanted >= limit or looked_at >= self._config.max_lines

        page = page_of(USUAL_BYTES, 4 * limit)
        try:
            found = reader.pages(question.query, question.fields.time.name, page, enough=enough)
        except TooSlow as slow:
            raise self._connection.http.error(
                f"is too slow: {looked_at:,} lines were read in {self._config.timeout_seconds:g} s and not all of the "
                f"{limit:,} that are wanted found; raise timeout_seconds or narrow index"
            ) from slow
        if wanted < limit and looked_at >= self._config.max_lines:
            self._notes.add(Source.LOGS, f"Elasticsearch: only the first {looked_at:,} lines were looked at{question}")
        return found
