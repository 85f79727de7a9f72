"""Text from telemetry, made safe to print: it is data, so it may neither move the cursor nor style the page."""

from __future__ import annotations

import re
import unicodedata

from rich.text import Text

ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor (ECMA-48, 5.4)
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)"  # OSC, DCS and other strings: window titles, links, clipboard
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that print nothing or steer: controls, formats (bidi overrides too), surrogates, unassigned."""


def printable(text: str) -> str:
    """Return `text` on one line, without escape sequences, control characters and direction overrides."""
    plain = ESCAPE_SEQUENCE.sub("", text)
    shown = "".join(" " if c in "\t\n\r\x0b\x0c\u2028\u2029" else c for c in plain)
    return "".join(c for c in shown if unicodedata.category(c) not in UNSEEN)


def styled(text: str, style: str = "") -> Text:
    """Return `text` as Rich text in one style, never parsed as markup."""
    return Text(printable(text), style=style)


def shortened(text: str, width: int) -> str:
    """Cut to `width` characters with an ellipsis, at a word where one is near the end."""
    if len(text) <= width:
        return text
    cut = text[: max(width - 1, 1)]
    space = cut.rfind(" ")
    return (cut[:space] if space > width * 2 // 3 else cut).rstrip(" ,;:") + "…"
