"""Certificates that services serve: when one expires or was renewed, read from the very handshake that clients have."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from pydantic import Field, field_validator

from tools.evidence import ChangeEvent, ChangeKind, Frozen, Source, TimeWindow, ToolError
from tools.live.notebook import Notebook
from tools.live.one_line import one_line
from tools.live.patience import within
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import clean_name, counted

AT_ONCE = 16
"""Handshakes at the same time."""
SOON = timedelta(days=14)
"""Who renews automatically does so a month before the end; two weeks before it, something is stuck."""


class ServedAt(Frozen):
    """Where a certificate is served."""

    address: str
    """`www.example.net:443`."""
    service: str
    """Our name of the service that clients reach there."""
    server_name: str | None = None
    """Name to ask for, where it is another than the address (SNI, RFC 6066)."""

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host.strip("[]") or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError("a host and a port are needed, like www.example.net:443")
        return address

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


class CertificatesConfig(Frozen):
    """Whose certificates are looked at. Only what begins with TLS can be: no STARTTLS, as databases and mail speak."""

    kind: Literal["certificates"] = "certificates"
    served: tuple[ServedAt, ...] = Field(min_length=1)
    """`[[changes.served]]` with address and service."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=300)
    """How long the handshakes may take, all of them together."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself."""

    serial: str
    """Hexadecimal; with the issuer, what tells it from others (RFC 5280, 4.1.2.2)."""
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime


class ServedCertificates:
    """Expiry and renewal of what is served now; earlier certificates cannot be seen any more."""

    def __init__(self, config: CertificatesConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Certificates that ended or were issued in the window, oldest first.

        One that cannot be read is a note; raises ToolError when none can.
        """
        found: list[ChangeEvent] = []
        for place, certificate in self._certificates():
            if window.contains(certificate.not_after):
                found.append(_expiry(place, certificate))
            if window.contains(certificate.not_before):
                found.append(_renewal(place, certificate))
            if certificate.not_before >= window.until:
                text = (
                    f"the certificate at {place.address} is of {iso(certificate.not_before)}; the one before is unknown"
                )
                self._notes.add(Source.CHANGES, text)
        return sorted(found, key=lambda change: (change.at, change.id))

    def look(self, window: TimeWindow) -> Sighting:
        """Until when each certificate is valid. Raises ToolError when none can be read."""
        found = self._certificates()
        return Sighting(
            source=Source.CHANGES,
            name=f"certificates at {counted(len(self._config.served), 'address', 'addresses')}",
            facts=tuple(
                f"{place.address}: valid until {iso(each.not_after)}, by {each.issuer}" for place, each in found
            ),
            services=tuple(sorted({place.service for place, _ in found})),
            troubles=tuple(
                f"the certificate at {place.address} ends at {iso(each.not_after)}; renew it"
                for place, each in found
                if each.not_after < window.until + SOON
            ),
        )

    def _certificates(self) -> list[tuple[ServedAt, Certificate]]:
        served, troubles = self._config.served, list[str]()
        with ThreadPoolExecutor(min(AT_ONCE, len(served))) as pool:
            answers = list(pool.map(self._read, served))
        found: list[tuple[ServedAt, Certificate]] = []
        for place, answer in zip(served, answers, strict=True):
            if isinstance(answer, Certificate):
                found.append((place, answer))
            else:
                troubles.append(f"the certificate at {place.address} cannot be read: {answer}")
        if not found:
            raise ToolError(Source.CHANGES, "; ".join(troubles[:3]))
        for trouble in troubles:
            self._notes.add(Source.CHANGES, trouble)
        return found

    def _read(self, place: ServedAt) -> Certificate | str:
        """The certificate, or why there is none."""
        rounds = -(-len(self._config.served) // AT_ONCE)
        seconds = self._config.timeout_seconds / rounds
        try:
            return parse(within(seconds, lambda: _handshake(place, seconds)))
        except TimeoutError:
            return f"no handshake within {seconds:g} s"
        except (OSError, ValueError) as error:
            return one_line(str(error), 200) or type(error).__name__


def parse(der: bytes) -> Certificate:
    """Read a certificate in DER (RFC 5280); raises ValueError for anything else."""
    read = x509.load_der_x509_certificate(der)
    return Certificate(
        serial=f"{read.serial_number:x}",
        subject=clean_name(read.subject.rfc4514_string()),
        issuer=clean_name(read.issuer.rfc4514_string()),
        not_before=read.not_valid_before_utc,
        not_after=read.not_valid_after_utc,
    )


def _handshake(place: ServedAt, seconds: float) -> bytes:
    """The certificate that the server shows. It is not judged: an expired one is what we are looking for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((place.host, place.port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=place.server_name or place.host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("the server shows none")
    return shown


def _expiry(place: ServedAt, certificate: Certificate) -> ChangeEvent:
    return ChangeEvent(
        id=f"{place.address}:{certificate.serial}:expired",
        kind=ChangeKind.CERTIFICATE,
        at=certificate.not_after,
        service=place.service,
        title=f"{place.service}: the certificate at {place.address} expired ({certificate.subject})",
        before=f"valid until {iso(certificate.not_after)}",
        after="expired",
    )


def _renewal(place: ServedAt, certificate: Certificate) -> ChangeEvent:
    return ChangeEvent(
        id=f"{place.address}:{certificate.serial}:issued",
        kind=ChangeKind.CERTIFICATE,
        at=certificate.not_before,
        service=place.service,
        title=f"{place.service}: new certificate at {place.address}, issued by {certificate.issuer}",
        after=f"valid until {iso(certificate.not_after)}",
    )
