"""What is made of a certificate; the handshake itself is in tests/live/test_certificates.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from tools.evidence import ChangeKind, TimeWindow, ToolError
from tools.live import certificates
from tools.live.certificates import CertificatesConfig, ServedAt, ServedCertificates, parse
from tools.live.notebook import Notebook

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = TimeWindow(since=NOON - timedelta(hours=2), until=NOON)


def der(not_before: datetime, not_after: datetime, name: str = "www.example.net") -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test authority")])
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), 0xABC, not_before, not_after)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def served(monkeypatch: pytest.MonkeyPatch, **shown: bytes | Exception) -> tuple[ServedCertificates, Notebook]:
    """Each keyword is a service; what it shows in the handshake, or how that fails."""

    def handshake(place: ServedAt, seconds: float) -> bytes:
        found = shown[place.service]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(certificates, "_handshake", handshake)
    notes = Notebook()
    places = [{"address": f"{service}.example.net:443", "service": service} for service in shown]
    return ServedCertificates(CertificatesConfig.model_validate({"served": places}), notes), notes


def test_what_a_certificate_says() -> None:
    read = parse(der(NOON - DAY, NOON))
    assert (read.serial, read.subject, read.issuer) == ("abc", "CN=www.example.net", "O=Test authority")
    assert (read.not_before, read.not_after) == (NOON - DAY, NOON)


def test_an_expiry_in_the_window_is_a_change_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = NOON - timedelta(minutes=20)
    backend, notes = served(monkeypatch, edge=der(NOON - 90 * DAY, ended))
    [change] = backend.changes(WINDOW)
    assert (change.kind, change.at, change.service) == (ChangeKind.CERTIFICATE, ended, "edge")
    assert (change.before, change.after) == ("valid until 2026-06-18T11:40:00Z", "expired")
    assert change.title == "edge: the certificate at edge.example.net:443 expired (CN=www.example.net)"
    assert len(notes) == 0


def test_a_renewal_in_the_window_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = served(monkeypatch, edge=der(NOON - timedelta(hours=1), NOON + 90 * DAY))
    [change] = backend.changes(WINDOW)
    assert change.at == NOON - timedelta(hours=1)
    assert change.title == "edge: new certificate at edge.example.net:443, issued by O=Test authority"
    assert change.after == "valid until 2026-09-16T12:00:00Z"


def test_a_certificate_that_just_stays_valid_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, notes = served(monkeypatch, edge=der(NOON - DAY, NOON + DAY))
    assert backend.changes(WINDOW) == []
    assert len(notes) == 0


def test_one_that_is_newer_than_the_window_hides_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, notes = served(monkeypatch, edge=der(NOON + DAY, NOON + 90 * DAY))
    assert backend.changes(WINDOW) == []
    assert "the one before is unknown" in notes[0][1]


def test_one_that_cannot_be_read_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, notes = served(
        monkeypatch,
        edge=der(NOON - DAY, NOON - timedelta(minutes=1)),
        down=ConnectionRefusedError(111, "Connection refused"),
        slow=TimeoutError(),
        rubbish=b"rubbish",
    )
    assert [change.service for change in backend.changes(WINDOW)] == ["edge"]
    texts = [text for _, text in notes]
    assert texts[0] == "the certificate at down.example.net:443 cannot be read: [Errno 111] Connection refused"
    assert "no handshake within 5 s" in texts[1]
    assert "error parsing" in texts[2]


def test_none_that_can_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = served(monkeypatch, down=ConnectionRefusedError(111, "Connection refused"))
    with pytest.raises(ToolError, match=r"down\.example\.net:443 cannot be read"):
        backend.changes(WINDOW)


@pytest.mark.parametrize(
    "address", ["www.example.net", "www.example.net:", ":443", "x:0", "x:70000", "x:٣", "https://x"]
)
def test_an_address_is_host_and_port(address: str) -> None:
    with pytest.raises(ValidationError, match="host and a port"):
        ServedAt(address=address, service="edge")


def test_an_address_of_version_6() -> None:
    place = ServedAt(address="[2001:db8::1]:443", service="edge")
    assert (place.host, place.port) == ("2001:db8::1", 443)


def test_what_the_doctor_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = served(monkeypatch, edge=der(NOON - DAY, NOON + 13 * DAY), api=der(NOON - DAY, NOON + 60 * DAY))[0].look(
        WINDOW
    )
    assert seen.services == ("api", "edge")
    assert seen.facts[0] == "edge.example.net:443: valid until 2026-07-01T12:00:00Z, by O=Test authority"
    assert seen.troubles == ("the certificate at edge.example.net:443 ends at 2026-07-01T12:00:00Z; renew it",)
