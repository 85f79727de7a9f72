"""The faults of the shop. Written down with their answers before anything was ever run."""

from __future__ import annotations

from evals.shop.plan import Expiry, Fault, Hog, NewRule, Release, Step, Stop, Surge, Switch
from tools.evidence import ChangeKind

BREAKS_AT = 125.0
"""Seconds of health before: sixty samples of every metric at a scrape every two seconds."""

# Innocent: what shops ship every day.
payment_wording = Release(
    "payment-1.9.1", "payment-wording", "payment: say how many connections to the bank were busy", "ines"
)
larger_orders = Release(
    "checkout-config-41", "checkout-larger-orders", "checkout: allow orders of 25 pieces", "tomas", ChangeKind.CONFIG
)
banner = Release(
    "storefront-config-88", "storefront-banner", "storefront: banner for the weekend", "noor", ChangeKind.CONFIG
)
four_reviews = Release("catalogue-2.3.4", "catalogue-four-reviews", "catalogue: show four reviews", "lena")
last_pieces = Release(
    "storefront-5.12.0", "storefront-last-pieces", "storefront: say when only a few pieces are left", "noor"
)
dispatch_wording = Release("dispatch-0.8.3", "dispatch-wording", "dispatch: clearer message", "piet")
stock_wording = Release("stock-3.1.7", "stock-wording", "stock: clearer message for unknown products", "amal")
dispatch_batch = Release(
    "dispatch-config-12", "dispatch-batch", "dispatch: hand over 120 orders at once", "piet", ChangeKind.CONFIG
)
round_prices = Switch("round-prices")

# Guilty.
stars = Release("catalogue-2.4.0", "catalogue-stars", "catalogue: show how often a product got how many stars", "lena")
leak = Release("stock-3.2.0", "stock-simpler-reservations", "stock: reservations without nesting", "amal")
way_back = Release("catalogue-2.5.0", "catalogue-way-back", "catalogue: remember what visitors saw last", "lena")
fail_fast = Release(
    "checkout-config-42", "checkout-fail-fast", "checkout: give up on slow payments sooner", "tomas", ChangeKind.CONFIG
)
related = Switch("related-products")
bank_ends = Stop("bank")
database_ends = Stop("database")
sale = Surge(times=3.0, buyers=0.75)
report = Hog("catalogue", programs=4)
expiry = Expiry()

FAULTS: tuple[Fault, ...] = (
    Fault(
        name="home-page-slow",
        title="bad deploy: a query for each product (N+1)",
        steps=(
            Step(55, payment_wording),
            Step(90, round_prices),
            Step(112, larger_orders),
            Step(BREAKS_AT, stars),
            Step(BREAKS_AT + 6, banner),
        ),
        guilty=stars,
        service="catalogue",
        kinds=("code_exception", "wrong_return", "capacity", "configuration", "cpu"),
        remediation=("rollback",),
        first_failing_service="catalogue",
    ),
    Fault(
        name="orders-stuck",
        title="connections that do not come back (pool exhaustion)",
        steps=(
            Step(60, four_reviews),
            Step(100, round_prices),
            Step(BREAKS_AT - 10, leak),
            Step(BREAKS_AT, dispatch_batch),
        ),
        guilty=leak,
        service="stock",
        kinds=("socket", "capacity"),
        remediation=("rollback", "restart"),
        first_failing_service="stock",
        blast_radius=("checkout", "storefront"),
    ),
    Fault(
        name="memory-fills",
        title="memory leak by deploy",
        steps=(
            Step(50, stock_wording),
            Step(BREAKS_AT - 25, way_back),
            Step(BREAKS_AT - 5, banner),
            Step(BREAKS_AT, round_prices),
        ),
        guilty=way_back,
        service="catalogue",
        kinds=("memory",),
        remediation=("rollback", "restart"),
        first_failing_service="catalogue",
        blast_radius=(),
        memory_mb={"catalogue": 130},
    ),
    Fault(
        name="orders-time-out",
        title="tightened deadline (config deploy)",
        steps=(
            Step(60, last_pieces),
            Step(95, round_prices),
            Step(BREAKS_AT - 8, payment_wording),
            Step(BREAKS_AT, fail_fast),
        ),
        guilty=fail_fast,
        service="checkout",
        kinds=("configuration", "capacity"),
        remediation=("config-revert", "rollback"),
        first_failing_service="checkout",
    ),
    Fault(
        name="product-pages-slow",
        title="flag flip: an expensive query behind a flag",
        steps=(
            Step(55, four_reviews),
            Step(90, dispatch_wording),
            Step(BREAKS_AT - 12, banner),
            Step(BREAKS_AT, related),
            Step(BREAKS_AT + 5, stock_wording),
        ),
        guilty=related,
        service="catalogue",
        kinds=("configuration", "cpu", "capacity"),
        remediation=("config-revert", "rollback"),
        first_failing_service="catalogue",
    ),
    Fault(
        name="orders-refused",
        title="dependency down: the bank",
        steps=(
            Step(60, round_prices),
            Step(100, larger_orders),
            Step(BREAKS_AT - 9, payment_wording),
            Step(BREAKS_AT, bank_ends),
        ),
        guilty=bank_ends,
        service="payment",
        kinds=("dependency",),
        remediation=("failover", "escalate-upstream"),
        first_failing_service="payment",
        blast_radius=("checkout", "storefront"),
    ),
    Fault(
        name="shop-down",
        title="dependency down: PostgreSQL",
        steps=(
            Step(60, four_reviews),
            Step(95, round_prices),
            Step(BREAKS_AT - 10, dispatch_batch),
            Step(BREAKS_AT, database_ends),
        ),
        guilty=database_ends,
        service="database",
        kinds=("dependency", "socket"),
        remediation=("failover", "restart", "fix-infra"),
        first_failing_service=None,
        blast_radius=("catalogue", "checkout", "dispatch", "stock", "storefront"),
    ),
    Fault(
        name="buyers-wait",
        title="traffic surge: three times the visitors, most of them buy",
        steps=(
            Step(60, stock_wording),
            Step(90, round_prices),
            Step(BREAKS_AT - 7, four_reviews),
            Step(BREAKS_AT, sale),
        ),
        guilty=sale,
        service="payment",
        kinds=("traffic", "capacity"),
        remediation=("scale", "throttle"),
        first_failing_service="payment",
        blast_radius=("checkout", "storefront"),
    ),
    Fault(
        name="pages-slow",
        title="processor hog beside the catalogue",
        steps=(
            Step(60, larger_orders),
            Step(95, round_prices),
            Step(BREAKS_AT - 8, last_pieces),
            Step(BREAKS_AT, report),
        ),
        guilty=report,
        service="catalogue",
        kinds=("cpu", "capacity"),
        remediation=("scale", "fix-infra", "restart"),
        first_failing_service="catalogue",
        pinned="catalogue",
    ),
    Fault(
        name="payments-fail",
        title="expired certificate",
        steps=(
            Step(55, larger_orders),
            Step(90, round_prices),
            Step(BREAKS_AT - 9, last_pieces),
            Step(BREAKS_AT, expiry),
        ),
        guilty=expiry,
        service="payment",
        kinds=("certificate",),
        remediation=("rotate-cert",),
        first_failing_service=None,
        blast_radius=("checkout", "storefront"),
    ),
    Fault(
        name="latency-pages-again",
        title="control: nothing is wrong, the rule is too tight",
        steps=(
            Step(60, four_reviews),
            Step(95, round_prices),
            Step(BREAKS_AT - 15, banner),
            Step(BREAKS_AT, NewRule("OrdersAboveTarget")),
        ),
        guilty=None,
        service="",
        kinds=(),
        remediation=(),
        rules=(),
    ),
)


def fault_named(name: str) -> Fault | None:
    return next((fault for fault in FAULTS if fault.name == name), None)
