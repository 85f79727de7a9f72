"""The right answer is looked up among the changes that the servers told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from evals.shop.faults import fault_named
from evals.shop.plan import Fault
from evals.shop.truth import truth_of
from tools.evidence import ChangeEvent, ChangeKind

AT = datetime(2026, 11, 24, 4, tzinfo=UTC)


def change(id: str, kind: ChangeKind = ChangeKind.DEPLOY, **fields: str) -> ChangeEvent:
    return ChangeEvent.model_validate({"id": id, "kind": kind, "at": AT, **fields})


CHANGES = (
    change("stock-3.2.0"),
    change("unleash-8", ChangeKind.FLAG, title="related-products", before="off", after="on"),
    change("unleash-9", ChangeKind.FLAG, title="round-prices", before="off", after="on"),
    change("127.0.0.1:1:abc:expired", ChangeKind.CERTIFICATE, after="expired"),
)


def named(name: str) -> Fault:
    fault = fault_named(name)
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("orders-stuck", "stock-3.2.0"),
        ("product-pages-slow", "unleash-8"),
        ("payments-fail", "127.0.0.1:1:abc:expired"),
        ("orders-refused", "none"),
        ("latency-pages-again", None),
    ],
)
def test_the_guilty_change_is_found_and_all_others_are_decoys(name: str, cause: str | None) -> None:
    truth = truth_of(named(name), CHANGES)
    assert truth.cause == cause
    assert set(truth.decoys) == {each.id for each in CHANGES} - {cause}


def test_an_expiry_that_no_feed_tells_is_no_change() -> None:
    assert truth_of(named("payments-fail"), CHANGES[:2]).cause == "none"
