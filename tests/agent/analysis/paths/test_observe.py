from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agent.analysis.observed import PathBreak
from agent.analysis.paths.observe import MAX_BREAKS, observe_paths
from tests.agent.analysis.paths.shop import (
    ALERT,
    FIRED,
    MS,
    NOTHING,
    RAISED,
    WINDOW,
    Shop,
    first_of,
    incident,
    minutes,
)
from tests.agent.analysis.telemetry import Span, at
from tools.evidence import Query

NOISE = 3.0
"""Nats that chance alone may reach."""


def of(breaks: tuple[PathBreak, ...], service: str, step: str) -> PathBreak:
    return next(one for one in breaks if one.service == service and one.step == step)


def test_an_exception_leaves_the_path_where_it_was_thrown() -> None:
    shop = incident("raise", every=2)
    thrown = of(shop.seen(), "shop", "price known")
    assert (thrown.usual, thrown.instead, thrown.operation) == ("stock answered", RAISED, "Buy")
    assert thrown.failing and thrown.raised
    assert (thrown.usual_before, thrown.instead_before) == (1, 0)
    assert thrown.instead_after == pytest.approx(0.5)
    assert (thrown.count_before, thrown.count_after) == (200, 40)
    assert thrown.since == min(at(line[0]) for line in shop.lines if line[3] == RAISED)
    assert thrown.query == Query(tool="log_lines", arguments={"service": "shop", "contains": RAISED})


def test_a_wrong_value_that_is_noticed_is_not_an_exception() -> None:
    noticed = of(incident("wrong").seen(), "stock", "row locked")
    assert (noticed.usual, noticed.instead) == ("row updated", NOTHING)
    assert noticed.failing and not noticed.raised


def test_the_caller_that_notices_comes_later() -> None:
    breaks = incident("wrong", every=2).seen()
    front = of(breaks, "front", "calling shop")
    assert (front.instead, front.failing, front.first) == ("shop failed", True, 0)
    assert of(breaks, "stock", "row locked").first == 1
    assert first_of(breaks) == "stock"


def test_an_early_return_that_logs_nothing_shows_in_the_calls() -> None:
    breaks = incident("early", every=3).seen(logs=False)
    assert [(one.service, one.step, one.usual, one.instead) for one in breaks] == [("shop", "Buy", "stock Reserve", "")]
    assert breaks[0].raised and not breaks[0].failing
    assert breaks[0].query == Query(tool="spans", arguments={"service": "shop", "operation": "Buy"})


def test_an_early_return_shows_in_the_statements_too() -> None:
    ended = of(incident("early").seen(), "shop", "price known")
    assert (ended.instead, ended.raised) == ("", True)
    assert ended.query.arguments["contains"] == "stock answered"


def test_lines_alone_are_enough() -> None:
    breaks = incident("raise", every=2).seen(spans=False)
    assert first_of(breaks) == "shop"
    assert of(breaks, "shop", "price known").operation == ""


def test_lines_without_span_ids_tell_no_path() -> None:
    logs = incident("raise").log_frame().assign(span_id="")
    assert observe_paths(logs, None, ALERT, WINDOW, at(FIRED)) == ()


def test_a_statement_is_known_by_its_place_in_the_code() -> None:
    shop = incident("wrong")
    shop.located = True
    logs = shop.log_frame()
    # Free text would be another template every time.
    logs["body"] = [f"{body} {chr(97 + place % 26) * 3}" for place, body in enumerate(logs["body"])]
    breaks = observe_paths(logs, shop.span_frame(), ALERT, WINDOW, at(FIRED))
    found = next(one for one in breaks if one.service == "stock")
    assert found.step.startswith("Place#10 row locked")
    assert found.usual.startswith("Place#11 row updated")
    assert found.instead.startswith(f"Place#17 {NOTHING}")


def test_the_split_may_be_minutes_off() -> None:
    exact = incident("raise").seen(FIRED)
    for early in (2.5, 5.0, 8.0):
        assert [(b.service, b.step, b.since) for b in incident("raise").seen(FIRED - early)] == [
            (b.service, b.step, b.since) for b in exact
        ]


def test_an_earlier_incident_in_the_history_is_no_excuse() -> None:
    shop = Shop()
    for minute in minutes(0, 12, 20):
        shop.serve(minute, "raise" if 3 <= minute < 5 or minute >= FIRED else "")
    thrown = of(shop.seen(), "shop", "price known")
    assert thrown.instead_before < 0.02
    assert thrown.strength > 50


def test_a_fault_that_had_begun_long_before_is_still_seen() -> None:
    shop = Shop()
    for minute in minutes(0, 12, 20):
        shop.serve(minute, "wrong" if minute >= 5 else "")
    assert first_of(shop.seen()) == "stock"


def test_a_deviation_that_recedes_is_not_what_the_alert_is_about() -> None:
    shop = Shop()
    for place, minute in enumerate(minutes(0, 12, 20)):
        shop.browse(minute, "lost" if 9 <= minute < FIRED + 0.2 else "")
        shop.serve(minute, "raise" if minute >= FIRED + 0.2 and place % 3 == 0 else "")
    breaks = shop.seen()
    assert first_of(breaks) == "shop"
    lost = next((one.strength for one in breaks if one.instead == "rows lost"), 0.0)
    assert lost < of(breaks, "shop", "price known").strength / 2


def test_what_has_been_over_for_a_while_is_weaker_than_what_lasts() -> None:
    def lost(until: float) -> float:
        shop = Shop()
        for place, minute in enumerate(minutes(0, 12, 20)):
            shop.browse(minute, "lost" if FIRED <= minute < until and place % 3 else "")
        return max(one.strength for one in shop.seen() if one.service == "stock")

    # It reaches well into the later half of what was seen, and is over in the last quarter.
    assert lost(11.45) < 0.4 * lost(12)


def test_a_quiet_shop_has_no_breaks() -> None:
    assert incident("").seen() == ()


@pytest.mark.parametrize("side", ["before", "after"])
def test_one_side_alone_tells_nothing(side: str) -> None:
    shop = Shop()
    for minute in minutes(0, 6, 20) if side == "before" else minutes(11.5, 12, 60):
        shop.serve(minute, "" if side == "before" else "raise")
    assert shop.seen() == ()


def test_nothing_at_all() -> None:
    shop = incident("raise")
    assert observe_paths(None, None, ALERT, WINDOW, at(FIRED)) == ()
    empty = shop.log_frame().iloc[:0], shop.span_frame().iloc[:0]
    assert observe_paths(*empty, ALERT, WINDOW, at(FIRED)) == ()


def test_lines_that_were_collected_for_a_while_only_are_no_break() -> None:
    shop = incident("")
    logs = shop.log_frame()
    for kept in (logs["timestamp"] > at(6), logs["timestamp"] < at(10.7)):
        assert observe_paths(logs[kept], shop.span_frame(), ALERT, WINDOW, at(FIRED)) == ()


def test_a_service_whose_lines_begin_later_is_no_break() -> None:
    shop = incident("")
    logs = shop.log_frame()
    kept = (logs["service"] != "stock") | (logs["timestamp"] > at(FIRED - 1))
    assert observe_paths(logs[kept], shop.span_frame(), ALERT, WINDOW, at(FIRED)) == ()


def test_ties_come_in_their_usual_order() -> None:
    shop = incident("", per_minute=10)
    logs = shop.log_frame()
    # A third of the requests has all lines of a span on one microsecond, in an order that means nothing.
    tied = logs["trace_id"].isin(logs["trace_id"].unique()[::3])
    logs.loc[tied, "timestamp"] = logs[tied].groupby(["trace_id", "span_id"])["timestamp"].transform("first")
    mixed = logs.sample(frac=1, random_state=4).sort_values("timestamp", kind="stable")
    assert observe_paths(mixed, shop.span_frame(), ALERT, WINDOW, at(FIRED)) == ()


def test_operations_without_end_are_bounded() -> None:
    shop = Shop()
    for place, minute in enumerate(minutes(0, 12, 120)):
        shop.serve(minute, "raise" if minute >= FIRED else "", f"Buy{chr(97 + place % 26)}{chr(97 + place % 11)}x")
    breaks = shop.seen()
    assert len(breaks) <= MAX_BREAKS
    strengths = [one.strength for one in breaks]
    assert strengths == sorted(strengths, reverse=True)


def test_numbers_in_an_operation_are_not_the_operation() -> None:
    shop = Shop()
    for place, minute in enumerate(minutes(0, 12, 20)):
        shop.serve(minute, "early" if minute >= FIRED else "", f"/buy/{place}")
    found = shop.seen(logs=False)[0]
    assert (found.operation, found.query.arguments["operation"]) == ("/buy/<*>", None)


def test_whom_a_client_span_calls_is_its_callers_choice() -> None:
    shop = Shop()
    for place, minute in enumerate(minutes(0, 12, 20)):
        other = "stock" if place % 4 or minute >= FIRED else "price"
        shop.spans += [
            Span(f"t{place}", "a", "", "front", "HTTP GET", minute, 9),
            Span(f"t{place}", "b", "a", other, "/look", minute + MS, 7),
        ]
    assert shop.seen(logs=False) == ()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), fault=st.sampled_from(["raise", "wrong", "early"]))
def test_the_order_of_rows_does_not_matter(seed: int, fault: str) -> None:
    shop = incident(fault, per_minute=6, every=2)
    rng = np.random.default_rng(seed)
    logs, spans = shop.log_frame(), shop.span_frame()
    mixed = logs.iloc[rng.permutation(len(logs))], spans.iloc[rng.permutation(len(spans))]
    assert observe_paths(*mixed, ALERT, WINDOW, at(FIRED)) == observe_paths(logs, spans, ALERT, WINDOW, at(FIRED))


@settings(max_examples=25, deadline=None)
@given(before=st.floats(0.05, 0.95), after=st.floats(0.05, 0.95), seed=st.integers(0, 10_000))
def test_another_mix_of_requests_is_no_break(before: float, after: float, seed: int) -> None:
    shop, rng = Shop(), np.random.default_rng(seed)
    for minute in minutes(0, 12, 15):
        if rng.random() < (before if minute < FIRED else after):
            shop.serve(minute)
        else:
            shop.browse(minute)
    assert all(one.strength <= NOISE for one in shop.seen())


@settings(max_examples=12, deadline=None)
@given(
    fault=st.sampled_from(["raise", "wrong", "early"]),
    order=st.permutations(range(10)),
    broken=st.integers(0, 9),
)
def test_more_broken_requests_are_a_stronger_break(fault: str, order: list[int], broken: int) -> None:
    def strongest(count: int) -> float:
        # As many in each half minute of the incident: it neither ends nor comes later.
        chosen = {start + place for place in order[:count] for start in (200, 210, 220, 230)}
        shop = Shop()
        for place, minute in enumerate(minutes(0, 12, 20)):
            shop.serve(minute, fault if place in chosen else "")
        return max((one.strength for one in shop.seen() if one.service != "front"), default=0.0)

    assert strongest(broken) <= strongest(broken + 1) + 1e-9


def test_chance_is_rarely_taken_for_a_break() -> None:
    wild = 0
    for seed in range(12):
        shop, rng = Shop(), np.random.default_rng(seed)
        for minute in minutes(0, 12, 20):
            shop.serve(minute, "wrong" if rng.random() < 0.04 else "")
        wild += any(one.strength > NOISE for one in shop.seen())
    assert wild <= 1
