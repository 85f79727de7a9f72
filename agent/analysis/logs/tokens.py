"""Which tokens of a log line are variable: numbers, ids, hosts, quoted values. A line without them is its shape."""

from __future__ import annotations

import re

WILDCARD = "<*>"
SERVER_ERROR = "<5xx>"
"""Stands for an HTTP status of the server's fault, so that an access log shows the difference."""
OTHER = "<other>"
"""The template of the lines for which no template is kept."""
EMPTY = "<empty>"
PLACEHOLDER = re.compile(r"<\*>|<5xx>|<other>|<empty>|\[masked:[\w-]*\]")

MAX_TOKENS = 64
"""Tokens of a line that make its shape; what a longer line says later are its data."""
MAX_LINE = 4_000
"""Characters of a line that are read for its shape."""
_REMEMBERED = 200_000
"""Tokens whose mask is remembered: the vocabulary of a large system, some 30 MB."""
_GLUED = 60
"""A token longer than this is a whole record without blanks (compact JSON, a query string): its pieces are masked."""

_DIGIT = re.compile(r"\d")
_HEX = re.compile(r"[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]+)*")
_KEYED = re.compile(r"([\[({,;\"']*[A-Za-z_][\w.\-/]{0,60}=)(.+)", re.DOTALL)
_PIECE = re.compile(r"[\w.-]*\d[\w.-]*")
_QUOTED = re.compile(r"""([A-Za-z_][\w.\-]{0,60})=(?:"(?:[^"\\]|\\.)*"|'[^']*')""")
_TOLD = frozenset({"msg", "message", "error", "err", "event", "reason", "exception", "detail", "cause"})
"""Keys whose quoted value is what the line says; their value is kept."""
_FIVE_HUNDRED = re.compile(r"[\s=:\"]5\d\d\b")
_STATUS = re.compile(
    r"((?:\bstatus(?:[_ -]?code)?|\bcode|\breturn(?:ed|ing|s)|\banswered|\bresponded(?: with)?|\bupstream"
    r"|\bhttp(?:/[\d.]{1,3}\"?)?|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S{1,200}(?: HTTP/[\d.]{1,3}\"?)?)"
    r"[\s=:\"]{1,3})5\d\d\b(?![.:%])",
    re.IGNORECASE,
)


class TokenMasks(dict[str, str]):
    """Remembers the mask of every token it saw, up to a bound."""

    def __missing__(self, token: str) -> str:
        mask = _mask(token)
        if len(self) < _REMEMBERED:
            self[token] = mask
        return mask


def token_masks() -> TokenMasks:
    return TokenMasks()


def shape_of_body(line: str, masks: TokenMasks) -> str:
    """One line with its variable tokens replaced and its blanks joined; EMPTY for a blank line."""
    line = line[:MAX_LINE]
    if '="' in line or "='" in line:
        line = _QUOTED.sub(_quoted, line)
    if _FIVE_HUNDRED.search(line):
        line = _STATUS.sub(rf"\1{SERVER_ERROR}", line)
    tokens = line.split()
    if len(tokens) > MAX_TOKENS:
        del tokens[MAX_TOKENS:]
    return " ".join([masks[token] for token in tokens]) or EMPTY


def key_of(token: str) -> str:
    """`user=` of `user=alice`; "" for a token that is no pair."""
    found = _KEYED.fullmatch(token)
    return found[1] if found else ""


def _quoted(found: re.Match[str]) -> str:
    return found[0] if found[1].lower() in _TOLD else f"{found[1]}={WILDCARD}"


def _mask(token: str) -> str:
    if SERVER_ERROR in token:
        return token[: token.index(SERVER_ERROR) + len(SERVER_ERROR)]
    if not _DIGIT.search(token) and not _HEX.fullmatch(token):
        return token
    if len(token) > _GLUED:
        return _PIECE.sub(WILDCARD, token)
    found = _KEYED.fullmatch(token)
    if found and not _DIGIT.search(found[1]):
        return found[1] + WILDCARD
    return WILDCARD
