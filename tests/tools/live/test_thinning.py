from __future__ import annotations

from hypothesis import given, strategies as st

from tools.live.thinning import SEVERE_PART, plan

STRATA = st.lists(st.tuples(st.integers(1, 10**7), st.booleans()), min_size=1, max_size=60)


@given(STRATA, st.integers(1_000, 60_000))
def test_what_is_read_fits_into_the_budget(strata: list[tuple[int, bool]], budget: int) -> None:
    chosen = plan([count for count, _ in strata], [severe for _, severe in strata], budget)
    assert chosen.expected <= budget + len(strata)
    assert chosen.is_full or chosen.lines > budget or chosen.expected >= 1


@given(STRATA)
def test_all_is_read_where_all_fits(strata: list[tuple[int, bool]]) -> None:
    counts = [count for count, _ in strata]
    assert plan(counts, [severe for _, severe in strata], sum(counts)).is_full


@given(STRATA, st.integers(1_000, 60_000))
def test_of_two_strata_the_louder_is_never_read_more_closely(strata: list[tuple[int, bool]], budget: int) -> None:
    chosen = plan([count for count, _ in strata], [severe for _, severe in strata], budget)
    for flag in (True, False):
        half = sorted((c, n) for c, s, n in zip(chosen.counts, chosen.severe, chosen.one_in, strict=True) if s is flag)
        assert [share for _, share in half] == sorted(share for _, share in half)


def test_errors_come_first_and_quiet_strata_are_whole() -> None:
    chosen = plan([100_000, 300, 50], [False, True, False], 10_000)
    assert chosen.one_in[1:] == (1, 1)
    assert chosen.one_in[0] == 12
    assert "all errors and warnings, 1 in 12 of the loudest of the rest" in chosen.told(8_683)


def test_a_flood_of_errors_leaves_room_for_healthy_lines() -> None:
    chosen = plan([1_000_000, 1_000_000], [False, True], 9_000)
    healthy, failing = (round(count / n) for count, n in zip(chosen.counts, chosen.one_in, strict=True))
    assert 0 < failing <= SEVERE_PART * 9_000
    assert 0 < healthy <= (1 - SEVERE_PART) * 9_000 + 1
    assert "1 in 192 to 1 in 384 of the loudest kinds of lines" in chosen.told(7_000)
