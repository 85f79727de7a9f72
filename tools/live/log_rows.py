"""Documents and lines of live backends become rows of a log frame."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pandas as pd

from tools.attributes import attribute_texts, scalar_text
from tools.backend import LOG_COLUMNS
from tools.evidence import JsonObject, Source, TimeWindow
from tools.live.notebook import Notebook
from tools.moments import NOT_A_TIME, microseconds, read_moments
from tools.record_split import RecordSplit
from tools.words import LOG_KEYS, UNKNOWN_SERVICE, clean_name, counted, severity

TEXTS = ("service", "instance", "severity", "body", "trace_id", "span_id")
_PAIR = re.compile(r'(?:^|(?<=\s))([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)')
"""One pair of a logfmt line: `key=value` or `key="quoted value"` (https://brandur.org/logfmt)."""
_MARK = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\r(?!\n)"
    r"|\\u00[01][0-9a-fA-F]|\\x1b"
)
_LEVELS = frozenset({"level", "lvl", "severity", "severity_text", "log.level", "loglevel"})
_INSIDE = RecordSplit({**LOG_KEYS, "severity": (*LOG_KEYS["severity"], "lvl", "loglevel")})


@dataclass(frozen=True)
class LogRows:
    """Reads records with the synonyms of one backend; what has to be left out or repaired is noted."""

    split: RecordSplit
    """Made from a mapping with the keys of `tools.words.LOG_KEYS`."""
    notes: Notebook
    name: str
    services_inside: bool = False
    """Whether a service that only the body names counts; a backend that cannot look for it says no."""

    @classmethod
    def of(
        cls, wanted: Mapping[str, Sequence[str]], notes: Notebook, name: str, *, services_inside: bool = False
    ) -> LogRows:
        """`wanted`: keys of a record for each column, the first that a record has counts; then the usual ones."""
        keys = {
            column: (*(key.lower() for key in wanted.get(column, ())), *usual) for column, usual in LOG_KEYS.items()
        }
        return cls(RecordSplit(keys), notes, name, services_inside)

    def frame(self, window: TimeWindow, times: Sequence[object], records: Iterable[JsonObject]) -> pd.DataFrame:
        """Rows as `tools.backend` lists them, sorted by time, inside the window; `times` are the records' raw times.

        A body that is a JSON object or logfmt itself gives what its record does not tell: level, message, trace ids.
        """
        told = [self._told(record) for record in records]
        moments = read_moments(times).microseconds
        since, until = microseconds(pd.Series([window.since, window.until])).tolist()
        empty = np.array([not row["body"] for row, _ in told], dtype=np.bool_)
        lost = moments == NOT_A_TIME
        self._note(lost, "without a readable time")
        self._note(empty & ~lost, "without a text")
        kept = np.flatnonzero(~empty & (moments >= since) & (moments < until))
        order = kept[np.argsort(moments[kept], kind="stable")]
        columns: dict[str, object] = {"timestamp": pd.to_datetime(moments[order], unit="us", utc=True)}
        for column in TEXTS:
            columns[column] = pd.array([told[place][0][column] for place in order], dtype="str")
        columns["attributes"] = pd.Series([told[place][1] for place in order], dtype="object")
        frame = pd.DataFrame(columns)[list(LOG_COLUMNS)]
        return frame.astype({"timestamp": "datetime64[us, UTC]"})

    def _told(self, record: JsonObject) -> tuple[dict[str, str], dict[str, str]]:
        values, attributes = self.split(record)
        raw = dict(zip(LOG_KEYS, values, strict=True))
        body = scalar_text(raw["body"])
        if raw["severity"] is None or body.startswith("{"):
            inside = _told_inside(body)
            if inside is not None:
                found, more = inside
                body = scalar_text(found.pop("body") or body)
                if not self.services_inside:
                    found.pop("service")
                raw |= {column: value for column, value in found.items() if raw[column] in (None, "")}
                attributes = attribute_texts((more | attributes).items())
        names = {
            column: clean_name(scalar_text(raw[column])) for column in ("service", "instance", "trace_id", "span_id")
        }
        names["service"] = names["service"] or UNKNOWN_SERVICE
        return names | {"severity": severity(raw["severity"]), "body": body}, attributes

    def _note(self, wrong: np.ndarray, what: str) -> None:
        count = int(wrong.sum())
        if count:
            self.notes.add(Source.LOGS, f"{self.name}: {counted(count, 'line')} of {len(wrong)} {what} left out")


def empty_frame() -> pd.DataFrame:
    """No lines, with the right columns and types."""
    columns = {column: pd.array([], dtype="str") for column in LOG_COLUMNS}
    columns |= {"timestamp": pd.to_datetime([], utc=True).as_unit("us"), "attributes": pd.array([], dtype="object")}
    return pd.DataFrame(columns)


def words_of(text: str) -> list[str]:
    """Stretches of a text that stand unchanged in whatever it was logged as.

    JSON escapes quotes, backslashes and what is not ASCII, some writers also `<`, `>`, `&` and `/`. What is left are
    stretches of other characters. They do not stand so in lines that are marked (`is_marked`).
    """
    return re.findall(r"[^\s\"\\<>&/'\x00-\x1f\x7f-\U0010ffff]+", text)


def is_marked(text: str) -> bool:
    """Whether a line holds colour codes or other control characters, without which its text is shown.

    They may stand in the middle of what is one word afterwards, also as an escape of JSON.
    """
    return _MARK.search(text) is not None


def _told_inside(body: str) -> tuple[JsonObject, dict[str, str]] | None:
    """The columns and attributes that a structured body carries, when it carries a level or a text of its own."""
    record = _json_object(body) if body.startswith("{") else _logfmt(body)
    if record is None:
        return None
    values, attributes = _INSIDE(record)
    found: JsonObject = dict(zip(LOG_KEYS, values, strict=True))
    found.pop("timestamp")
    if found["severity"] is None and found["body"] is None:
        return None
    return found, attributes


def _json_object(body: str) -> JsonObject | None:
    try:
        record = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


def _logfmt(body: str) -> JsonObject | None:
    """The pairs of a logfmt line; None for a line that only happens to hold a `key=value`."""
    if "=" not in body or "\n" in body:
        return None
    pairs = {key: _unquoted(value) for key, value in _PAIR.findall(body)}
    return pairs if _LEVELS & pairs.keys() and pairs.keys() & {"msg", "message"} else None


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(orjson.loads(value))
    except orjson.JSONDecodeError:
        return value[1:-1]
