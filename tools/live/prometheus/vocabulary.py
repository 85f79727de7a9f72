"""The few words of metric names and labels that decide what is worth asking for, and how it is put together.

What a name means for an investigation is not decided here (that is the analysis'); it gets more names than it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FELT = frozenset(
    "error errors err fail failed failure failures exception exceptions rejected refused timeout timeouts aborted dropped "
    "duration latency request requests response responses http rpc grpc query queries call calls".split()
)
"""What users feel: errors, latency, traffic."""
FULL = frozenset(
    "cpu load load1 memory mem heap rss resident oom swap throttled throttling pool connection connections pending queue "
    "queued lag backlog depth inflight active waiting lock locks deadlocks disk filesystem io iowait inode inodes thread "
    "threads goroutines gc cache hits misses evicted evictions restarts replicas available unavailable ready up expiry "
    "network receive transmit retransmits descriptors fds saturation utilization usage".split()
)
"""What runs out or is waited for."""
INNER = frozenset("scrape promhttp prometheus alertmanager otelcol memstats sched python rule tsdb exporter".split())
"""First or second words of what monitoring and runtimes tell of themselves."""
SAYS_NOTHING = re.compile(r".*(?:_created|_info|_labels|_annotations|_timestamp|_build_info)|ALERTS.*|target_info")
"""Constants, and the alerts, which are the question and not an answer."""

WORK = frozenset("request requests http rpc grpc call calls query queries message messages job jobs command".split())
WAITING = frozenset(
    "pool queue lock wait waiting connection connections gc disk acquire borrow compaction fsync".split()
)
"""A histogram of these times counts no work that is asked for."""
TIME_WORDS = frozenset("duration latency time elapsed handling processing seconds milliseconds microseconds".split())

UNITS = {
    "seconds": "s",
    "second": "s",
    "milliseconds": "ms",
    "ms": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
    "bytes": "B",
    "ratio": "ratio",
    "percent": "%",
}
TIMES = frozenset({"s", "ms", "us", "ns"})
SCARCE = frozenset("free available avail remaining left idle ready".split())
"""Of these the lowest of several series is felt; of anything else the highest."""
KINDS = frozenset("state mode type kind area reason direction phase condition".split())
"""Labels that split a counter into different things rather than into parts of one."""
INDEX = re.compile(r"\d+|[0-9a-f]{8,}|.*[0-9a-f]{8}-[0-9a-f]{4}-.*")
"""Values of a label that numbers things."""

_STATUS = re.compile(r"(?:.*_)?(?:status|code|status_code|outcome|result|success|error|error_type)")
_HTTP = re.compile(r"[1-5](?:\d\d|xx)", re.IGNORECASE)
_GRPC_NUMBERS = "2|4|8|1[2-5]"
_GRPC = (
    "(?i)unknown|internal|unavailable|unimplemented|data_?loss|deadline_?exceeded|resource_?exhausted"
    "|(?:.*_)?errors?|server_error|fail.*|exception|timed?_?out"
)
"""gRPC's codes that blame the server (https://grpc.io/docs/guides/status-codes/), and people's own words."""


def words(name: str) -> list[str]:
    """`http.server.requestDuration` -> http, server, request, duration."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


def tier(name: str) -> int:
    """0 for what users feel, 1 for what runs out, 2 for anything else, 3 for what tools tell of themselves."""
    found = words(name)
    if not INNER.isdisjoint(found[:2]):
        return 3
    if not FELT.isdisjoint(found):
        return 0
    return 1 if not FULL.isdisjoint(found) else 2


def unit_of(name: str, told: str = "") -> str:
    """The unit of a metric, as told or as its name ends, "" when unknown."""
    if told:
        return UNITS.get(told, told)
    return next((UNITS[word] for word in reversed(words(name)) if word in UNITS), "")


def error_values(label: str, values: Iterable[str]) -> tuple[str, str] | None:
    """How failures are told by a label with these values: their name and a regular expression; None if it tells none."""
    plain = re.sub(r"[^a-z0-9_]", "_", label.lower())
    seen = {value for value in values if value}
    if not seen or not _STATUS.fullmatch(plain):
        return None
    if all(_HTTP.fullmatch(value) for value in seen):
        return "5xx", "5[0-9][0-9]|5[xX][xX]"
    if all(value.isdigit() for value in seen):
        return ("errors", _GRPC_NUMBERS) if "grpc" in plain or "rpc" in plain else None
    if plain.endswith("success"):
        return "errors", "(?i)false|no"
    if plain.endswith(("error", "error_type")):
        return "errors", "(?i).*[^0-9].*|5[0-9][0-9]" if seen - {"false", "true"} else "(?i)true|yes"
    return "errors", _GRPC
