"""Loads what a recording holds into real servers, so that both can be asked the same."""

from __future__ import annotations

import pandas as pd

from tools.live.prometheus.promql import quoted


def openmetrics_of(metrics: pd.DataFrame) -> str:
    """The metrics of a recording (columns of `tools.backend`) as OpenMetrics text: every series a gauge, as recorded."""
    lines: list[str] = []
    for name, of_name in metrics.groupby("metric", sort=True):
        lines.append(f"# TYPE {name} gauge")
        for (service, instance, unit), series in of_name.groupby(["service", "instance", "unit"], sort=True):
            labels = ",".join(
                f"{label}={quoted(str(value))}"
                for label, value in (("service", service), ("instance", instance), ("unit", unit))
                if value
            )
            moments = series["timestamp"].astype("int64") / 1e6
            lines += [f"{name}{{{labels}}} {v!r} {t:.3f}" for v, t in zip(series["value"], moments, strict=True)]
    return "\n".join([*lines, "# EOF", ""])
