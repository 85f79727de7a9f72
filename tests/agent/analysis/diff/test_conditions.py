"""Conditions: what is asked, about what."""

from __future__ import annotations

import pytest

from agent.analysis.diff.conditions import Asks, find_conditions
from agent.analysis.diff.hunks import Side
from tests.agent.analysis.diff.named_languages import named


@pytest.mark.parametrize(
    ("source", "language", "text", "asks", "subject"),
    [
        ("if resp.ThreeDS == nil {\n\treturn\n}", "go", "resp.ThreeDS == nil", Asks.GUARD, "resp.ThreeDS"),
        ("if err := f(); err != nil {", "go", "err != nil", Asks.ERROR, "err"),
        ("if e == nil {", "go", "e == nil", Asks.GUARD, "e"),
        ("if len(items) == 0 {", "go", "len(items) == 0", Asks.GUARD, "items"),
        ("if user is None:", "python", "user is None", Asks.GUARD, "user"),
        ("x = a if a.b else c", "python", "a.b", Asks.GUARD, "a.b"),
        ("if (!user.isAdmin()) {", "java", "!user.isAdmin()", Asks.GUARD, "user.isAdmin"),
        ("if (kind == Kind.A) {", "java", "kind == Kind.A", Asks.OTHER, "kind"),
        ("while (i < n) {", "java", "i < n", Asks.LOOP, "i"),
        ("case 7, 8:", "go", "7, 8", Asks.CHOICE, ""),
        ("const x = a.b ? 1 : 2;", "typescript", "a.b", Asks.GUARD, "a.b"),
        ("return nil unless order.open", "ruby", "order.open", Asks.GUARD, "order.open"),
    ],
)
def test_condition(source: str, language: str, text: str, asks: Asks, subject: str) -> None:
    found = find_conditions(Side(source.split("\n"), named(language), ""))[0]
    assert (found.text, found.asks, found.subject) == (text, asks, subject)


def test_ways_out() -> None:
    side = Side(["if a {", "\treturn nil", "}", "if b {", "\tf()", "}"], named("go"), "")
    assert [c.exits for c in find_conditions(side)] == [True, False]
    assert [list(c.body) for c in find_conditions(side)] == [[1], [4]]


def test_a_type_is_no_ternary() -> None:
    assert find_conditions(Side(["let x: string | undefined;", "f(a?: number)"], named("typescript"), "")) == ()
