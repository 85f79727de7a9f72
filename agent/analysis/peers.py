"""Who a log line or a span speaks of: the other service in its text or its attributes.

A service is recognised by its whole name, never by resemblance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PEER_KEYS = (
    "peer.service",
    "peer",
    "upstream",
    "upstream.service",
    "upstream_host",
    "net.peer.name",
    "server.address",
    "peer.address",
    "peer.hostname",
    "net.sock.peer.name",
    "rpc.service",
    "target",
    "host",
)
"""Attributes that name the other side (OpenTelemetry semantic conventions, old and new; proxies' access logs)."""
NAMING_KEYS = ("peer.service", "net.peer.name", "server.address")
"""Attributes that name a peer well enough to become a node of its own when no service of that name is known."""

_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?([^/:?#\s]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[\d.]+|[0-9a-f:]*:[0-9a-f:]+|localhost", re.IGNORECASE)
_CALLED = (
    r"(?i:\bupstream|\b(?:call|request|connect|connection|handshake|dial)(?:s|ed|ing)?(?: failed)? to"
    r"|\bpeer|\bhost|\brpc|\bfrom|://)"
)
_ANSWERS = (
    r"(?i::\d+|\s+(?:returned|answered|responded|refused|rejected|unavailable|unreachable|failed|timed out"
    r"|timeout|slow|did not|deadlineexceeded|unhealthy|is down))"
)
_CLIENT_SIDE = re.compile(
    r"(?:\b(?:user|client|caller|consumer|group|principal|role|account|member|tenant|owner|application_name)\s*[=:]?\s*[\"']?"
    r"|\b(?:request|connection|call|query|session|login)s? (?:received )?(?:from|by|of)\s+[\"']?)$",
    re.IGNORECASE,
)
_TELLING = ("service", "svc", "server", "gateway", "proxy")


@dataclass(frozen=True)
class Named:
    """The other service a text or attribute names, and on which side of the call it stands."""

    service: str
    is_caller: bool = False


class PeerFinder:
    """Finds the names of known services in texts and attributes, longest name first."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(name for name in services if name)
        clear = sorted((n for n in self._services if not _is_plain_word(n)), key=lambda n: (-len(n), n))
        plain = sorted((n for n in self._services if _is_plain_word(n)), key=lambda n: (-len(n), n))
        self._clear = _alternation(clear, r"(?<![\w-])(?P<name>{})(?![\w-])")
        # A service called "search" is meant only where the words around it speak of a call.
        self._called = _alternation(plain, _CALLED + r"[\s=:\"']{{0,3}}(?P<name>{})(?![\w-])")
        self._answers = _alternation(plain, r"(?<![\w/-])(?P<name>{})" + _ANSWERS)

    def find(self, text: str, attributes: Mapping[str, str], own: str) -> Named | None:
        """The other service that attributes (first) or the text name; None when only `own` or nobody is named."""
        for key in PEER_KEYS:
            value = attributes.get(key, "")
            if value and (service := self.service_of(value)) and service != own:
                return Named(service)
        return self._in_text(text, own) or self._called_verbatim(attributes, own)

    def service_of(self, address: str) -> str | None:
        """The known service of `name`, `name:port`, `scheme://name/path` or `name.namespace.domain`."""
        if address in self._services:
            return address
        host = host_of(address)
        if host in self._services:
            return host
        first = host.partition(".")[0]
        return first if first in self._services else None

    def _in_text(self, text: str, own: str) -> Named | None:
        for pattern in (self._clear, self._called, self._answers):
            if pattern is None:
                continue
            for found in pattern.finditer(text):
                if found["name"] != own:
                    return Named(
                        found["name"],
                        bool(_CLIENT_SIDE.search(text[max(0, found.start("name") - 60) : found.start("name")])),
                    )
        return None

    @staticmethod
    def _called_verbatim(attributes: Mapping[str, str], own: str) -> Named | None:
        name = attributes.get("peer.service", "")
        return Named(name) if name and name != own else None


def host_of(address: str) -> str:
    """The host of an address, without scheme, credentials, port and path."""
    found = _HOST.match(address.strip())
    return found[1] if found else address.strip()


def leaf_name(attributes: Mapping[str, str]) -> str | None:
    """What to call a peer that sent no telemetry of its own; None without a name (a bare IP address is none)."""
    for key in NAMING_KEYS:
        value = attributes.get(key, "")
        host = value if key == "peer.service" else host_of(value)
        if host and not _ADDRESS.fullmatch(host):
            return host
    return None


def _is_plain_word(name: str) -> bool:
    return name.isalpha() and not name.lower().endswith(_TELLING)


def _alternation(names: list[str], template: str) -> re.Pattern[str] | None:
    if not names:
        return None
    return re.compile(template.format("|".join(re.escape(name) for name in names)))
