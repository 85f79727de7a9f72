from __future__ import annotations

import pytest

from agent.analysis.logs.tokens import EMPTY, MAX_TOKENS, key_of, shape_of_body, token_masks


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("took 35 ms", "took <*> ms"),
        ("user=alice took=35ms", "user=alice took=<*>"),
        ("connection deadbeefcafe closed", "connection <*> closed"),
        ("job 0b6cb0f5-2a4e-4c51-9d0f-6f1f6b1a2c3d done", "job <*> done"),
        ("facade added", "facade added"),
        ('tenant="acme corp" ok', "tenant=<*> ok"),
        ('level=info msg="cache is cold"', 'level=info msg="cache is cold"'),
        ("GET /cart 503 in 12 ms", "GET /cart <5xx> in <*> ms"),
        ("GET /cart 200 in 12 ms", "GET /cart <*> in <*> ms"),
        ("upstream returned 502 from cart", "upstream returned <5xx> from cart"),
        ("status=500", "status=<5xx>"),
        ("posted 500 points", "posted <*> points"),
        ("  two   blanks ", "two blanks"),
        ("", EMPTY),
    ],
)
def test_variable_tokens_are_masked_and_words_are_kept(line: str, shape: str) -> None:
    assert shape_of_body(line, token_masks()) == shape


def test_a_record_without_blanks_keeps_its_words() -> None:
    shape = shape_of_body(
        '{"level":"error","msg":"failed","attempt":3,"host":"10.0.0.7","component":"sink"}', token_masks()
    )
    assert shape == '{"level":"error","msg":"failed","attempt":<*>,"host":"<*>","component":"sink"}'


def test_endless_lines_are_bounded() -> None:
    shape = shape_of_body("word " * 10_000, token_masks())
    assert len(shape.split()) == MAX_TOKENS


def test_keys() -> None:
    assert key_of("user=alice") == "user="
    assert key_of("alice") == ""
