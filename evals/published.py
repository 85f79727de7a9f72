"""What others reach, as they or their benchmark published it. Shown beside our own figures, never mixed with them."""

from __future__ import annotations

from collections.abc import Mapping

from tools.evidence import Frozen


class PublishedRow(Frozen):
    """One published figure; we did not measure it."""

    name: str
    accuracy: float
    """Share of the cases whose first answer was right, 0..1."""
    cases: int
    """Of how many cases; a suite of another size is not the same test."""


def _of_24(name: str, accuracy: float) -> PublishedRow:
    return PublishedRow(name=name, accuracy=accuracy, cases=24)


PUBLISHED: Mapping[str, tuple[PublishedRow, ...]] = {
    "rootcausebench": (
        _of_24("best models", 1.0),
        _of_24("claude-sonnet-4.6", 0.96),
        _of_24("gpt-oss-120b", 0.50),
        _of_24("claude-haiku-4.5", 0.47),
        _of_24("gpt-oss-20b", 0.29),
        _of_24("script: keyword heuristic", 7 / 24),
        _of_24("script: always none", 7 / 24),
        _of_24("script: alert service's deploy", 5 / 24),
        _of_24("script: latest deploy", 1 / 24),
    ),
}
