from __future__ import annotations

import re

import promql_parser
import pytest
from hypothesis import given, strategies as st

from tools.live.prometheus.promql import (
    Matcher,
    NotPromql,
    checked,
    duration,
    label,
    labels,
    literal,
    named,
    one_of,
    selector,
)


@given(st.text(min_size=1))
def test_any_text_is_a_value_and_nothing_else(text: str) -> None:
    tree = promql_parser.parse(f"rate({selector([named('x'), Matcher('service', '=', text)])}[5m])")
    assert isinstance(tree, promql_parser.Call)
    found = tree.args[0].vector_selector.matchers.matchers
    assert [(m.name, m.value) for m in found] == [("__name__", "x"), ("service", text)]


@given(st.lists(st.text(min_size=1), min_size=2, max_size=4, unique=True))
def test_any_texts_are_alternatives_of_which_each_fits_itself_alone(texts: list[str]) -> None:
    matcher = one_of("service", texts)
    tree = promql_parser.parse(selector([named("x"), matcher]))
    assert tree.matchers.matchers[1].value == matcher.value
    expression = re.compile(matcher.value)
    assert all(expression.fullmatch(text) for text in texts)
    others = {text + "x" for text in texts} - set(texts)
    assert not any(expression.fullmatch(text) for text in others)


@given(st.text())
def test_a_literal_fits_its_text_alone(text: str) -> None:
    assert re.fullmatch(literal(text), text)
    assert not re.fullmatch(literal(text), text + "!")


@pytest.mark.parametrize("text", ['a"} or {b="', "a\\", "{}", "line\nbreak", ".*", "a|b", "'", "`", "é漢🙂", "\x00"])
def test_values_that_would_change_the_query(text: str) -> None:
    tree = promql_parser.parse(selector([Matcher("service", "=", text)]))
    assert [m.value for m in tree.matchers.matchers] == [text]


def test_a_lone_surrogate_is_replaced() -> None:
    assert checked(selector([Matcher("a", "=", "x\ud800")])) == '{a="x?"}'


def test_a_name_with_dots_is_quoted() -> None:
    assert label("service.name") == '"service.name"'
    assert labels(["job", "service.name", "job"]) == 'job, "service.name"'
    assert checked(f"sum by ({labels(['service.name'])}) (rate({selector([named('http.server')])}[1m]))")


def test_one_value_needs_no_expression() -> None:
    assert one_of("a", ["x.y"]) == Matcher("a", "=", "x.y")
    assert one_of("a", ["b", "x.y"]) == Matcher("a", "=~", "b|x\\.y")


def test_what_is_no_promql_is_refused_with_the_reason() -> None:
    with pytest.raises(NotPromql, match="unknown function"):
        checked("nothing(x)")


def test_durations_are_whole_seconds() -> None:
    assert [duration(seconds) for seconds in (0.2, 1.6, 60, 3600.0)] == ["1s", "2s", "60s", "3600s"]
