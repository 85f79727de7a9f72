"""A small shop that serves requests: front calls shop, shop calls stock, and each logs four statements on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from agent.analysis.observed import PathBreak
from agent.analysis.paths.observe import observe_paths
from agent.incident import Alert
from tests.agent.analysis.telemetry import START, Span, at, span_frame
from tools.backend import LOG_COLUMNS
from tools.evidence import TimeWindow

FIRED = 10.0
"""Minutes after the start; the shop is watched from 0 to 12."""
ALERT = Alert(service="front", fired_at=at(FIRED))
WINDOW = TimeWindow(since=START, until=at(12))
MS = 1 / 60_000
RAISED = "java.lang.IllegalStateException: no price"
NOTHING = "nothing to update"


@dataclass
class Shop:
    """Collects the spans and lines of the requests that it serves."""

    spans: list[Span] = field(default_factory=list)
    lines: list[tuple[float, str, str, str, str, str]] = field(default_factory=list)
    located: bool = False

    def serve(self, minute: float, fault: str = "", operation: str = "Buy") -> None:
        """One request. Faults: "raise" in shop, "wrong" value in stock, "early" return of shop, "" for none."""
        trace = f"t{len(self.spans)}"
        early = fault in ("raise", "early")
        self._span(trace, "f", "", "front", "GET /buy", minute, 40)
        self._say(trace, "f", "front", minute, 1, "INFO", "request received id=17")
        self._say(trace, "f", "front", minute, 2, "INFO", "calling shop")
        self._span(trace, "s", "f", "shop", operation, minute + 5 * MS, 20)
        self._say(trace, "s", "shop", minute, 6, "INFO", "buying item=12")
        self._say(trace, "s", "shop", minute, 7, "INFO", "price known")
        self._span(trace, "p", "s", "shop", "find price", minute + 6.5 * MS, 0.2)
        if fault == "raise":
            self._say(trace, "s", "shop", minute, 8, "ERROR", RAISED)
        if not early:
            self._span(trace, "k", "s", "stock", "Reserve", minute + 9 * MS, 8)
            self._say(trace, "k", "stock", minute, 10, "INFO", "reserve asked")
            self._say(trace, "k", "stock", minute, 11, "INFO", "row locked")
            wrong = ("ERROR", NOTHING) if fault == "wrong" else ("INFO", "row updated")
            self._say(trace, "k", "stock", minute, 12, *wrong)
            self._say(trace, "k", "stock", minute, 13, "INFO", "reserved")
            self._say(trace, "s", "shop", minute, 18, "INFO", "stock answered")
            self._say(trace, "s", "shop", minute, 19, "INFO", "bought")
        answer = ("WARN", "shop failed") if fault else ("INFO", "shop answered")
        self._say(trace, "f", "front", minute, 30, *answer)
        self._say(trace, "f", "front", minute, 31, "INFO", "reply sent")

    def browse(self, minute: float, fault: str = "") -> None:
        """Another operation of front, with statements and calls of its own; with a fault, stock loses the rows."""
        trace = f"t{len(self.spans)}"
        self._span(trace, "f", "", "front", "GET /list", minute, 10)
        self._say(trace, "f", "front", minute, 1, "INFO", "listing")
        self._span(trace, "k", "f", "stock", "List", minute + 2 * MS, 5)
        self._say(trace, "k", "stock", minute, 3, "INFO", "listing rows")
        self._say(trace, "k", "stock", minute, 4, *(("ERROR", "rows lost") if fault else ("INFO", "rows read")))
        self._say(trace, "f", "front", minute, 8, "INFO", "reply sent")

    def _span(self, trace: str, span: str, parent: str, service: str, name: str, minute: float, ms: float) -> None:
        self.spans.append(Span(trace, span, parent, service, name, minute, ms))

    def _say(self, trace: str, span: str, service: str, minute: float, ms: float, severity: str, body: str) -> None:
        self.lines.append((minute + ms * MS, service, severity, body, trace, span))

    def span_frame(self) -> pd.DataFrame:
        return span_frame(self.spans)

    def log_frame(self) -> pd.DataFrame:
        rows = [
            (at(minute), service, "", severity, body, trace, span, self._attributes(body))
            for minute, service, severity, body, trace, span in sorted(self.lines)
        ]
        frame = pd.DataFrame(rows, columns=list(LOG_COLUMNS))
        texts = {name: "str" for name in ("service", "instance", "severity", "body", "trace_id", "span_id")}
        return frame.astype(texts | {"timestamp": "datetime64[us, UTC]", "attributes": "object"})

    def _attributes(self, body: str) -> dict[str, str]:
        return {"code.location": f"Place#{len(body)}"} if self.located else {}

    def seen(self, split: float = FIRED, *, logs: bool = True, spans: bool = True) -> tuple[PathBreak, ...]:
        """What is observed of it."""
        return observe_paths(
            self.log_frame() if logs else None, self.span_frame() if spans else None, ALERT, WINDOW, at(split)
        )


def minutes(since: float, until: float, per_minute: int) -> Iterable[float]:
    """Evenly spread moments; a little off the minute, as requests are."""
    count = round((until - since) * per_minute)
    return (since + (place + 0.37) / per_minute for place in range(count))


def incident(fault: str, *, per_minute: int = 20, every: int = 1, since: float = FIRED) -> Shop:
    """Ten quiet minutes, then two in which every `every`-th request has the fault."""
    shop = Shop()
    for minute in minutes(0, since, per_minute):
        shop.serve(minute)
    for place, minute in enumerate(minutes(since, 12, per_minute)):
        shop.serve(minute, fault if place % every == 0 else "")
    return shop


def first_of(breaks: Iterable[PathBreak]) -> str:
    """The service that the breaks point at."""
    return max(breaks, key=lambda one: one.strength * one.first).service
