"""Stack traces: the line that says what happened, the exception's class and the topmost frames.

Frames are written `path:line function`, whatever the language, so that a diff's files can be looked up in them.
"""

from __future__ import annotations

import re

MAX_FRAMES = 3
"""Frames that are kept: the place it happened and who called it."""
MAX_STACK = 16_384
"""Characters that are read for frames; the innermost ones stand near one of the two ends."""

_TRACEBACK = re.compile(r"\s*(?:Traceback \(most recent call last\)|stack ?trace|exception):?\s*", re.IGNORECASE)
_CLASS = re.compile(
    r"(?<![\w.$])((?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*"
    r"(?:Exception|Error|Failure|Fault|Panic|Interrupt|Exit|Warning|Timeout|DeadlineExceeded))(?![\w$])"
)
_CAUSED_BY = re.compile(r"^[ \t]*Caused by:?[ \t]+([\w.$]+)", re.MULTILINE)
_GO_PANIC = re.compile(r"^(?:panic|fatal error): *(runtime error)?", re.MULTILINE)
# The look-behinds let a match begin only where a path or name begins, so that a long token costs linear time.
_PATH = r"[\w./\\@<>$+-]"
_SOURCE = (
    rf"(?<!{_PATH}){_PATH}+"
    r"\.(?:go|py|java|kt|scala|groovy|cs|fs|rb|rs|js|mjs|cjs|ts|tsx|php|c|cc|cpp|h|ex|exs|erl|swift|pl)"
)
_FRAMES = re.compile(
    rf'File "(?P<py>[^"\n]+)", line (?P<py_line>\d+), in (?P<py_fn>\S+)'
    rf"|\bat (?P<jvm_fn>[\w.$<>/]+)\((?P<jvm>{_SOURCE}):(?P<jvm_line>\d+)\)"
    rf"|\bat (?P<js_fn>[^\s(]+) \((?P<js>[^()\s]+?):(?P<js_line>\d+):\d+\)"
    rf"|\bat (?P<net_fn>[\w.$<>`]+)\([^()\n]*\) in (?P<net>\S+):line (?P<net_line>\d+)"
    rf"|(?<![\w./-])(?P<rb>[\w./-]+\.rb):(?P<rb_line>\d+):in [`'](?P<rb_fn>[^'\n]+)'"
    rf"|(?<![\w./*()$-])(?P<go_fn>[\w./*()$-]+)\([^()\n]*\)\n\t(?P<go>\S+\.go):(?P<go_line>\d+)"
    rf"|(?P<any>{_SOURCE}):(?P<any_line>\d+)(?::\d+)?(?:[ \t]+(?!\+0x)(?P<any_fn>[A-Za-z_][\w.:$<>*()-]*))?"
)
_STYLES = ("py", "jvm", "js", "net", "rb", "go", "any")


def headline(body: str) -> str:
    """The line of a body that says what happened: the first one, or a bare traceback's last unindented one."""
    first, newline, rest = body.lstrip("\r\n").partition("\n")
    if not newline or not _TRACEBACK.fullmatch(first):
        return first
    lines = [line for line in rest.splitlines() if line.strip() and not line[0].isspace()]
    return lines[-1] if lines else first


def exception_of(text: str) -> str:
    """The class of the exception a text reports, the root cause where it names one; "" when there is none."""
    causes = _CAUSED_BY.findall(text)
    if causes:
        return str(causes[-1])
    if found := _CLASS.search(headline(text)) or _CLASS.search(text):
        return found[1]
    panic = _GO_PANIC.search(text)
    if panic is None:
        return ""
    return "panic: runtime error" if panic[1] else "panic"


def frames_of(text: str, limit: int = MAX_FRAMES) -> tuple[str, ...]:
    """The innermost frames, innermost first, at most `limit`; () when the text holds none."""
    if len(text) > MAX_STACK:
        text = text[: MAX_STACK // 2] + "\n" + text[-MAX_STACK // 2 :]
    found = list(_FRAMES.finditer(text))
    if found and found[0]["py"]:
        found.reverse()  # Python prints the innermost frame last
    return tuple(dict.fromkeys(_shown(match) for match in found[: limit * 2]))[:limit]


def _shown(match: re.Match[str]) -> str:
    style = next(style for style in _STYLES if match[style])
    return f"{match[style]}:{match[f'{style}_line']} {match[f'{style}_fn'] or ''}".rstrip()
