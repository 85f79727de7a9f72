"""Texts are filled in strictly and show what they are given, as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from jinja2 import UndefinedError

import prompts


def test_a_missing_variable_fails() -> None:
    with pytest.raises(UndefinedError, match="incident"):
        prompts.render("write_postmortem")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("one\n# two\t three", "one \\# two three"),
        ("a_b *c* `d` [e] <f> | g \\", "a\\_b \\*c\\* \\`d\\` \\[e\\] \\<f\\> \\| g \\\\"),
        (7, "7"),
    ],
)
def test_a_value_is_plain_text_on_one_line(value: object, shown: str) -> None:
    assert prompts.plain(value) == shown


def test_moments_and_shares() -> None:
    assert prompts.moment(datetime(2026, 3, 2, 10, 30, tzinfo=UTC)) == "2026-03-02 10:30:00"
    assert prompts.percent(0.864) == "86%"
