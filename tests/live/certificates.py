"""Certificates made for one test by the openssl command: an authority, and servers that it vouches for."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """Files of a certificate authority that nobody but the test trusts."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def vouch_for(self, name: str, days: int = 30) -> ssl.SSLContext:
        """A server's TLS context with a certificate for `name`, such as `IP:127.0.0.1` or `DNS:shop.example`."""
        stem = name.replace(":", "-")
        key, request, signed = (self.folder / f"{stem}.{kind}" for kind in ("key", "csr", "pem"))
        extensions = self.folder / f"{stem}.cnf"
        extensions.write_text(f"subjectAltName={name}\n")
        _openssl("req", "-newkey", *_CURVE, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={stem}")
        signing = ("-CA", self.ca_file, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signing, "-days", days, "-out", signed, "-extfile", extensions)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed, key)
        return context


_CURVE = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def make_authority(folder: Path) -> Authority:
    subject = ("-subj", "/CN=Test authority")
    files = ("-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    _openssl("req", "-x509", "-newkey", *_CURVE, "-nodes", *files, "-days", 30, *subject)
    return Authority(folder)


def _openssl(*arguments: object) -> None:
    command = ["openssl", *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
