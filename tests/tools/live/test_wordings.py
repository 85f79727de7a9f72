from __future__ import annotations

import random

from tools.live.wordings import COMMON, MOST, WORDS, common_wordings, says_failure


def test_lines_that_differ_in_their_numbers_have_one_wording() -> None:
    assert common_wordings([f"order {place} paid in {place} ms" for place in range(100)]) == (
        ("in", "ms", "order", "paid"),
    )


def test_what_few_lines_say_is_not_common() -> None:
    lines = ["cache was filled"] * 100 + ["switched to fallback"] * (COMMON - 1)
    assert common_wordings(lines) == (("cache", "filled", "was"),)


def test_names_of_many_customers_are_no_part_of_a_wording() -> None:
    dice = random.Random(1)
    names = ["".join(dice.choices("abcdefghij", k=6)) for _ in range(400)]
    assert common_wordings([f"order of {dice.choice(names)} paid" for _ in range(1_000)]) == (("of", "order", "paid"),)


def test_one_word_alone_is_no_wording() -> None:
    assert common_wordings(["started"] * 100 + ["7 11 13"] * 100) == ()


def test_words_end_at_quotes_and_brackets() -> None:
    lines = [f'{{"level":"info","msg":"request {place} done"}}' for place in range(50)]
    assert common_wordings(lines) == (("done", "info", "level", "msg", "request"),)


def test_there_is_a_limit_to_wordings_and_to_their_words() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = [f"kind{a} {a}{a}{b} {b}{b}{a} was seen" for a in letters for b in letters for _ in range(COMMON + 20)]
    assert len(common_wordings(many)) <= MOST
    long = " ".join(a + b for a in letters for b in "xyz")
    assert [len(words) for words in common_wordings([long] * 50)] == [WORDS]


def test_the_same_lines_in_another_order_have_the_same_wordings() -> None:
    lines = [f"request {place} answered" for place in range(60)] + [f"order {place} paid" for place in range(60)]
    assert common_wordings(lines) == common_wordings(lines[::-1])


def test_failure_is_heard_in_a_wording() -> None:
    assert says_failure(("Connection", "refused:"))
    assert not says_failure(("request", "answered"))
