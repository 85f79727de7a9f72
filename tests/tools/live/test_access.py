from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from tools.live.access import Access, secrets_of

URL = "https://metrics.example.net"


def access(**fields: object) -> Access:
    return Access.model_validate({"url": URL} | fields)


def test_the_slash_at_the_end_goes() -> None:
    assert access(url="https://metrics.example.net/prefix//").url == "https://metrics.example.net/prefix"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "metrics.example.net"}, "an address like"),
        ({"url": "ftp://metrics.example.net"}, "an address like"),
        ({"url": "https://"}, "an address like"),
        ({"url": "https://two words"}, "an address like"),
        ({"url": "https://metrics\n.example.net"}, "an address like"),
        ({"url": "https://metrics.example.net:99999"}, "Port out of range"),
        ({"url": "https://metrics.example.net:api"}, "Port"),
        ({"url": "https://[::1"}, "Invalid IPv6"),
        ({"url": "https://me:secret@metrics.example.net"}, "beside the address"),
        ({"url": "https://metrics.example.net?tenant=1"}, "before its"),
        ({"proxy": "proxy:3128"}, "an address like"),
        ({"proxy": "socks5://proxy:1080"}, "an address like"),
        ({"bearer_token": "read-from-a-file\n"}, "line break"),
        ({"bearer_token": ""}, "empty"),
        ({"bearer_token": "t€ken"}, "outside of ASCII"),
        ({"headers": {"X Tenant": "a"}}, "no name of a header"),
        ({"headers": {"X-Tenant": "a\r\nX-Admin: yes"}}, "line break"),
        ({"username": "me"}, "go together"),
        ({"username": "me:you", "password": "x"}, "no colon"),
        ({"username": "me", "password": "x", "bearer_token": "y"}, "either"),
        ({"ca_file": "/nowhere/ca.pem"}, "no such file"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"timeout_secs": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        access(**fields)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("x")
    held = access(bearer_token="tok-123456", headers={"X-Scope-OrgID": "tenant-9"}, ca_file=file)
    for shown in (repr(held), str(held), held.model_dump_json()):
        assert "tok-123456" not in shown
        assert "tenant-9" not in shown


def test_secrets_that_a_message_must_not_hold() -> None:
    held = access(
        username="me",
        password=SecretStr("long-password"),
        headers={"X-A": SecretStr("abc"), "X-B": SecretStr("abcd")},
        proxy="http://me:proxy-pass@proxy.example.net:3128",
    )
    assert secrets_of(held) == ["long-password", "proxy-pass", "abcd"]
    assert secrets_of(access()) == []
