"""Telemetry is data: what it says is shown, what it tries to do is not done."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from web.terminal.printable import printable, shortened, styled


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("\x1b[31mred\x1b[0m alert", "red alert"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\nb\tc\r", "a b c "),
        ("bell\x07 nul\x00 c1\x9b31m", "bell nul c131m"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("café 価格 ×12", "café 価格 ×12"),
    ],
)
def test_nothing_moves_the_cursor_or_turns_the_text(sent: str, shown: str) -> None:
    assert printable(sent) == shown


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert not [c for c in printable(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]


def test_square_brackets_are_text_and_not_markup() -> None:
    assert styled("[red]x[/red]", "bold").plain == "[red]x[/red]"


def test_a_long_text_is_cut_at_a_word_with_an_ellipsis() -> None:
    assert shortened("connection pool exhausted", 20) == "connection pool…"
    assert shortened("short", 20) == "short"
    assert len(shortened("x" * 50, 20)) == 20
