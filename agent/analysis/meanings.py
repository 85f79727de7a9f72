"""The words of metric names and what they mean: a table, read from the top; the first row that fits decides.

A row's pattern is groups of words joined by `&`, each group of alternatives joined by `|`. It fits a name that has a word
of every group, in any order. Words stand in the singular; `evict*` fits every word that begins so, `limit$` only the
name's last word before its unit. The failure comes before what failed (`pool_timeouts` is an error), the resource before
the time spent on it, and traffic last, because nearly every name has a word of it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from agent.incident import GoldenSignal, Resource

Harm = Literal["up", "down", "any", "none"]
"""The direction that hurts. `any`: a move either way is a symptom (open connections run out or break off). `none`: it
only describes (load, a setting)."""
Join = Literal["sum", "mean", "max", "min"]
"""How instances of a service become one series. What adds up (requests, queued messages, connections) is summed, shares
and utilisations are averaged, and where one bad instance is already felt (percentiles, memory, disks, replication lag)
the worst one counts."""

L, T, E, S = GoldenSignal.LATENCY, GoldenSignal.TRAFFIC, GoldenSignal.ERRORS, GoldenSignal.SATURATION
R = Resource

TIMED = frozenset({"ns", "us", "ms", "s", "min", "h"})
"""Units of durations."""


class Row(NamedTuple):
    words: str
    golden: GoldenSignal | None
    resource: Resource | None = None
    harm: Harm = "none"
    join: Join = "mean"
    timed: bool = False
    """Only names that carry a unit of time."""


MEANINGS = (
    # Settings. A move of one matters to whoever reads diffs; none hurts by itself.
    Row("limit$|quota$|capacity$|ceiling$|desired$|configured$|threshold$|spec", None, join="max"),
    Row("max|maximum & pool|connection|conn|heap|thread|fd|replica|worker|memory|mem|file|session", None, join="max"),
    Row("timeout$|deadline$|ttl$|interval$", None, join="max", timed=True),
    # Certificates: what is left of one, then what goes wrong with one.
    Row("cert|certificate|tls|ssl|x509|keystore & expir*|remaining|left|until|day|ttl|after", S, R.CERTIFICATE, "down", "min"),
    Row("cert|certificate|tls|ssl|x509|handshake & error|fail*|invalid|reject*", E, R.CERTIFICATE, "up", "sum"),
    # Success, of which less is worse.
    Row("success*|succeed*|available|availability|healthy|ok & ratio|rate|pct|percent|percentage", E, harm="down"),
    Row("availability$|apdex|up$|success$|conversion|budget & error", E, harm="down"),
    Row("budget & error", E, harm="down"),
    Row("uptime", E, harm="down", join="min"),
    Row("age & pod|process|container|instance", None, join="min"),
    # Failures.
    Row("deadlock", E, R.DATABASE, "up", "sum"),
    Row("oom*", E, R.MEMORY, "up", "sum"),
    Row("retrans*|packet & retrans*|loss|lost|drop*|discard*", E, R.NETWORK, "up", "sum"),
    Row("retransmit*|retransmission|reconnect*", E, R.NETWORK, "up", "sum"),
    Row("error|err|fail*|fault|exception|panic|fatal|5xx|4xx|crash*|abort*|restart*|kill*|reset", E, None, "up", "sum"),
    Row("reject*|refus*|denied|declin*|nack*|drop*|discard*|cancel*|exceed*|exhaust*|abandon*", E, None, "up", "sum"),
    Row("timeout|timed & out", E, None, "up", "sum"),
    Row("timeout|unavailable|unhealthy|dlq|deadletter|poison|unprocessable|expired|broken|stuck", E, None, "up", "sum"),
    Row("mismatch*|violation|conflict|invalid|corrupt*|lost|loss|retry|retries|retried|redeliver*", E, None, "up", "sum"),
    # Saturation: a resource that fills, or what waits for it.
    Row("hit & ratio|rate|pct|percent|percentage", S, R.CACHE, "down"),
    Row("miss|misses|evict*", S, R.CACHE, "up", "sum"),
    Row("lock|latch|mutex|contention|blocked", S, R.DATABASE, "up", "sum"),
    Row("idle & transaction|txn|xact", S, R.DATABASE, "up", "sum"),
    Row("transaction|txn|xact", S, R.DATABASE, "up", "max", timed=True),
    Row("replica|replication|standby|slave & lag|delay|behind", S, R.DATABASE, "up", "max"),
    Row("pool|connection|conn|borrow|acquire|hikaricp & wait*|pending|acquire|acquisition|borrow", S, R.CONNECTIONS, "up", "sum"),
    Row("lag|backlog|queue|queued|outbox|inbox|unacked|spool|overdue", S, R.QUEUE, "up", "sum"),
    Row("thread|threadpool|executor|goroutine|inflight|concurrency|concurrent|eventloop", S, R.THREADS, "up", "sum"),
    Row("worker & busy|active|use|used|utilization", S, R.THREADS, "up", "sum"),
    Row("pending|waiting|depth|buffer|buffered|unprocessed|oldest", S, R.QUEUE, "up", "sum"),
    Row("pool|connection|conn|socket|session|handle|descriptor|fd|file & idle|free", S, R.CONNECTIONS, "none", "sum"),
    Row("pool|connection|conn|socket|handle|descriptor|fd & use|used|active|busy|utilization|usage", S, R.CONNECTIONS, "up", "sum"),
    Row("pool|connection|conn|socket|session|client|handle|descriptor|fd|connected", S, R.CONNECTIONS, "any", "sum"),
    Row("gc|garbage", S, R.MEMORY, "up", "max"),
    Row("memory|mem|heap|swap & available|free|avail", S, R.MEMORY, "down", "min"),
    Row("memory|mem|heap|rss|resident|swap|gen & pct|percent|ratio|utilization|used|usage|rate", S, R.MEMORY, "up", "max"),
    Row("memory|mem|heap|rss|resident|swap|working", S, R.MEMORY, "up", "max"),
    Row("disk|filesystem|fs|volume|storage|inode|mount|partition & free|available|avail|left", S, R.DISK, "down", "min"),
    Row("disk|filesystem|fs|volume|storage|inode|mount|partition|wal & used|usage|utilization|full|pct", S, R.DISK, "up", "max"),
    Row("iowait|iops|fsync|await|io & wait|time|util|utilization", S, R.DISK, "up", "max"),
    Row("iowait|fsync|await|disk & latency|queue|busy|io|wait*", S, R.DISK, "up", "max"),
    Row("iowait|iops|fsync", S, R.DISK, "up", "max"),
    Row("disk|wal|filesystem|volume|inode", S, R.DISK, "none", "sum"),
    Row("cpu|processor|throttl*|steal|load1|load5|load15|loadavg", S, R.CPU, "up"),
    Row("replica|instance|pod|node|target|backend|endpoint|member & ready|available|healthy|running|alive", S, R.REPLICAS, "down", "sum"),
    Row("replica|instance|pod|node|target|backend|member", S, R.REPLICAS, "none", "sum"),
    Row("key|entry|cached", S, R.CACHE, "none", "sum"),
    # Latency before traffic: `request_duration` has both words.
    Row("rtt|ping|jitter", L, R.NETWORK, "up", "max"),
    Row("byte|packet|bandwidth|network|net & in|out|sent|receive*|recv|rx|tx|transmit*|bandwidth|byte", T, R.NETWORK, "none", "sum"),
    Row("stale*|freshness|delay|behind", S, None, "up", "max"),
    Row("latency|lat|duration|elapsed|handling|slow|quantile", L, None, "up", "max"),
    Row("per & request|call|query|transaction|page", T, None, "up"),
    Row("persec|permin|perhour & ticket|complaint|escalation|alarm", E, None, "up", "sum"),
    Row("persec|permin|perhour|rps|qps|tps|lps|ops|throughput|workload|load|lod", T, None, "down", "sum"),
    Row("time|age|wait*|ready|pause|lookup", L, None, "up", "max", timed=True),
    Row("request|call|message|event|hit|query|command|operation|op|transaction|order|job|invocation|traffic", T, None, "down", "sum"),
    Row("sent|received|processed|published|consumed|written|read|handled|accepted|completed|visit", T, None, "down", "sum"),
)

UNITS = {
    "ns": "nanosecond|ns",
    "us": "microsecond|micro|us",
    "ms": "millisecond|milli|milis|ms",
    "s": "second|sec|s",
    "min": "minute",
    "h": "hour",
    "days": "day",
    "%": "pct|percent|percentage|utilization|%",
    "ratio": "ratio|fraction",
    "B": "byte|b",
    "kB": "kb|kib|kilobyte",
    "MB": "mb|mib|mi|megabyte",
    "GB": "gb|gib|gi|gigabyte",
}
"""Words for each unit; rates (`/s`, `/min`, `/h`) are recognised by `per` before the time."""
