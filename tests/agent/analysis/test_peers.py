from __future__ import annotations

import pytest

from agent.analysis.peers import Named, PeerFinder, host_of, leaf_name

FINDER = PeerFinder(["cart-service", "cart-service-db", "stock-api", "search", "order", "gate"])


@pytest.mark.parametrize(
    ("text", "attributes", "named"),
    [
        ("call to stock-api timed out", {}, Named("stock-api")),
        ("cart-service-db refused the connection", {}, Named("cart-service-db")),
        ("dial stock-api:8080: refused", {}, Named("stock-api")),
        ("https://stock-api/v1 answered 503", {}, Named("stock-api")),
        ("login failed user=cart-service", {}, Named("cart-service", is_caller=True)),
        ("slow request from cart-service", {}, Named("cart-service", is_caller=True)),
        ("group cart-service is rebalancing", {}, Named("cart-service", is_caller=True)),
        ("stock-api-v2 is somebody else", {}, None),
        ("my-stock-api is somebody else", {}, None),
        ("order 17 still waits, search again", {}, None),
        ("GET /search/items failed", {}, None),
        ("upstream search timed out", {}, Named("search")),
        ("search returned 503", {}, Named("search")),
        ("call failed", {"peer": "stock-api:8080"}, Named("stock-api")),
        ("call failed", {"server.address": "stock-api.prod.svc.cluster.local"}, Named("stock-api")),
        ("call failed", {"net.peer.name": "10.0.0.7"}, None),
        ("call failed", {"peer.service": "payments.example"}, Named("payments.example")),
        ("gate is closed", {"host": "gate"}, None),
    ],
)
def test_who_is_meant(text: str, attributes: dict[str, str], named: Named | None) -> None:
    assert FINDER.find(text, attributes, "gate") == named


def test_a_service_does_not_name_itself() -> None:
    text = "stock-api cannot reach cart-service"
    assert FINDER.find(text, {"peer": "stock-api"}, "stock-api") == Named("cart-service")


def test_nobody_is_known() -> None:
    assert PeerFinder([]).find("call to stock-api failed", {}, "gate") is None


def test_hosts_and_leaves() -> None:
    assert host_of("https://user:pw@db.local:5432/x?y=1") == "db.local"
    assert leaf_name({"peer.service": "queue.provider"}) == "queue.provider"
    assert leaf_name({"server.address": "db.local:5432"}) == "db.local"
    assert leaf_name({"net.peer.name": "10.0.0.7:80"}) is None
    assert leaf_name({}) is None
