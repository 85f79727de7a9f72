from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tools.live.prometheus.expression import RuleSignal, rule_of, selects_something, signal_of
from tools.live.prometheus.promql import NotPromql, parsed, quoted

SIGNALS = [
    ("rate(x[5m]) > 0.5", "rate(x[5m])", ">", 0.5),
    ("0.5 < x", "x", ">", 0.5),
    ("10 >= x", "x", "<=", 10),
    ("((x)) >= bool 5 * 60", "((x))", ">=", 300),
    ("(sum(a) / sum(b) > 0.1)", "sum(a) / sum(b)", ">", 0.1),
    ("-x > 5", "-x", ">", 5),
    ("x == -1", "x", "==", -1),
    ("x != 0", "x", "!=", 0),
    ("x > (1 + 2) / 4 - 1", "x", ">", -0.25),
    ("x > 1 / 0", "x", ">", None),
    ("x > on (a) group_left () y", "x", ">", None),
    ("x > scalar(y)", "x", ">", None),
    ('x{a="> 5"} > 5', 'x{a="> 5"}', ">", 5),
    ('x{p="a\\"b\\n"} > 1', 'x{p="a\\"b\\n"}', ">", 1),
    ("(a > 1) and (b > 2)", "a", ">", 1),
    ("a > 1 unless on (job) b", "a", ">", 1),
    ("a or b > 3", "a", "", None),
    ("x\n  > 5", "x", ">", 5),
    ("absent(x)", "absent(x)", "", None),
    ("sum(x > 3) / 2", "sum(x > 3) / 2", "", None),
    ("x > 5 # too many", "x", ">", 5),
    ("x", "x", "", None),
]


@pytest.mark.parametrize(("rule", "expression", "operator", "threshold"), SIGNALS, ids=[rule for rule, *_ in SIGNALS])
def test_the_comparison_goes(rule: str, expression: str, operator: str, threshold: float | None) -> None:
    assert signal_of(rule) == RuleSignal(expression, operator, threshold)
    parsed(expression)


@given(st.text(min_size=1), st.integers(0, 1000))
def test_whatever_a_label_holds_the_signal_is_a_stretch_of_the_rule(text: str, threshold: int) -> None:
    watched = f"rate(x{{service={quoted(text)}}}[5m])"
    assert signal_of(f"{watched} > {threshold}") == RuleSignal(watched, ">", threshold)


@pytest.mark.parametrize("text", ["", "x >", "rate(x)", "{}", "'"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(NotPromql):
        signal_of(text)


def test_the_rule_stands_in_the_link_of_an_alert() -> None:
    link = "http://prometheus:9090/graph?g0.expr=rate%28x%5B5m%5D%29+%3E+0.5&g0.tab=1"
    assert rule_of(link) == "rate(x[5m]) > 0.5"


@pytest.mark.parametrize(
    "link", ["", "http://grafana/alerting/x/view", "http://[", "http://a/graph?g0.expr=", "g0.expr=x"]
)
def test_other_links_hold_no_rule(link: str) -> None:
    assert rule_of(link) is None


@pytest.mark.parametrize(
    ("expression", "narrow"),
    [
        ("x", True),
        ('{service="a"}', True),
        ('{__name__=~"http_.*"}', True),
        ("sum(rate(x[5m])) / sum(rate(y[5m]))", True),
        ("max_over_time(rate(x[1m])[10m:])", True),
        ('{__name__=~".+"}', False),
        ('rate({job!="x",__name__=~".+"}[5m])', False),
        ('x / on () {__name__=~".+"}', False),
        ('{job!~"a",b=~".+"}', False),
        ("1 + 1", False),
        ("vector(1)", False),
    ],
)
def test_a_whole_store_is_not_selected(expression: str, narrow: bool) -> None:
    assert selects_something(parsed(expression)) is narrow
