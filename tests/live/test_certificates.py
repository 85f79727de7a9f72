"""Certificates read from real handshakes."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from tests.live.certificates import Authority, make_authority
from tests.live.faulty import Line, answer, faulty
from tools.evidence import TimeWindow, ToolError
from tools.live.certificates import CertificatesConfig, ServedCertificates
from tools.live.notebook import Notebook

pytestmark = [pytest.mark.live, pytest.mark.block_network(allowed_hosts=[r"127\.0\.0\.1"])]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def asking(*urls: str, seconds: float = 2) -> tuple[ServedCertificates, Notebook]:
    notes = Notebook()
    places = [{"address": url.partition("//")[2], "service": f"s{n}"} for n, url in enumerate(urls)]
    return ServedCertificates(
        CertificatesConfig.model_validate({"served": places, "timeout_seconds": seconds}), notes
    ), notes


def around(moment: datetime) -> TimeWindow:
    return TimeWindow(since=moment - timedelta(hours=3), until=moment + timedelta(hours=3))


def test_an_expired_certificate_is_read_all_the_same(authority: Authority) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with faulty([answer()], authority.vouch_for("DNS:shop.example", days=-1)) as server:
        [change] = asking(server.url)[0].changes(around(yesterday))
    assert change.after == "expired"
    assert abs(change.at - yesterday) < timedelta(minutes=5)


def test_a_new_certificate(authority: Authority) -> None:
    with faulty([answer()], authority.vouch_for("DNS:new.example")) as server:
        [change] = asking(server.url)[0].changes(around(datetime.now(UTC)))
    assert "new certificate" in change.title


def test_servers_that_do_not_answer_cost_a_note_and_no_more_than_the_time(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"https://127.0.0.1:{taken.getsockname()[1]}"
    begun = monotonic()
    with (
        faulty([Line.dawdle]) as hangs,
        faulty([answer()]) as plain,
        faulty([answer()], authority.vouch_for("DNS:good.example")) as good,
    ):
        backend, notes = asking(hangs.url, closed, plain.url, good.url)
        assert len(backend.changes(around(datetime.now(UTC)))) == 1
    assert monotonic() - begun < 3
    texts = [text for _, text in notes]
    assert len(texts) == 3
    assert "Connection refused" in texts[1]


def test_nobody_answers(tmp_path: Path) -> None:
    with faulty([Line.dawdle]) as hangs, pytest.raises(ToolError, match="no handshake within"):
        asking(hangs.url, seconds=0.5)[0].changes(around(datetime.now(UTC)))
