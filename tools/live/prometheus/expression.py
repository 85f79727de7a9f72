"""What an alerting rule watches: its expression without the comparison that makes it fire."""

from __future__ import annotations

import math
import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import promql_parser as ast

from tools.live.prometheus.promql import NotPromql, parsed

COMPARISONS = frozenset({">", "<", ">=", "<=", "==", "!="})
_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_SETS = frozenset({"and", "or", "unless"})
_EVERYTHING = frozenset({"", ".*", ".+"})


class RuleSignal(NamedTuple):
    """The watched value, and what it is compared with; `operator` is "" where nothing is compared."""

    expression: str
    operator: str
    threshold: float | None
    """None where the other side is no constant."""


def signal_of(expression: str) -> RuleSignal:
    """`rate(x[5m]) > 0.5` -> (`rate(x[5m])`, `>`, 0.5).

    Of conditions joined by `and`, `or` and `unless` it is the first, whose values the alert shows. A constant on the
    left turns the operator round. A comparison inside of a function or an aggregation selects and stays. The
    expression is a stretch of the rule's own text. Raises NotPromql.
    """
    text = expression.strip()
    tree = parsed(text)
    while isinstance(tree, ast.ParenExpr):
        inner = text[1:-1].strip()
        if not (text.startswith("(") and text.endswith(")") and _same(inner, tree.expr)):
            return RuleSignal(text, "", None)
        text, tree = inner, tree.expr
    if not isinstance(tree, ast.BinaryExpr):
        return RuleSignal(text, "", None)
    operator = str(tree.op)
    if operator not in COMPARISONS | _SETS:
        return RuleSignal(text, "", None)
    sides = _sides(text, tree)
    if sides is None:
        return RuleSignal(text, "", None)
    left, right = sides
    if operator in _SETS:
        return signal_of(left)
    if (constant := _constant(tree.lhs)) is not None and right:
        return RuleSignal(right, _TURNED[operator], constant)
    return RuleSignal(left, operator, _constant(tree.rhs))


def rule_of(generator_url: str) -> str | None:
    """The expression in the link that Prometheus puts into its alerts (`/graph?g0.expr=...`); None without one."""
    try:
        found = parse_qs(urlsplit(generator_url).query).get("g0.expr", [])
    except ValueError:
        return None
    return found[0].strip() or None if found else None


def selects_something(tree: ast.Expr) -> bool:
    """Whether every selector names a metric, or a value of a label: `{__name__=~".+"}` would read the whole store."""
    selectors: list[ast.VectorSelector] = []

    def visit(node: ast.Expr) -> None:
        found = node.vector_selector if isinstance(node, ast.MatrixSelector) else node
        if isinstance(found, ast.VectorSelector) and not any(found is other for other in selectors):
            selectors.append(found)

    ast.walk(tree, visit)
    return bool(selectors) and all(map(_is_narrow, selectors))


def _is_narrow(found: ast.VectorSelector) -> bool:
    if found.name:
        return True
    return any(
        matcher.value not in _EVERYTHING and matcher.op in (ast.MatchOp.Equal, ast.MatchOp.Re)
        for matcher in found.matchers.matchers
    )


def _sides(text: str, tree: ast.BinaryExpr) -> tuple[str, str] | None:
    """The text left and right of the operator; the tree knows no positions, so each place of the operator is tried."""
    operator = str(tree.op)
    for found in re.finditer(re.escape(operator), text):
        left = text[: found.start()].strip()
        if _same(left, tree.lhs):
            right = re.sub(r"^bool\b", "", text[found.end() :].strip()).strip()
            return left, right if _same(right, tree.rhs) else ""
    return None


def _same(text: str, tree: ast.Expr) -> bool:
    try:
        return parsed(text).prettify() == tree.prettify()
    except NotPromql:
        return False


def _constant(tree: ast.Expr) -> float | None:
    """The value of a number, or of arithmetic with numbers (`5 * 60`)."""
    match tree:
        case ast.NumberLiteral():
            return tree.val if math.isfinite(tree.val) else None
        case ast.ParenExpr():
            return _constant(tree.expr)
        case ast.UnaryExpr():
            inner = _constant(tree.expr)
            return None if inner is None else -inner
        case ast.BinaryExpr():
            return _computed(str(tree.op), _constant(tree.lhs), _constant(tree.rhs))
        case _:
            return None


def _computed(operator: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
        case _:
            return None
