"""Masks secrets in telemetry, string by string, before anything leaves a tool. JSON is walked, never searched as text.

Masking twice changes nothing, and the number of lines of a text stays, so that a masked diff is still a diff.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate

from pydantic import JsonValue

MASK = "[masked:"
"""How every mask begins; what follows is the kind of secret and a closing bracket."""

_MASKED = re.compile(r"\[masked:[a-z-]+\]")
_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret"
    r"|(?:auth|access|refresh|id|session|bearer|api)?[_-]?token|authorization|x-api-key|cookie|credentials?"
)
_SECRET_NAME = re.compile(rf"(?:{_WORDS})\Z", re.IGNORECASE)

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_SCHEME = re.compile(
    r"\b(?P<keep>(?:bearer|basic)\s{1,3})(?-i:(?=[\w.~+/=-]*(?:\d|[a-z][A-Z]|=)))[\w.~+/=-]{8,}", re.IGNORECASE
)
_URL = re.compile(
    r"(?P<keep>\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]{0,200}:)(?!\[masked:)[^\s/@]{1,200}(?=@)", re.IGNORECASE
)
_CLOUD_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_VENDOR_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{30,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|sk-[\w-]{20,}"
    r"|[rs]k_(?:live|test)_\w{16,}|AIza[\w-]{35})"
)
_ASSIGNED = re.compile(
    rf"(?P<keep>(?:{_WORDS})[\"']?\s{{0,3}}(?P<sign>[:=])>?\s{{0,3}}(?:(?:bearer|basic)\s{{1,3}})?+)"
    r"(?P<value>\"[^\"\n]{1,400}\"|'[^'\n]{1,400}'|[^\s,;&\"'\]\[(){}<>]{1,400}+(?![(\[]))",
    re.IGNORECASE,
)
_ANOTHER_WORD = re.compile(r"[ \t]+\w")
_HINTS = tuple(":// AKIA ASIA eyJ AIza glpat- xox sk- k_live k_test ghp_ gho_ ghu_ ghs_ ghr_ github_pat_".split())
_FOLDED_HINTS = (
    *("pass", "pwd", "secret", "token", "author", "cookie", "credential", "bearer", "basic", "private"),
    *("apikey", "api_key", "api-key", "accesskey", "access_key", "access-key"),
)
"""Most lines hold none of these and need no pattern: a plain search is ten times faster."""
_SHORTEST = len("pwd=x")
_BATCH = 4_096
"""Texts that are searched as one: enough for a search to be as fast as memory, few enough to hold them twice."""


def masked_text(text: str) -> str:
    """The text with secrets replaced by `[masked:kind]`."""
    if not _may_hold_secret(text):
        return text
    text = _PRIVATE_KEY.sub(_mask_lines, text)
    text = _JWT.sub("[masked:jwt]", text)
    text = _URL.sub(r"\g<keep>[masked:password]", text)
    text = _CLOUD_KEY.sub("[masked:cloud-key]", text)
    text = _VENDOR_TOKEN.sub("[masked:token]", text)
    text = _SCHEME.sub(r"\g<keep>[masked:token]", text)
    return _ASSIGNED.sub(_mask_assigned, text)


def _may_hold_secret(text: str) -> bool:
    if len(text) < _SHORTEST:
        return False
    for hint in _HINTS:
        if hint in text:
            return True
    folded = text.lower()
    for hint in _FOLDED_HINTS:
        if hint in folded:
            return True
    return False


def masked(value: JsonValue) -> JsonValue:
    """A JSON value with every string in it masked; what stands under the name of a secret is masked whole."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, dict):
        return {key: _masked_entry(key, item) for key, item in value.items()}
    return value


def masked_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """Flat attributes of a log line or span, masked by name and by content."""
    return {key: _masked_attribute(key, value) for key, value in attributes.items()}


def longest_open(text: str) -> str:
    """The longest stretch of a masked text that holds no mask: what a backend, which knows no masks, can search."""
    return max(_MASKED.split(text), key=len)


def masked_texts(texts: Iterable[str]) -> dict[str, str]:
    """Those of many texts that masking changes, each with what it becomes; most telemetry has none."""
    distinct = list(dict.fromkeys(texts))
    batches = (distinct[start : start + _BATCH] for start in range(0, len(distinct), _BATCH))
    changed = ((text, masked_text(text)) for batch in batches for text in _suspects(batch))
    return {text: told for text, told in changed if told != text}


def masked_pairs(pairs: Set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Those of many attributes, as name and value, that masking changes, each with what its value becomes."""
    secret = {name for name in {name for name, _ in pairs} if _SECRET_NAME.search(name)}
    changed = masked_texts(value for name, value in pairs if name not in secret)
    looked_at = ((name, value) for name, value in pairs if name in secret or value in changed)
    told = ((name, value, _masked_attribute(name, value)) for name, value in looked_at)
    return {(name, value): shown for name, value, shown in told if shown != value}


def _suspects(texts: Sequence[str]) -> Iterator[str]:
    """The texts that hold a hint, by one search through all of them instead of one through each."""
    whole = "\n".join(texts)
    folded = whole.lower()
    if len(folded) != len(whole):  # a letter that is two when folded (İ): places would not match any more
        yield from texts
        return
    ends = list(accumulate(len(text) + 1 for text in texts))
    found: set[int] = set()
    for searched, hints in ((whole, _HINTS), (folded, _FOLDED_HINTS)):
        for hint in hints:
            at = searched.find(hint)
            while at >= 0:
                place = bisect_right(ends, at)
                found.add(place)
                at = searched.find(hint, ends[place])
    yield from (texts[place] for place in sorted(found))


def _masked_entry(key: str, value: JsonValue) -> JsonValue:
    return _masked_attribute(key, value) if isinstance(value, str) else masked(value)


def _masked_attribute(key: str, value: str) -> str:
    if _SECRET_NAME.search(key) and not _is_harmless(value):
        return "[masked:value]"
    return masked_text(value)


def _is_harmless(value: str) -> bool:
    """Nothing to hide: absent, a switch, or a count (`max_token: 4096`)."""
    return value.strip("\"'").lower() in {"", "null", "none", "true", "false"} or value.isdecimal()


def _mask_assigned(found: re.Match[str]) -> str:
    value = found["value"]
    if value.lstrip("\"'").startswith(MASK) or _is_harmless(value):
        return found[0]
    # "password: expired yesterday" is prose; "password: k3y" and "password: correcthorse" at a line's end are not.
    if found["sign"] == ":" and value.isalpha() and _ANOTHER_WORD.match(found.string, found.end()):
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found['keep']}{quote}[masked:value]{quote}"


def _mask_lines(found: re.Match[str]) -> str:
    """Mask a block line by line, keeping the sign with which a diff begins each."""
    first, *others = found[0].split("\n")
    kept = [f"{line[:1] if line[:1] in {'+', '-', ' '} else ''}[masked:private-key]" for line in others]
    return "\n".join(["[masked:private-key]" if first else "", *kept])
