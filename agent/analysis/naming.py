"""What a metric measures, read from its name: golden signal, resource, unit, which move hurts, how instances join.

Names come from Prometheus, OpenTelemetry, cAdvisor, StatsD and people's own habits; they share words rather than
conventions, so the words decide. The first row of `_MEANINGS` whose pattern fits names what is measured.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from agent.incident import GoldenSignal, Resource

Harm = Literal["up", "down", "any", "none"]
Join = Literal["sum", "mean", "max"]


class Meaning(NamedTuple):
    """What one metric measures."""

    golden: GoldenSignal | None
    resource: Resource | None
    harm: Harm
    """The direction that hurts; `none` for what only describes (load, a setting)."""
    join: Join
    """How instances of a service become one series."""
    unit: str
    counter: bool
    """Only ever grows, so its rate is what tells."""


class _Row(NamedTuple):
    pattern: re.Pattern[str]
    golden: GoldenSignal | None
    resource: Resource | None
    harm: Harm
    join: Join


def _row(words: str, golden: GoldenSignal | None, resource: Resource | None, harm: Harm, join: Join = "mean") -> _Row:
    return _Row(re.compile(rf"(?:^|_)(?:{words})(?:_|$)"), golden, resource, harm, join)


_L, _T, _E, _S = GoldenSignal.LATENCY, GoldenSignal.TRAFFIC, GoldenSignal.ERRORS, GoldenSignal.SATURATION
_R = Resource

_MEANINGS = (
    # Settings: a move matters to somebody who reads diffs; none hurts by itself.
    _row(
        r"max_\w+|\w+_max_\w+|\w*(limit|limits|quota|ceiling|capacity|configured|desired|threshold)$",
        None,
        None,
        "none",
    ),
    _row(
        r"(cert|certificate|tls|ssl|x509|keystore)\w*_\w*(expir\w*|days|seconds|remaining|ttl|not_after)",
        _S,
        _R.CERTIFICATE,
        "down",
    ),
    _row(r"(cert|certificate|tls|ssl|x509|handshake)\w*_\w*(error|fail)\w*", _E, _R.CERTIFICATE, "up", "sum"),
    # Failures come before what they are failures of: `pool_timeouts` is an error, `cache_errors` too.
    _row(
        r"(\w*error|\w*fail)(s|ed|ure|ures)?|5xx|4xx|5\d\d|exceptions?|panics?|fatals?|aborts?|aborted|rejects?|rejected",
        _E,
        None,
        "up",
        "sum",
    ),
    _row(
        r"rejections?|refused|denied|nacks?|dropped|drops|drop|unavailable|crash(es)?|timeouts?|timed_out|cancel\w*",
        _E,
        None,
        "up",
        "sum",
    ),
    _row(
        r"exceeded|exhausted|abandoned|dlq|dead_?letters?|poison|unprocessable|oom\w*|kills?|killed|restarts?|resets?",
        _E,
        None,
        "up",
        "sum",
    ),
    _row(
        r"mismatch(es)?|violations?|conflicts?|deadlocks?|invalid|corrupt\w*|lost|losses|loss|unhealthy|down",
        _E,
        None,
        "up",
        "sum",
    ),
    _row(r"retrans\w*|packet_?loss|reconnects?|retr(y|ies|ied)|redeliver\w*", _E, _R.NETWORK, "up", "sum"),
    _row(
        r"(success|succeeded|availability|available|healthy|up|ok)(_\w+)?_(ratio|rate|pct|percent)|availability",
        _E,
        None,
        "down",
    ),
    # Saturation.
    _row(r"hit_?(ratio|rate|pct|percent)|hits?_(ratio|rate)|hit", _S, _R.CACHE, "down"),
    _row(r"(miss|misses)(_\w+)?", _S, _R.CACHE, "up", "sum"),
    _row(r"evict\w*", _S, _R.CACHE, "up", "sum"),
    _row(r"(lock|locks|latch|mutex|blocked|contention)(_\w+)?", _S, _R.DATABASE, "up"),
    _row(
        r"(idle_in_transaction|transaction|transactions|txn)_\w*(ms|seconds|age|time|duration)\w*|idle_in_transaction",
        _S,
        _R.DATABASE,
        "up",
    ),
    _row(
        r"(pool|conn|connection|connections|borrow|acquire|checkout)_\w*(wait|waiting|pending|acquire)\w*",
        _S,
        _R.CONNECTIONS,
        "up",
        "max",
    ),
    _row(r"(replication|replica|slave|standby)_\w*lag\w*", _S, _R.DATABASE, "up", "max"),
    _row(
        r"\w*(lag|backlog|queue|queued|outbox|inbox|unacked|spool|oldest|overdue|stuck)(_\w+)?",
        _S,
        _R.QUEUE,
        "up",
        "sum",
    ),
    _row(r"(pending|waiting|depth|buffer|buffered|ready_messages|messages_ready)(_\w+)?", _S, _R.QUEUE, "up", "sum"),
    _row(
        r"(pool|conn|conns|connection|connections|clients|sockets|sessions|handles|descriptors|fds?)(_\w+)?",
        _S,
        _R.CONNECTIONS,
        "any",
        "sum",
    ),
    _row(r"(mem|memory|heap)\w*_?(available|free)\w*", _S, _R.MEMORY, "down"),
    _row(r"gc|garbage|gc_pause\w*|heap|memory|mem|rss|working_set|resident|swap", _S, _R.MEMORY, "up", "max"),
    _row(r"(disk|filesystem|fs|volume|storage|inode|inodes|mount)_\w*(free|avail|available)\w*", _S, _R.DISK, "down"),
    _row(
        r"(disk|filesystem|fs|volume|storage|inode|inodes|mount|wal)_\w*(used|usage|utili[sz]ation|pct|percent|full)\w*",
        _S,
        _R.DISK,
        "up",
        "max",
    ),
    _row(r"io_?wait|iops|io_time|io_util|await|fsync|disk_\w*(latency|queue|busy)", _S, _R.DISK, "up", "max"),
    _row(r"disk|wal|iowait", _S, _R.DISK, "none", "sum"),
    _row(r"cpu|processor|load_?(avg|average|1|5|15)|throttl\w*|steal", _S, _R.CPU, "up"),
    _row(
        r"threads?|goroutines?|workers?_busy|busy_workers?|in_?flight|concurren\w*|event_loop\w*|executor",
        _S,
        _R.THREADS,
        "up",
        "sum",
    ),
    _row(r"rtt|ping|round_trip|network_latency", _L, _R.NETWORK, "up", "max"),
    _row(r"(bytes|packets)_(in|out|sent|received|recv|rx|tx)\w*|network|bandwidth|net", _T, _R.NETWORK, "none", "sum"),
    _row(r"replicas?|instances|pods|nodes|members|targets|backends", _S, _R.REPLICAS, "none", "sum"),
    _row(r"uptime|(pod|process|youngest)_\w*age\w*", None, None, "none"),
    _row(r"(keys|entries|cached|cache_size)(_\w+)?", _S, _R.CACHE, "none", "sum"),
    # Latency before traffic: `request_duration` has both words.
    _row(
        r"lat|\w*(duration|latency|response_time|elapsed|processing_time|handling|wait_time|load_time|render_ms|cycle)(_\w+)?",
        _L,
        None,
        "up",
        "max",
    ),
    _row(r"\w*p(50|75|90|95|99|999)(_\w+)?|(\w+_)?(ms|seconds|millis)(_p\d+)?|quantile|apdex", _L, None, "up", "max"),
    _row(r"stale\w*|staleness|freshness|age|delay\w*|older\w*", _S, None, "up", "max"),
    # Traffic.
    _row(r"per_request|per_call|calls_in_request|fan_?out", _T, None, "up"),
    _row(
        r"\w*(requests?|rps|qps|calls|messages|events|hits|queries|commands|operations|ops|transactions|orders|jobs)(_\w+)?",
        _T,
        None,
        "none",
        "sum",
    ),
    _row(
        r"(\w+_)?(persecond|perminute|perhour|throughput|rate|lps|tps)(_\w+)?|sent|received|processed|published|written|read",
        _T,
        None,
        "none",
        "sum",
    ),
)

_UNITS = (
    (re.compile(r"(^|_)(ms|millis|milliseconds)(_|$)"), "ms"),
    (re.compile(r"(^|_)(us|micros|microseconds)(_|$)"), "us"),
    (re.compile(r"(^|_)(persecond|rps|qps|lps|tps)(_|$)"), "/s"),
    (re.compile(r"(^|_)perminute(_|$)"), "/min"),
    (re.compile(r"(^|_)(s|sec|secs|seconds)(_|$)"), "s"),
    (re.compile(r"(^|_)minutes(_|$)"), "min"),
    (re.compile(r"(^|_)(pct|percent|percentage|utili[sz]ation)(_|$)"), "%"),
    (re.compile(r"(^|_)(mb|mib|megabytes)(_|$)"), "MB"),
    (re.compile(r"(^|_)(gb|gib)(_|$)"), "GB"),
    (re.compile(r"(^|_)bytes(_|$)"), "B"),
)

_UNIT_NAMES = {"1": "", "seconds": "s", "milliseconds": "ms", "percent": "%", "bytes": "B", "By": "B"}
"""UCUM and spelled-out units by the name used here."""
_RATE_WORDS = {"sec": "persecond", "min": "perminute", "hour": "perhour"}
_COUNTER = re.compile(r"(^|_)(total|count|created|sum)$")
_AVERAGED = re.compile(r"(^|_)(ratio|rate|pct|percent|percentage|utili[sz]ation|share|fraction|per_request|p\d+)(_|$)")
"""Ratios and percentiles of instances are averaged: a sum of shares means nothing."""


@lru_cache(maxsize=65536)
def read_name(metric: str, unit: str = "") -> Meaning:
    """What the metric of this name measures; `unit` as the source gave it wins over the one in the name."""
    words = _one_word_rates(words_of(metric))
    row = next((r for r in _MEANINGS if r.pattern.search(words)), None)
    known = _UNIT_NAMES.get(unit, unit) or next((name for pattern, name in _UNITS if pattern.search(words)), "")
    counter = _COUNTER.search(words) is not None
    if row is None:
        return Meaning(None, None, "none", "mean", known, counter)
    join = "mean" if row.join == "sum" and _AVERAGED.search(words) else row.join
    return Meaning(row.golden, row.resource, row.harm, join, known, counter)


def _one_word_rates(words: str) -> str:
    """`per_min` as one word, so that `min` is left for minima."""
    return re.sub(r"(?<![a-z])per_(sec|min|hour)(?:ond|ute)?(?![a-z])", lambda m: _RATE_WORDS[m[1]], words)


def words_of(name: str) -> str:
    """`http.server.requestDuration` -> `http_server_request_duration`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
