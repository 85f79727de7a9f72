"""What others reach, as they or their benchmark published it. Shown beside our own figures, never mixed with them."""

from __future__ import annotations

from collections.abc import Mapping

from tools.evidence import Frozen


class PublishedRow(Frozen):
    """One figure of somebody else's; this run did not measure it."""

    name: str
    accuracy: float
    """Share of the cases whose first answer was right, 0..1."""
    cases: int
    """Of how many cases; a suite of another size is not the same test."""
    accuracy_at_3: float | None = None
    metric_right: float | None = None
    """Share of the cases with the exact metric."""
    measured_on: str = ""
    """Which data, where the suite has several sets."""


def _of_24(name: str, accuracy: float) -> PublishedRow:
    return PublishedRow(name=name, accuracy=accuracy, cases=24)


_TT = "day 2023-01-29"
_OB = "day 2022-08-22"
_OB_PARTIAL = "day 2022-08-22, in part"


def _tt(name: str, accuracy: float, at_3: float) -> PublishedRow:
    return PublishedRow(name=name, accuracy=accuracy, accuracy_at_3=at_3, cases=28, measured_on=_TT)


def _ob(name: str, accuracy: float, at_3: float, cases: int = 24) -> PublishedRow:
    return PublishedRow(name=name, accuracy=accuracy, accuracy_at_3=at_3, cases=cases, measured_on=_OB_PARTIAL)


def _petshop(name: str, accuracy: float) -> PublishedRow:
    return PublishedRow(name=name, accuracy=accuracy, cases=68, measured_on="all traffic")


def _sockshop(name: str, accuracy: float, metric: float | None = None) -> PublishedRow:
    return PublishedRow(name=name, accuracy=accuracy, cases=50, metric_right=metric, measured_on="all repetitions")


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
    "nezha": (
        _tt("Nezha's own code", 0.893, 1.0),
        _tt("log statement transitions", 0.79, 0.89),
        _tt("log templates", 0.32, 0.68),
        _tt("n-sigma, all metrics", 0.11, 0.21),
        _tt("trace latency", 0.07, 0.21),
        _tt("rank fusion", 0.04, 0.46),
        _tt("BARO, all metrics", 0.0, 0.14),
        PublishedRow(
            name="Nezha, its authors' log", accuracy=0.958, accuracy_at_3=1.0, cases=24, measured_on=f"{_OB}, full data"
        ),
        _ob("trace latency", 0.60, 0.80, cases=20),
        _ob("n-sigma, all metrics", 0.58, 0.62),
        _ob("rank fusion", 0.58, 0.83),
        _ob("BARO, all metrics", 0.54, 0.62),
    ),
    "petshop": (
        _petshop("correlation ranking", 0.65),
        _petshop("traversal", 0.62),
        _petshop("CIRCA, given the graph", 0.41),
        _petshop("n-sigma", 0.22),
        _petshop("BARO", 0.19),
        _petshop("RCD", 0.19),
    ),
    "sockshop": (
        _sockshop("BARO", 0.96, 0.86),
        _sockshop("n-sigma", 0.94, 0.90),
        _sockshop("CIRCA", 0.60),
        _sockshop("RCD", 0.26),
    ),
}
