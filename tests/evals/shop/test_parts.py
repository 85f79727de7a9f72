"""The small parts around the shop that need no server."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evals.shop.certificates import make_certificates
from evals.shop.load import BUYERS, Visitors
from evals.shop.shipping import Shipper
from tools.live.certificates import parse

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


def test_the_certificate_ends_when_it_is_told_to(tmp_path: Path) -> None:
    ends = NOW + timedelta(seconds=125)
    authority, served, _ = make_certificates(tmp_path, NOW, ends)
    read = parse(ssl.PEM_cert_to_DER_cert(served.read_text()))
    assert read.not_after == ends
    assert read.not_before < NOW - timedelta(days=30)
    assert parse(ssl.PEM_cert_to_DER_cert(authority.read_text())).subject == read.issuer


def test_visitors_want_what_visitors_want() -> None:
    visitors = Visitors("http://shop.example", seed=7)
    wishes = [visitors._wish() for _ in range(4000)]
    buys = [body for method, path, body in wishes if (method, path) == ("POST", "/orders")]
    assert abs(len(buys) / len(wishes) - BUYERS) < 0.03
    assert abs(sum(path == "/" for _, path, _ in wishes) / len(wishes) - 0.4) < 0.03
    assert all(body is not None and set(body) == {"product", "pieces", "card"} for body in buys)
    visitors.buyers = 1.0
    assert visitors._wish()[1] == "/orders"


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "stock.log"
    shipper = Shipper(tmp_path, "http://search.example")
    log.write_bytes(b'{"a": 1}\n{"a"')
    assert shipper._new_lines(log) == [b'{"a": 1}']
    assert shipper._new_lines(log) == []
    log.write_bytes(b'{"a": 1}\n{"a": 2}\n')
    assert shipper._new_lines(log) == [b'{"a": 2}']
