"""Columns are masked as their cells are, and one without a secret is handed back as it came."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, strategies as st

from tools.masked_columns import masked_attribute_column, masked_text_column
from tools.redaction import masked_attributes, masked_text

texts = st.sampled_from(["fine", "pwd=abc", "token: k3y", "http://a:b@c", "", "Bearer abc.DEF.123456"])


def test_a_column_without_a_secret_is_the_same_one() -> None:
    bodies = pd.Series(["fine", "also fine"], dtype="str")
    attributes = pd.Series([{"zone": "a"}, {}], dtype="object")
    assert masked_text_column(bodies) is bodies
    assert masked_attribute_column(attributes) is attributes


def test_the_index_stays() -> None:
    assert masked_text_column(pd.Series(["pwd=abc"], index=[7], dtype="str")).to_dict() == {7: "pwd=[masked:value]"}


@given(st.lists(texts, max_size=20))
def test_texts_are_masked_as_one_by_one(cells: list[str]) -> None:
    assert masked_text_column(pd.Series(cells, dtype="str")).tolist() == [masked_text(cell) for cell in cells]


@given(st.lists(st.dictionaries(st.sampled_from(["zone", "password", "url"]), texts, max_size=3), max_size=20))
def test_attributes_are_masked_as_one_by_one(rows: list[dict[str, str]]) -> None:
    column = pd.Series([*rows, *rows], dtype="object")
    assert masked_attribute_column(column).tolist() == [masked_attributes(row) for row in (*rows, *rows)]
