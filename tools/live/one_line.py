"""Words of others in a message: on one line, without control characters, short."""

from __future__ import annotations

from tools.words import clean_text


def one_line(text: str, limit: int) -> str:
    """The text on one line, cut at `limit` characters; what was cut off is counted behind it."""
    return clean_text(" ".join(clean_text(text, 4 * limit).split()), limit)
