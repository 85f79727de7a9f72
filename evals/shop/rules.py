"""What pages the shop's people: rules as they would stand in any Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

EVERY_SECONDS = 2
WITHIN = "20s"
ERRORS = (
    f'sum by (service) (rate(http_server_requests_total{{service="storefront",status=~"5.."}}[{WITHIN}]))'
    f' / sum by (service) (rate(http_server_requests_total{{service="storefront"}}[{WITHIN}])) > 0.05'
)
MEMORY = "max by (service) (process_resident_memory_bytes) / max by (service) (process_memory_limit_bytes) > 0.9"


def _slower(than: float, route: str) -> str:
    chosen = f'http_server_request_duration_seconds_bucket{{service="storefront",route{route}}}'
    return f"histogram_quantile(0.9, sum by (service, le) (rate({chosen}[{WITHIN}]))) > {than}"


RULES = {
    "ErrorsAtTheFront": (ERRORS, "More than 5% of the shop's answers are errors"),
    "PagesSlow": (_slower(0.1, '!="/orders"'), "One page in ten takes longer than 0.1 s"),
    "OrdersSlow": (_slower(0.6, '="/orders"'), "One order in ten takes longer than 0.6 s"),
    "MemoryNearlyFull": (MEMORY, "A service is about to be ended for its memory"),
    # The rule of the control: a bank takes that long on a good day.
    "OrdersAboveTarget": (_slower(0.15, '="/orders"'), "One order in ten takes longer than the target of 0.15 s"),
}
USUAL = ("ErrorsAtTheFront", "PagesSlow", "OrdersSlow", "MemoryNearlyFull")


def rule_file(names: Sequence[str]) -> dict[str, object]:
    """A rule file for Prometheus."""
    return {"groups": [{"name": "shop", "rules": [_rule(name) for name in names]}]}


def _rule(name: str) -> dict[str, object]:
    expression, summary = RULES[name]
    return {
        "alert": name,
        "expr": expression,
        "for": "6s",
        "labels": {"severity": "page"},
        "annotations": {"summary": summary},
    }
