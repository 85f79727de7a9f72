from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tools.redaction import longest_open, masked, masked_attributes, masked_pairs, masked_text, masked_texts

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabcd==\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("login with password=hunter2 failed", "hunter2"),
        ('{"password": "correct horse"}', "correct horse"),
        ("DB_PASSWORD: s3cr3t", "s3cr3t"),
        ("  secret: swordfish", "swordfish"),
        ("old password: k3y1 new password: k3y2", "k3y2"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("Authorization: Bearer abcdef", "abcdef"),
        ("proxy-authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("sent Bearer 0123456789abcdef to upstream", "0123456789abcdef"),
        ("dial postgres://app:s3cr3t@db:5432/orders", "s3cr3t"),
        ("amqp://u:pw@mq", ":pw@"),
        ("using AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ('aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG"', "wJalrXUtnFEMI"),
        (f"token {JWT} expired", JWT),
        ("push with ghp_" + "a1B2" * 10, "a1B2a1B2"),
        ("xoxb-123456789012-abcdef", "123456789012"),
        ("/cart?access_token=abc123&page=2", "abc123"),
        ("Set-Cookie: sid=abc123; Path=/", "abc123"),
        (KEY, "MIIEow"),
        (KEY.partition("-----END")[0], "MIIEow"),
        ("api-key='k-1234'", "k-1234"),
    ],
)
def test_a_secret_is_masked(text: str, secret: str) -> None:
    hidden = masked_text(text)
    assert secret not in hidden
    assert "[masked:" in hidden
    assert masked_text(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "token_ttl_seconds: 30",
        "max_token = 4096",
        "password: expired yesterday",
        "bearer authentication failed",
        "basic authentication failed",
        "token = get_token()",
        'password = os.environ["DB_PASSWORD"]',
        "https://shop.example/cart?page=2",
        "cache key: user:17",
        "password=",
        "secret: null",
        "pool exhausted: 40 of 40 in use",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked_text(text) == text


def test_a_masked_diff_keeps_its_lines_and_signs() -> None:
    diff = "@@ -1 +1,4 @@\n-old\n" + "\n".join(f"+{line}" for line in KEY.split("\n"))
    hidden = masked_text(diff)
    assert hidden.count("\n") == diff.count("\n")
    assert all(line.startswith("+[masked:private-key]") for line in hidden.split("\n")[2:])


def test_the_host_and_user_of_a_url_stay() -> None:
    assert masked_text("postgres://app:s3cr3t@db:5432/x") == "postgres://app:[masked:password]@db:5432/x"


def test_json_is_masked_by_name_and_inside_its_strings() -> None:
    value = {"password": "x", "nested": [{"api_key": "y", "note": "pwd=z1"}], "max_token": "10", "n": 3, "t": None}
    assert masked(value) == {
        "password": "[masked:value]",
        "nested": [{"api_key": "[masked:value]", "note": "pwd=[masked:value]"}],
        "max_token": "10",
        "n": 3,
        "t": None,
    }


def test_attributes_are_masked_by_name_and_content() -> None:
    long = "pad " * 40 + "password=hunter2"
    hidden = masked_attributes(
        {"http.request.header.authorization": "abc", "url": "http://a:b@c", "zone": "a", "x": long}
    )
    assert hidden["http.request.header.authorization"] == "[masked:value]"
    assert hidden["url"] == "http://a:[masked:password]@c"
    assert hidden["zone"] == "a"
    assert "hunter2" not in hidden["x"]


def test_of_many_texts_those_that_hold_a_secret_are_changed() -> None:
    assert masked_texts(["pwd=abc", "fine", "pwd=abc", "a token"]) == {"pwd=abc": "pwd=[masked:value]"}


def test_of_many_attributes_those_that_hold_a_secret_are_changed() -> None:
    pairs = {("password", "abc"), ("zone", "a"), ("url", "http://a:b@c"), ("zone", "abc")}
    assert masked_pairs(pairs) == {
        ("password", "abc"): "[masked:value]",
        ("url", "http://a:b@c"): "http://a:[masked:password]@c",
    }


def test_the_longest_stretch_without_a_mask() -> None:
    assert longest_open("login of [masked:value] failed for tenant") == " failed for tenant"
    assert longest_open("plain") == "plain"


words = st.sampled_from(
    ["password", "token", "=", ":", " ", '"', "'", "abc1", "Bearer ", "://", "u:p@h", "\n", "[masked:", "]", JWT]
)


@given(st.one_of(st.text(), st.lists(words).map("".join)))
def test_masking_twice_changes_nothing_and_keeps_the_lines(text: str) -> None:
    once = masked_text(text)
    assert masked_text(once) == once
    assert once.count("\n") == text.count("\n")


@given(st.lists(st.lists(words, max_size=6).map("".join), max_size=40))
def test_many_texts_are_masked_as_one_by_one(texts: list[str]) -> None:
    changed = masked_texts(texts)
    assert [changed.get(text, text) for text in texts] == [masked_text(text) for text in texts]


def test_a_letter_that_folds_into_two_hides_no_secret() -> None:
    assert masked_texts(["İİİ", "pwd=abc"]) == {"pwd=abc": "pwd=[masked:value]"}
