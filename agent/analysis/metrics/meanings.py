"""The words of metric names and what they mean: a table, read from the top; the first row that fits decides.

A row's pattern is groups of words joined by `&`, each group of alternatives joined by `|`. It fits a name that has a
word of every group, in any order. Words stand in the singular; `evict*` fits every word that begins so, `limit$` only
the last word before units and the like. `p99`, `p50` are the word `quantile`, `per_sec` is `persec`. The failure comes
before what failed (`pool_timeouts` counts errors), the resource before the time spent on it, and traffic last, because
nearly every name has a word of it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from agent.incident import GoldenSignal, Resource

Harm = Literal["up", "down", "any", "none"]
"""The direction that hurts. `any`: a move either way is a symptom (open connections run out, or break off). `none`: it
only describes (load, a setting)."""
Join = Literal["sum", "mean", "max", "min"]
"""How instances of a service become one series. What adds up (requests, queued messages, connections) is summed,
shares and utilisations are averaged, and where one bad instance is already felt (percentiles, memory, disks, lag) it
counts alone."""

L, T, E, S = GoldenSignal.LATENCY, GoldenSignal.TRAFFIC, GoldenSignal.ERRORS, GoldenSignal.SATURATION
R = Resource


class Row(NamedTuple):
    words: str
    golden: GoldenSignal | None
    resource: Resource | None = None
    harm: Harm = "none"
    join: Join = "mean"
    timed: bool = False
    """Only for names that carry a unit of time."""


MEANINGS = (
    # Settings. A move of one matters to whoever reads diffs; none hurts by itself.
    Row("limit$|quota$|capacity$|ceiling$|desired$|configured$|threshold$|spec", None, join="max"),
    Row("max|maximum & pool|connection|conn|heap|thread|fd|fds|replica|worker|memory|file|session", None, join="max"),
    Row("size$ & filesystem|disk|volume", None, join="max"),
    Row("timeout$|deadline$|ttl$|interval$", None, join="max", timed=True),
    # Certificates: how long one is still valid, then what goes wrong with one.
    Row("cert|certificate|tls|ssl|x509 & expir*|remaining|left|until|ttl|after", S, R.CERTIFICATE, "down", "min"),
    Row("cert|certificate|tls|ssl|x509|handshake & error|fail*|invalid|reject*", E, R.CERTIFICATE, "up", "sum"),
    # Success, of which less is worse.
    Row("success*|succeed*|available|availability|healthy|ok & ratio|rate|pct|percent", E, harm="down"),
    Row("availability$|apdex|up$|success$|conversion", E, harm="down"),
    Row("error & budget", E, harm="down"),
    Row("uptime", E, harm="down", join="min"),
    Row("age & pod|process|container|instance", None, join="min"),
    # Failures.
    Row("deadlock", E, R.DATABASE, "up", "sum"),
    Row("oom*", E, R.MEMORY, "up", "sum"),
    Row("retrans*|reconnect*", E, R.NETWORK, "up", "sum"),
    Row("packet & loss|lost|drop*|discard*", E, R.NETWORK, "up", "sum"),
    Row("error|err|fail*|fault|exception|panic|fatal|5xx|4xx|crash*|abort*|restart*|kill*|reset", E, None, "up", "sum"),
    Row("reject*|refus*|denied|declin*|nack*|drop*|discard*|cancel*|exceed*|exhaust*|abandon*", E, None, "up", "sum"),
    Row("timeout|unavailable|unhealthy|dlq|deadletter|poison|unprocessable|expired|broken|stuck", E, None, "up", "sum"),
    Row("mismatch*|violation|conflict|invalid|corrupt*|lost|loss|retry|retried|redeliver*", E, None, "up", "sum"),
    Row("timed & out", E, None, "up", "sum"),
    Row("dead & letter", E, None, "up", "sum"),
    Row("circuit|breaker & open", E, None, "up", "sum"),
    # Saturation by what waits, and the resources whose delays are their own.
    Row("hit & ratio|rate|pct|percent", S, R.CACHE, "down"),
    Row("miss|evict*", S, R.CACHE, "up", "sum"),
    Row("lock|latch|mutex|contention|blocked", S, R.DATABASE, "up", "sum"),
    Row("idle & transaction|txn|xact", S, R.DATABASE, "up", "sum"),
    Row("transaction|txn|xact", S, R.DATABASE, "up", "max", timed=True),
    Row("replica|replication|standby|slave & lag|delay|behind", S, R.DATABASE, "up", "max"),
    Row("query & active|running", S, R.DATABASE, "up", "sum"),
    Row("pool|connection|conn|borrow|acquire & wait*|pending|acquire|borrow", S, R.CONNECTIONS, "up", "sum"),
    Row("lag|backlog|queue|queued|outbox|inbox|unacked|spool|overdue", S, R.QUEUE, "up", "sum"),
    # How often a runtime collects, and how much, follows the work it does; only the time it takes is felt.
    Row("gc|garbage & collection|object|collected|uncollectable", None, None, "none", "sum"),
    Row("gc|garbage", S, R.MEMORY, "up", "max"),
    Row("disk|io & latency|queue|busy|wait|time|util|utilization", S, R.DISK, "up", "max"),
    Row("iowait|iops|fsync|await", S, R.DISK, "up", "max"),
    Row("rtt|ping|jitter", L, R.NETWORK, "up", "max"),
    # Latency, before the things that take the time.
    Row("quantile|latency|lat|duration|elapsed", L, None, "up", "max", timed=True),
    # Saturation by what fills.
    Row("thread|threadpool|executor|goroutine|inflight|concurren*|eventloop", S, R.THREADS, "up", "sum"),
    Row("worker & busy|active|used|utilization", S, R.THREADS, "up", "sum"),
    Row("request|call & active|running|progress|flight", S, R.THREADS, "up", "sum"),
    Row("pending|waiting|depth|buffer|buffered|unprocessed|oldest", S, R.QUEUE, "up", "sum"),
    Row("pool|connection|conn|socket|session|fd|fds & idle|free", S, R.CONNECTIONS, "none", "sum"),
    Row("pool|connection|conn|socket|handle|fd|fds|file & use|used|usage|active|busy", S, R.CONNECTIONS, "up", "sum"),
    Row("pool|connection|conn|socket|session|client$|descriptor|fd|fds|connected", S, R.CONNECTIONS, "any", "sum"),
    Row("file & open", S, R.CONNECTIONS, "any", "sum"),
    # Addresses that were given out, not memory that is used.
    Row("virtual & memory|mem", None, None, "none", "max"),
    Row("memory|mem|heap|swap & available|free|avail", S, R.MEMORY, "down", "min"),
    Row("memory|mem|heap|rss|resident|swap", S, R.MEMORY, "up", "max"),
    Row("old|eden|survivor & gen|space", S, R.MEMORY, "up", "max"),
    Row("disk|filesystem|fs|volume|storage|inode|mount & free|available|avail|left", S, R.DISK, "down", "min"),
    Row("disk|filesystem|fs|volume|storage|inode|mount|wal & used|usage|utilization|full", S, R.DISK, "up", "max"),
    Row("disk|wal|filesystem|volume|inode", S, R.DISK, "none", "sum"),
    Row("cpu|processor|throttl*|steal|load1|load5|load15|loadavg", S, R.CPU, "up"),
    Row("replica|instance|pod|node|target|member & ready|available|healthy|running", S, R.REPLICAS, "down", "sum"),
    Row("replica|instance$|pod$|node$|target$|member$", S, R.REPLICAS, "none", "sum"),
    Row("key|entry|cached", S, R.CACHE, "none", "sum"),
    Row("log & line|record|entry", None, None, "none", "sum"),
    # Latency without a unit, and traffic; nearly every name has a word of it.
    Row("byte|packet|network|net & in|out|sent|receive*|recv|rx|tx|transmit*", T, R.NETWORK, "none", "sum"),
    Row("bandwidth|network", T, R.NETWORK, "none", "sum"),
    Row("stale*|freshness|delay|behind", S, None, "up", "max"),
    Row("slow & query|request|call", L, None, "up", "sum"),
    Row("latency|lat|duration|elapsed|handling", L, None, "up", "max"),
    Row("size|byte|row|batch & quantile", None, join="max"),
    Row("quantile", L, None, "up", "max"),
    Row("per & request|call|query|transaction|page", T, None, "up"),
    Row("persec|permin|perhour & ticket|complaint|escalation|alarm", E, None, "up", "sum"),
    Row("persec|permin|perhour|rps|qps|tps|lps|ops|throughput|workload|load|lod", T, None, "down", "sum"),
    Row("time|age|wait*|ready|pause|lookup|call|query|render*|cycle", L, None, "up", "max", timed=True),
    Row("request|call|message|event|hit|query|command|operation|transaction|order|job|traffic", T, None, "down", "sum"),
    Row("sent|received|processed|published|consumed|written|read|handled|accepted|completed", T, None, "down", "sum"),
)

UNITS = {
    "ns": "nanosecond ns",
    "us": "microsecond micro us",
    "ms": "millisecond milli ms",
    "s": "second sec s",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "%": "pct percent percentage utilization",
    "ratio": "ratio fraction",
    "B": "byte",
    "kB": "kb kib kilobyte",
    "MB": "mb mib mi megabyte",
    "GB": "gb gib gi gigabyte",
}
"""The words of each unit, in the singular. Rates are recognised by `per` before the time."""
