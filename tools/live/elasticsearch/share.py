"""Reads all documents of a question where they fit into the budget, else a share that still shows what is new."""

from __future__ import annotations

from collections.abc import Sequence

from tools.attributes import flat
from tools.evidence import JsonObject, Source, ToolError
from tools.live.elasticsearch.config import ElasticsearchConfig
from tools.live.elasticsearch.connection import Connection
from tools.live.elasticsearch.fields import ANALYSED, texts_of
from tools.live.elasticsearch.queries import neither, thinned, worded_like
from tools.live.elasticsearch.question import Question
from tools.live.elasticsearch.reader import Documents, Reader, TooSlow, page_of
from tools.live.elasticsearch.strata import Counted, count_strata
from tools.live.notebook import Notebook
from tools.live.thinning import Plan, plan
from tools.live.wordings import MOST, common_wordings

FEWEST = 1_000
"""Lines below which an answer is no picture of a window."""
RARE_PART = 0.25
"""Of the budget, kept for lines that are worded like none of the common ones once not all can be read."""
LISTENED = 20_000
"""Lines that are listened to for how things are worded: half a second, and enough to know what is common."""


class Share:
    """The documents of one question. Every method raises ToolError."""

    def __init__(
        self, connection: Connection, config: ElasticsearchConfig, notes: Notebook, reader: Reader, question: Question
    ) -> None:
        self._connection = connection
        self._config = config
        self._notes = notes
        self._reader = reader
        self._question = question

    def read(self, counts: Counted) -> Documents:
        """As many documents as budget and time allow; what is left out is noted."""
        budget = min(self._config.max_lines, int(self._config.max_megabytes * 2**20 / max(counts.line_bytes, 1.0)))
        if counts.total <= budget:
            try:
                return self._pages(self._question.query, counts, counts.total)
            except TooSlow as slow:
                budget = self._slower(slow, counts.total, budget)
        found, chosen, query = self._thinned(counts, budget)
        self._note(f"{chosen.told(len(found.records))}{self._question}")
        rare = self._rare(found, query, round(budget * RARE_PART))
        return Documents(found.times + rare.times, found.records + rare.records)

    def _thinned(self, counts: Counted, budget: int) -> tuple[Documents, Plan, JsonObject]:
        """One share of each kind of lines, and the query that gives it."""
        question = self._question
        while True:
            chosen = plan(counts.lines, counts.severe, round(budget * (1 - RARE_PART)))
            query = thinned(question.query, question.fields, counts.keys, chosen)
            try:
                return self._pages(query, counts, chosen.expected), chosen, query
            except TooSlow as slow:
                budget = self._slower(slow, chosen.expected, budget)

    def _rare(self, found: Documents, read: JsonObject, budget: int) -> Documents:
        """Of what was not read, the lines that are worded like none of the common lines that were.

        Which wordings are common does not depend on the time, so before and after an incident are treated alike.
        """
        question = self._question
        like = self._common(found.records)
        if like is None:
            self._note("rare lines cannot be looked for among the thinned ones, their texts are not indexed by words")
            return Documents()
        rest = neither(question.query, read, *like)
        try:
            counts = count_strata(rest, question.fields, self._reader)
            if not counts.total:
                return Documents()
            chosen = plan(counts.lines, counts.severe, budget)
            query = rest if chosen.is_full else thinned(rest, question.fields, counts.keys, chosen)
            rare = self._pages(query, counts, chosen.expected)
        except (TooSlow, ToolError):
            self._note("there was no time left to look for rare lines among the thinned ones")
            return Documents()
        told = "all" if chosen.is_full else f"{len(rare.records):,} of"
        self._note(
            f"{told} {counts.total:,} thinned lines that are worded like no common one were read as well{question}"
        )
        return rare

    def _common(self, records: Sequence[JsonObject]) -> list[JsonObject] | None:
        """Clauses for the documents that are worded like many of those that were read; None where none can be told."""
        body = self._question.fields.body
        if not body or not all(field.kinds <= ANALYSED for field in body):
            return None
        step = -(-len(records) // LISTENED) or 1
        flattened = [flat(record) for record in records[::step]]
        clauses: list[JsonObject] = []
        for field in body:
            wordings = common_wordings(texts_of(flattened, [field]))
            clauses += worded_like(field, wordings[: MOST // len(body)])
        return clauses

    def _pages(self, query: JsonObject, counts: Counted, expected: int) -> Documents:
        time = self._question.fields.time.name
        return self._reader.pages(query, time, page_of(counts.line_bytes), expected)

    def _slower(self, slow: TooSlow, expected: int, budget: int) -> int:
        """The budget that can be read in the time that is left."""
        if slow.lines < FEWEST or slow.lines >= budget:
            raise self._connection.http.error(
                f"is too slow: {expected:,} lines are not read in {self._config.timeout_seconds:g} s; "
                "raise timeout_seconds or narrow index"
            ) from slow
        self._note(f"it is slow, only {slow.lines:,} lines can be read in time")
        return slow.lines

    def _note(self, text: str) -> None:
        self._notes.add(Source.LOGS, f"Elasticsearch: {text}")
