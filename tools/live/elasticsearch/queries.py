"""The questions that are asked, as JSON. Values stand in them as values, never in a query language of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from tools.evidence import JsonObject, TimeWindow
from tools.live.elasticsearch.fields import ANALYSED, NUMBERS, WORDS, Field, Fields
from tools.live.log_rows import words_of
from tools.live.thinning import Plan
from tools.live.wordings import FAILURE, Wording, says_failure
from tools.moments import iso
from tools.words import UNKNOWN_SERVICE

NANOS = "strict_date_optional_time_nanos"
SEED = 20_260_101
"""Which documents a share consists of: always the same ones, so that a question asked again has the same answer."""
STRATA = 1_000
"""Kinds of lines (service and severity) that are counted at once."""
PIECES = 4
"""Parts of a wanted text that the server looks for; the longest of them leave little to be read in vain."""
SHORTEST_PIECE = 3
SELF_SUFFICIENT = 4
"""Letters of a whole word that is rare enough to be looked for alone."""
LINE_ENDS = re.compile(r"[\r\n\t]+")
LETTERS = re.compile(r"[A-Za-z0-9]+")

SHIPPERS = (
    *("@version", "agent", "ecs", "elastic_agent", "input", "stream", "data_stream", "cloud", "event.original"),
    *("log.offset", "log.file", "host.os", "host.mac", "host.ip", "host.id", "host.architecture", "host.containerized"),
    *("kubernetes.annotations", "kubernetes.node.labels", "kubernetes.namespace_labels", "kubernetes.namespace_uid"),
    *("kubernetes.replicaset", "container.image", "container.runtime", "dropped_attributes_count"),
)
"""What shippers write into every document about themselves and the machine: bulk without evidence."""

Key = tuple[str | int | None, ...]
"""Raw values of the service fields and of the severity fields of one kind of line; None where it has none."""


def in_window(time: Field, window: TimeWindow) -> JsonObject:
    """Half-open, widened to whole milliseconds, which is what most indices keep; the rows are cut exactly."""
    since = _floor(window.since)
    until = _floor(window.until + timedelta(microseconds=999))
    return {"range": {time.name: {"gte": iso(since), "lt": iso(until), "format": NANOS}}}


def of_service(fields: Fields, names: Sequence[str]) -> JsonObject:
    """At least all documents whose service has one of these names."""
    if not fields.service:
        return {"match_all": {}}  # their bodies may name it
    named: list[JsonObject] = []
    if UNKNOWN_SERVICE in names:
        named.append({"bool": {"must_not": [_exists(field.name) for field in fields.service]}})
    for field in fields.service:
        if field.exact is None:
            words = ({"query": name, "operator": "and", "zero_terms_query": "all"} for name in names)
            named += [{"match": {field.name: each}} for each in words]
        elif not field.is_number:
            named.append({"terms": {field.exact: list(names)}})
        else:
            named.append({"terms": {field.exact: [int(name) for name in names if name.isdecimal()]}})
    return _any(named)


def with_text(body: Sequence[Field], text: str, plain: frozenset[str]) -> JsonObject | None:
    """At least all documents whose body contains the text; None where the server cannot help.

    `plain`: analysed fields whose words stand in the index as they were written. What is found is compared exactly
    afterwards, so this may find too much and must not find too little.
    """
    clauses: list[JsonObject] = []
    for field in body:
        narrowed = _narrowed(field, text, field.name in plain)
        if narrowed is None:
            return None
        clauses.append(narrowed)
    return _any(clauses) if clauses else None


def strata(fields: Fields, after: JsonObject | None) -> JsonObject:
    """Aggregations that count the documents, altogether and by service and severity."""
    sources = [
        {str(place): {"terms": {"field": field.exact, "missing_bucket": True}}}
        for place, field in enumerate(counting(fields))
    ]
    every: JsonObject = {"all": {"filter": {"match_all": {}}}}
    if not sources:
        return every
    return every | {
        "strata": {"composite": {"size": STRATA} | {"sources": sources} | ({"after": after} if after else {})}
    }


def counting(fields: Fields) -> tuple[Field, ...]:
    """The fields by which documents are counted, those of the service first."""
    return tuple(field for field in (*fields.service, *fields.severity) if field.exact is not None)


def sampled(query: JsonObject) -> JsonObject:
    """The same documents in a random order that is the same every time."""
    return {"function_score": {"query": query, "random_score": _random(), "boost_mode": "replace"}}


def thinned(query: JsonObject, fields: Fields, keys: Sequence[Key | None], plan: Plan) -> JsonObject:
    """Of the documents of each stratum 1 in n, chosen by a hash of the document's number.

    A document's score is random in [0, 1) times a weight; with weight 1 / (1 - share) a share of them reaches 1. The
    key None stands for all documents of no other key.
    """
    by_share: dict[int, list[Key]] = {}
    others = max(plan.one_in)
    for key, one_in in zip(keys, plan.one_in, strict=True):
        if key is None:
            others = one_in
        else:
            by_share.setdefault(one_in, []).append(key)
    functions = [
        {"filter": _of_keys(counting(fields), members), **_chance(one_in)}
        for one_in, members in sorted(by_share.items())
    ]
    return {
        "function_score": {
            "query": query,
            "functions": [*functions, _chance(others)],
            "score_mode": "first",
            "boost_mode": "replace",
            "min_score": 1.0,
        }
    }


def neither(query: JsonObject, *others: JsonObject) -> JsonObject:
    """The documents of a query that are in none of the others."""
    return {"bool": {"filter": [query], "must_not": list(others)}}


def worded_like(field: Field, wordings: Iterable[Wording]) -> list[JsonObject]:
    """Clauses for the documents whose text has all words of one of the wordings.

    A text that speaks of failure besides, as none of the wordings does, is worded differently.
    """
    calm: list[JsonObject] = []
    failing: list[JsonObject] = []
    for words in wordings:
        clause = {"match": {field.name: {"query": " ".join(words), "operator": "and"}}}
        (failing if says_failure(words) else calm).append(clause)
    failure = {"match": {field.name: {"query": " ".join(FAILURE), "operator": "or"}}}
    return [*([neither(_any(calm), failure)] if calm else []), *failing]


def all_of(clauses: Iterable[JsonObject]) -> JsonObject:
    """Documents to which all clauses apply."""
    return {"bool": {"filter": list(clauses)}}


def _any(clauses: Sequence[JsonObject]) -> JsonObject:
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _exists(field: str) -> JsonObject:
    return {"exists": {"field": field}}


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


def _chance(one_in: int) -> JsonObject:
    if one_in == 1:
        return {"weight": 1.0}
    return {"weight": one_in / (one_in - 1), "random_score": _random()}


def _random() -> JsonObject:
    return {"seed": SEED, "field": "_seq_no"}


def _narrowed(field: Field, text: str, plain: bool) -> JsonObject | None:
    """The clause for one field; None where it would leave documents out, or none."""
    if field.kinds <= WORDS:
        found: JsonObject = {"wildcard": {field.name: {"value": "*" + "*".join(map(_escaped, words_of(text))) + "*"}}}
        # A value too long for the index is not in it, but its field is marked.
        return _any([found, {"term": {"_ignored": {"value": field.name}}}])
    if not field.kinds <= ANALYSED:
        return None
    whole, edges = _whole_words(text)
    clauses: list[JsonObject] = []
    if whole:
        clauses.append(
            {"match": {field.name: {"query": " ".join(whole), "operator": "and", "zero_terms_query": "all"}}}
        )
    if plain and not any(len(word) >= SELF_SUFFICIENT for word in whole):
        clauses += [
            {"wildcard": {field.name: {"value": f"*{piece}*", "case_insensitive": True}}} for piece in _pieces(edges)
        ]
    return all_of(clauses) if clauses else None


def _whole_words(text: str) -> tuple[list[str], list[str]]:
    """Words that the text surely holds as a whole, and those that may be a part of one.

    Blanks end a word for every analyser; the first and the last word may go on outside of the text.
    """
    whole: list[str] = []
    edges: list[str] = []
    for line in LINE_ENDS.split(text):
        words = line.split(" ")
        whole += [word for word in words[1:-1] if word.isascii() and LETTERS.search(word) and words_of(word) == [word]]
        edges += [words[0], words[-1]]
    return whole, edges


def _pieces(words: Iterable[str]) -> list[str]:
    """The longest runs of letters and digits, which no analyser of plain text cuts through."""
    found = {piece for word in words for piece in LETTERS.findall(word) if len(piece) >= SHORTEST_PIECE}
    return sorted(found, key=lambda piece: (-len(piece), piece))[:PIECES]


def _escaped(word: str) -> str:
    """A word in a wildcard query (Lucene's WildcardQuery knows `*`, `?` and the backslash)."""
    return re.sub(r"([*?\\])", r"\\\1", word)


def _of_keys(fields: Sequence[Field], keys: Iterable[Key]) -> JsonObject:
    """Documents with raw values as in one of the keys; keys that differ in their first value only are one clause."""
    groups: dict[Key, list[str | int | None]] = {}
    for key in keys:
        groups.setdefault(key[1:], []).append(key[0] if key else None)
    clauses: list[JsonObject] = []
    for others, first in groups.items():
        values = [value for value in first if value is not None]
        if values:
            clauses.append(_with_values(fields, (values, *others)))
        if None in first:
            clauses.append(_with_values(fields, (None, *others)))
    return _any(clauses)


def _with_values(fields: Sequence[Field], values: Sequence[object]) -> JsonObject:
    """Documents with these raw values, a list for one of several, None for none; without fields all documents."""
    has: list[JsonObject] = []
    lacks: list[JsonObject] = []
    for field, value in zip(fields, values, strict=False):
        if value is None:
            lacks.append(_exists(str(field.exact)))
        elif isinstance(value, list):
            has.append({"terms": {str(field.exact): value}})
        else:
            has.append({"term": {str(field.exact): {"value": value}}})
    return {"bool": {"filter": has, "must_not": lacks}}


def is_plain(mapping: Mapping[str, JsonObject]) -> bool:
    """Whether a field is analysed in every index in the plain way, from the answer of `_mapping/field`."""
    for index in mapping.values():
        for field in index["mappings"].values():
            for inner in field["mapping"].values():
                if inner.get("analyzer", "standard") != "standard" or inner.get("type") in NUMBERS:
                    return False
    return bool(mapping)
