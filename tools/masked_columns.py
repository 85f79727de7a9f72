"""Masks whole columns of telemetry frames. A column in which nothing has to be masked is handed back as it came."""

from __future__ import annotations

import pandas as pd

from tools.redaction import masked_pairs, masked_texts


def masked_text_column(column: pd.Series) -> pd.Series:
    """A column of texts, each masked; the index stays. What is no text becomes one."""
    cells = column.tolist()
    texts = [str(cell) for cell in cells]
    changed = masked_texts(texts)
    if not changed and texts == cells:
        return column
    return pd.Series([changed.get(text, text) for text in texts], index=column.index, dtype="str")


def masked_attribute_column(column: pd.Series) -> pd.Series:
    """A column of flat attributes, masked by name and by content; the index stays."""
    rows: list[dict[str, str]] = column.tolist()
    distinct = {id(row): row for row in rows}  # lines of one statement often share their attributes
    changed = masked_pairs(set[tuple[str, str]]().union(*(row.items() for row in distinct.values())))
    if not changed:
        return column
    told = {at: _told(row, changed) for at, row in distinct.items()}
    return pd.Series([told[id(row)] for row in rows], index=column.index, dtype="object")


def _told(row: dict[str, str], changed: dict[tuple[str, str], str]) -> dict[str, str]:
    return {name: changed.get((name, value), value) for name, value in row.items()}
