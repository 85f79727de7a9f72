"""Columns named `<service>_<metric>`: whose series they are, and where an alert would have come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from evals.wide_frames import Series, Wide, name_alone

_FRONT = ("front", "gateway")
_FRONT_WORDS = frozenset({"ui", "web", "edge", "ingress"})
_LATENCY = re.compile(r"lat(?:ency)?(?![a-z])")


def service_series(wide: Wide, units: Mapping[str, str]) -> tuple[list[Series | None], tuple[str, ...]]:
    """The series of each column, None for one that names no service, and a note about those.

    A service's name ends at the first underscore, which none has in it. `units` are by the first word of the metric.
    """
    columns: list[Series | None] = []
    strange: list[str] = []
    for (header,) in wide.headers:
        service, _, metric = header.partition("_")
        if service and metric:
            columns.append(Series(service, metric, units.get(re.split(r"[_-]", metric)[0], "")))
        else:
            columns.append(None)
            strange.append(header)
    shown = ", ".join(repr(header) for header in strange[:3])
    notes = (
        (f"{name_alone(wide.file)}: {len(strange)} columns name no service and were left out ({shown})",)
        if strange
        else ()
    )
    return columns, notes


def entry_of(services: Iterable[str]) -> str:
    """The service that users reach first, judged by its name; without such a name the first one. None must be empty."""
    names = list(services)
    named = (name for name in names if any(word in name.lower() for word in _FRONT))
    worded = (name for name in names if _FRONT_WORDS & set(re.split(r"[^a-z0-9]", name.lower())))
    return next(named, None) or next(worded, names[0])


def latency_of(service: str, columns: Sequence[Series | None]) -> str:
    """The first metric of the service that is a latency, "" when it has none."""
    metrics = (series.metric for series in columns if series is not None and series.service == service)
    return next((metric for metric in metrics if _LATENCY.search(metric)), "")
