"""Claims as lines: a mark, the sentence, and at the right edge the evidence anybody can ask for again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from agent.incident import Claim
from web.terminal.printable import styled

ID_WIDTH = 9
"""Cells of an evidence id."""
MORE_WIDTH = 3
"""Cells of the ` +2` behind an id where further evidence is left out."""
CITED = "cyan"
LABEL = "bold"
QUIET = "dim"


@dataclass(frozen=True)
class Detail:
    """How much of an answer is shown: how many entries of each part, and whether claims are wrapped or cut."""

    hypotheses: int
    claims_of_first: int
    claims_of_others: int
    ruled_out: int
    data_gaps: int
    mitigations: int
    whole_claims: bool = True


def cited_rows(rows: Iterable[tuple[str, Text, Claim]], *, whole: bool) -> Table:
    """Lay out sentences under each other, each with its mark and the ids of its claim; one line each unless `whole`."""
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=1)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(width=ID_WIDTH if whole else ID_WIDTH + MORE_WIDTH)
    for mark, text, claim in rows:
        grid.add_row(Text(mark), text if whole else one_line(text), cited(claim, whole=whole))
    return grid


def one_line(text: Text) -> Text:
    """Return `text` so that it is cut at the width with an ellipsis instead of wrapped."""
    cut = text.copy()
    cut.no_wrap, cut.overflow = True, "ellipsis"
    return cut


def cited(claim: Claim, *, whole: bool) -> Text:
    """Return the ids that a claim cites: one to a line when `whole`, else the first and how many more."""
    if whole:
        return styled(" ".join(claim.evidence), CITED)
    first, *others = claim.evidence
    return styled(first, CITED) + Text(f" +{len(others)}" if others else "", style=QUIET)


def inline_ids(claim: Claim) -> str:
    """Return the citation that stands inside a paragraph: `[E1a2b3c4d E5e6f7a8b]`."""
    return f"[{' '.join(claim.evidence)}]"
