"""Twenty minutes of a small system as OpenMetrics text: the same bytes at every call.

From BROKE on, `checkout` is slow and answers 500. One of its instances restarts at RESTARTED, the queue is not scraped
in GAP, and one service has a name that nobody should have given it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from tools.evidence import TimeWindow

SINCE = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
BROKE = SINCE + timedelta(minutes=14)
RESTARTED = SINCE + timedelta(minutes=7)
GAP = TimeWindow(since=SINCE + timedelta(minutes=3), until=SINCE + timedelta(minutes=9))
WINDOW = TimeWindow(since=SINCE, until=SINCE + timedelta(minutes=20))
STEP = 15.0
ODD_SERVICE = 'odd" or {a="b\\n} 1\nnew line'
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
PODS = ("checkout-7d9f8b6c5d-x2k4w", "checkout-7d9f8b6c5d-zq7rt", "web-0")

Value = Callable[[float], float | None]
"""The value at so many seconds after SINCE; None where there is no sample."""
Series = tuple[dict[str, str], Value]


def openmetrics() -> str:
    """Every metric, with samples from a quarter of an hour before the window until its end."""
    families = {
        "http_requests": ("counter", "_total", list(_requests())),
        "orders": ("counter", "_total", [({"service": "checkout", "instance": "c-1:80"}, _grows(2.0))]),
        "queue_depth": ("gauge", "", [({"service": "mailer", "instance": "m-1:80"}, _queue)]),
        "pool_connections": ("gauge", "", list(_pool())),
        "topic_lag": ("gauge", "", list(_lag())),
        "container_memory_working_set_bytes": ("gauge", "", list(_memory())),
        "node_cpu_seconds": ("counter", "_total", list(_cpu())),
        "odd_things": ("gauge", "", [({"service": ODD_SERVICE, "instance": "o:1"}, lambda s: 4.0)]),
        "oven_temperature": ("gauge", "", [({"service": "kitchen", "instance": "k:1"}, _oven)]),
        "rpc_duration_seconds": ("summary", "", list(_summary())),
    }
    lines: list[str] = []
    for name, (kind, suffix, series) in families.items():
        lines.append(f"# TYPE {name} {kind}")
        for labels, value in series:
            part = labels.pop("part", suffix)
            lines += _samples(name + part, labels, value)
    lines += list(_histogram())
    return "\n".join([*lines, "# EOF", ""])


def _samples(name: str, labels: dict[str, str], value: Value) -> Iterator[str]:
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    for number in range(-60, 81):
        at = number * STEP
        found = value(at)
        if found is not None:
            yield f"{name}{{{written}}} {found:.12g} {SINCE.timestamp() + at + 3.25:.3f}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(moment: datetime) -> float:
    return (moment - SINCE).total_seconds()


def _grows(per_second: float, restarts: datetime | None = None) -> Value:
    def value(at: float) -> float:
        begun = _seconds(restarts) if restarts is not None and at >= _seconds(restarts) else -2_000.0
        return round(per_second * (at - begun), 3)

    return value


def _after(before: float, per_second: float) -> Value:
    """A counter that grows faster from BROKE on."""
    broke = _seconds(BROKE)
    return lambda at: round(before * (at + 2_000) + per_second * max(0.0, at - broke), 3)


def _requests() -> Iterator[Series]:
    for number, restarts in ((1, None), (2, RESTARTED)):
        labels = {"service": "checkout", "instance": f"c-{number}:80", "route": "/pay"}
        yield {**labels, "code": "200"}, _grows(10.0, restarts)
    yield {"service": "checkout", "instance": "c-1:80", "route": "/pay", "code": "500"}, _after(0.0, 5.0)
    yield {"service": "web", "instance": "w-1:80", "route": "/", "code": "200"}, _grows(20.0)


def _histogram() -> Iterator[str]:
    """One duration per request and second: 40 ms, of checkout 400 ms from BROKE on."""
    name = "http_server_request_duration_seconds"
    yield f"# TYPE {name} histogram"
    for service in ("checkout", "web"):
        own = {"service": service, "instance": f"{service[0]}-1:80", "http_response_status_code": "200"}
        slow = _after(0.0, 10.0) if service == "checkout" else _grows(0.0)

        def fast(at: float, slow: Value = slow) -> float:
            return 10.0 * (at + 2_000) - (slow(at) or 0.0)

        for edge in (*BUCKETS, math.inf):
            le = "+Inf" if edge == math.inf else f"{edge:g}"

            def held(at: float, edge: float = edge, slow: Value = slow, fast: Callable[[float], float] = fast) -> float:
                return (fast(at) if edge >= 0.05 else 0.0) + ((slow(at) or 0.0) if edge >= 0.5 else 0.0)

            yield from _samples(f"{name}_bucket", {**own, "le": le}, held)

        def total(at: float, slow: Value = slow, fast: Callable[[float], float] = fast) -> float:
            return 0.04 * fast(at) + 0.4 * (slow(at) or 0.0)

        yield from _samples(f"{name}_sum", own, total)
        yield from _samples(f"{name}_count", own, lambda at: 10.0 * (at + 2_000))


def _queue(at: float) -> float | None:
    return None if _seconds(GAP.since) <= at < _seconds(GAP.until) else 3.0 + math.floor(at / 60) % 4


def _oven(at: float) -> float:
    return math.nan if at % 60 == 0 else math.inf if at % 60 == 15 else 180.0


def _pool() -> Iterator[Series]:
    for state, level in (("idle", 8.0), ("used", 2.0)):
        yield {"service": "checkout", "instance": "c-1:80", "state": state}, lambda at, level=level: level


def _lag() -> Iterator[Series]:
    for partition in range(12):
        labels = {"service": "mailer", "instance": "m-1:80", "partition": str(partition)}
        yield labels, lambda at, partition=partition: float(partition)


def _memory() -> Iterator[Series]:
    common = {"job": "kubelet", "instance": "10.0.0.7:10250", "namespace": "shop"}
    for place, pod in enumerate(PODS):
        yield {**common, "pod": pod, "container": "server"}, lambda at, place=place: 1e6 * (place + 1)
        yield {**common, "pod": pod, "container": ""}, lambda at, place=place: 2e6 * (place + 1)


def _cpu() -> Iterator[Series]:
    for cpu in ("0", "1"):
        for mode, share in (("idle", 0.7), ("user", 0.25), ("iowait", 0.05)):
            labels = {"job": "node", "instance": "10.0.0.7:9100", "cpu": cpu, "mode": mode}
            yield labels, _grows(share)


def _summary() -> Iterator[Series]:
    own = {"job": "shop/ledger", "instance": "l-1:80"}
    for quantile, value in (("0.5", 0.02), ("0.99", 0.3)):
        yield {**own, "quantile": quantile}, lambda at, value=value: value
    yield {**own, "part": "_sum"}, _grows(0.1)
    yield {**own, "part": "_count"}, _grows(4.0)
