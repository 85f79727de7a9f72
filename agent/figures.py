"""Numbers as a person says them: three digits, a unit, and a duration in the unit that fits."""

from __future__ import annotations

import math
import re
from datetime import timedelta

SECONDS_PER_UNIT = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "milliseconds": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minutes": 60.0,
}
BYTES_PER_UNIT = {
    "b": 1.0,
    "by": 1.0,
    "bytes": 1.0,
    "kb": 1e3,
    "kib": 2.0**10,
    "mb": 1e6,
    "mib": 2.0**20,
    "gb": 1e9,
    "gib": 2.0**30,
}
PER_CENT = {"percent", "pct", "%"}
SHARE = {"ratio", "fraction"}
RATES = dict.fromkeys(("/s", "1/s", "rps", "qps", "per_sec", "per_second"), "/s") | dict.fromkeys(
    ("/min", "1/min", "per_min", "per_minute"), "/min"
)
NAMED_UNIT = re.compile(
    r"(?:^|_)(ns|us|ms|milliseconds|seconds|sec|minutes|bytes|kb|kib|mb|mib|gb|gib|percent|pct|ratio|fraction"
    r"|rps|qps|per_sec|per_second|per_min|per_minute)"
    r"(?:_(?:total|p?\d+|avg|mean|max|sum|count))*$"
)
"""The unit at the end of a metric's name, as Prometheus and StatsD name them, a quantile or an aggregate after it."""


def named_unit(metric: str) -> str:
    """Return the unit that a metric's name carries, "" when it carries none."""
    found = NAMED_UNIT.search(metric.lower().replace(".", "_"))
    return found.group(1) if found and not metric.lower().endswith("_count") else ""


def quantity(value: float, unit: str = "", metric: str = "") -> str:
    """Return `value` with its unit; without a unit, the one that the metric's name carries."""
    known = (unit or named_unit(metric)).strip()
    key = known.lower()
    if not math.isfinite(value):
        return "no value" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if key in SECONDS_PER_UNIT:
        return _seconds(value * SECONDS_PER_UNIT[key])
    if key in BYTES_PER_UNIT:
        return _bytes(value * BYTES_PER_UNIT[key])
    if key in SHARE or key in PER_CENT:
        return f"{digits(value * (100 if key in SHARE else 1))} %"
    if key in RATES:
        return f"{digits(value)}{RATES[key]}"
    return f"{digits(value)} {known}" if known and known != "1" else digits(value)


def digits(value: float) -> str:
    """Return three significant digits, thousands separated, never an exponent between 0.001 and a trillion."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e12 or size < 1e-3:
        return f"{value:.2g}"
    if size >= 1000:
        return f"{value:,.0f}"
    places = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(length: timedelta) -> str:
    """Return a duration in one unit up to a minute, in two above: 40 ms, 4.12 s, 12 min, 2 h 5 min, 3 d 4 h."""
    return _seconds(length.total_seconds())


def roughly(length: timedelta) -> str:
    """Return a duration in one unit and two digits, for an uncertainty: 20 s, 1.6 min, 2 h."""
    seconds = length.total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return _seconds(float(f"{seconds:.2g}"))


def _seconds(seconds: float) -> str:
    size = abs(seconds)
    if size < 1e-3 and size > 0:
        return f"{digits(seconds * 1e6)} µs"
    if size < 0.9995:
        return f"{digits(seconds * 1e3)} ms" if size else "0 s"
    if size < 59.95:
        return f"{digits(seconds)} s"
    sign = "-" if seconds < 0 else ""
    whole = round(size)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    first = next(i for i, (count, _) in enumerate(parts) if count)
    # Two neighbouring units are as precise as anybody needs: 3 d 4 h, never 3 d 0 h 0 min 12 s.
    return sign + " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{digits(count)} {unit}"
        count /= 1024
    return f"{digits(count)} TiB"


def times_as_much(before: float, after: float) -> str:
    """Return how a level moved, as ×12 or ×0.3; "" where a ratio says nothing (from zero, or hardly moved)."""
    if before <= 0 or after <= 0 or not (math.isfinite(before) and math.isfinite(after)):
        return ""
    ratio = after / before
    return "" if 0.95 <= ratio <= 1.05 else f"×{digits(float(f'{ratio:.2g}'))}"


def counted(count: int, word: str) -> str:
    """Return `3 services`, `1 service`, `2 queries`."""
    if count == 1:
        return f"1 {word}"
    plural = f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"
    return f"{count:,} {plural}"
