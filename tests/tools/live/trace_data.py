"""Spans of a small incident: web calls shop, shop calls payment, which begins to fail; and a service with an odd name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from tools.backend import SPAN_COLUMNS
from tools.evidence import TimeWindow

SINCE = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
WINDOW = TimeWindow(since=SINCE, until=SINCE + timedelta(minutes=24))
BROKE = SINCE + timedelta(minutes=16)
TRACES = 48
ODD = 'we"b\\ } || {'
"""A service that is called like a query."""


def spans() -> pd.DataFrame:
    """A trace every half minute, with three spans; columns of `tools.backend`."""
    rows: list[tuple[object, ...]] = []
    for place in range(TRACES):
        at = SINCE + timedelta(seconds=30 * place, microseconds=7)
        trace = f"{(1 << 124) + place:032x}"
        failed = at >= BROKE
        status, told = ("ERROR", {"exception.type": "Timeout"}) if failed else ("OK", {})
        ms = timedelta(milliseconds=1)
        rows += [
            (trace, f"{3 * place + 1:016x}", "", "web", "GET /basket", "server", at, 90.0, status, {}),
            (trace, f"{3 * place + 2:016x}", f"{3 * place + 1:016x}", "shop", "pay", "internal", at + ms, 80.5, "", {}),
            (
                *(trace, f"{3 * place + 3:016x}", f"{3 * place + 2:016x}", "payment", "charge", "client"),
                *(at + 2 * ms, 70.25, status, {"amount": str(place), **told}),
            ),
        ]
    rows.append((f"{999 << 64:032x}", f"{999:016x}", "", ODD, "odd", "", SINCE + timedelta(minutes=3), 1.0, "", {}))
    frame = pd.DataFrame(rows, columns=list(SPAN_COLUMNS)).sort_values("start").reset_index(drop=True)
    texts = {name: "str" for name in SPAN_COLUMNS if name not in {"start", "duration_ms", "attributes"}}
    return frame.astype({**texts, "start": "datetime64[us, UTC]", "duration_ms": "float64"})
