"""Turns what a delivery pipeline or a person sent into a `ChangeEvent`, or says in one line what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from agent.errors import CallerError
from tools.evidence import ChangeEvent, ChangeKind, as_utc, digest_of
from tools.redaction import masked, masked_attributes
from tools.words import MAX_NAME, clean_name, clean_text, did_you_mean

TEXT_LIMIT = 1_000
"""Characters kept of a title, an old or a new value: what a list of changes shows."""
DIFF_LIMIT = 200_000
"""Characters kept of a diff. A longer one is generated or vendored code, and each is read in every investigation."""
MOST_FILES = 500
"""Paths kept, for the same reason."""
WANTED_TIME = "a time with a zone is needed, like 2026-01-31T12:00:00Z"


def parse_change(sent: JsonValue) -> ChangeEvent:
    """Normalise one change that was reported to us; the keys are the fields of `ChangeEvent`.

    `kind` and `at` (or, for a change that nobody deployed yet, `merged_at`) are needed. Without an `id` it is made from
    the content, so that the same report twice is the same change. Secrets are masked, texts cut and freed of control
    characters; times must carry a zone. Raises CallerError that names the key and its value.
    """
    if not isinstance(sent, dict):
        raise CallerError(f"change: {_shown(sent)} is sent; an object is needed")
    for key in sent:
        if key not in ChangeEvent.model_fields:
            raise CallerError(f"change: there is no {_shown(key)}{did_you_mean(key, ChangeEvent.model_fields)}")
    raw = {key: masked(value) for key, value in sent.items() if value is not None}
    at, in_effect = _took_effect(raw)
    title = _text(raw, "title") or ""
    change = ChangeEvent(
        id=_name(raw, "id") or "",
        kind=_kind(raw),
        at=at,
        service=_name(raw, "service"),
        title=title,
        author=_name(raw, "author"),
        commit=_name(raw, "commit"),
        merged_at=_moment(raw, "merged_at"),
        version=_name(raw, "version"),
        files=_files(raw),
        diff=_text(raw, "diff", DIFF_LIMIT),
        before=_value_of(title, raw, "before"),
        after=_value_of(title, raw, "after"),
        in_effect=in_effect,
    )
    return change if change.id else change.model_copy(update={"id": _id_of(change)})


def _id_of(change: ChangeEvent) -> str:
    """An id made from the content: twelve hex digits do not meet by chance among millions."""
    return f"{change.kind.value}-{digest_of(change.model_dump(mode='json'))[:12]}"


def _shown(value: object) -> str:
    shown = json.dumps(value, default=str, ensure_ascii=True)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _refusal(key: str, value: object, wanted: str) -> CallerError:
    return CallerError(f"change: {key} is {_shown(value)}; {wanted}")


def _kind(raw: Mapping[str, JsonValue]) -> ChangeKind:
    value = raw.get("kind")
    kinds = [kind.value for kind in ChangeKind]
    if value not in kinds:
        raise _refusal("kind", value, f"a kind of change is needed{did_you_mean(value, kinds)}")
    return ChangeKind(value)


def _took_effect(raw: Mapping[str, JsonValue]) -> tuple[datetime, bool]:
    """When it took effect, and whether it did: what was merged and nothing more is not in effect."""
    at, merged_at = _moment(raw, "at"), _moment(raw, "merged_at")
    told = raw.get("in_effect", at is not None)
    if not isinstance(told, bool):
        raise _refusal("in_effect", told, "true or false is needed")
    if at is not None:
        return at, told
    if merged_at is None or told:
        raise _refusal("at", None, WANTED_TIME)
    return merged_at, told


def _moment(raw: Mapping[str, JsonValue], key: str) -> datetime | None:
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _refusal(key, value, WANTED_TIME)
    try:
        return as_utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError) as error:
        raise _refusal(key, value, WANTED_TIME) from error


def _name(raw: Mapping[str, JsonValue], key: str) -> str | None:
    """A name on one line. A long one is refused: cut, it would be the same as another."""
    text = _scalar(raw, key)
    if text is None:
        return None
    if len(text) > MAX_NAME:
        raise _refusal(key, text, f"at most {MAX_NAME} characters are needed")
    return clean_name(text) or None


def _text(raw: Mapping[str, JsonValue], key: str, limit: int = TEXT_LIMIT) -> str | None:
    text = _scalar(raw, key)
    return None if text is None else clean_text(text, limit)


def _value_of(title: str, raw: Mapping[str, JsonValue], key: str) -> str | None:
    """The old or the new value, masked where the title is the name of a secret."""
    text = _text(raw, key)
    return None if text is None else masked_attributes({title: text})[title]


def _scalar(raw: Mapping[str, JsonValue], key: str) -> str | None:
    """A text; numbers and switches, which flags have as values, are written as JSON writes them."""
    value = raw.get(key)
    if isinstance(value, dict | list):
        raise _refusal(key, value, "a text is needed")
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _files(raw: Mapping[str, JsonValue]) -> tuple[str, ...]:
    value = raw.get("files", [])
    if not isinstance(value, list):
        raise _refusal("files", value, "a list of paths is needed")
    paths: list[str] = []
    for path in value:
        if not isinstance(path, str) or not path:
            raise _refusal("files", value, "a list of paths is needed")
        paths.append(clean_text(path, TEXT_LIMIT))
    return tuple(paths[:MOST_FILES])
