"""Small metrics frames, with the columns and types that tools.backend promises, and noise with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agent.analysis.observed import Onset
from tests.agent.analysis.telemetry import START

Floats = NDArray[np.float64]
STEP = timedelta(minutes=1)


def minutes(samples: int, step: float = 1.0) -> NDArray[np.datetime64]:
    """Times of so many samples, `step` minutes apart, from START."""
    begin = np.datetime64(START.astimezone(UTC).replace(tzinfo=None), "us")
    return begin + np.round(np.arange(samples) * step * 60e6).astype("timedelta64[us]")


def index_of(onset: Onset, step: float = 1.0) -> float:
    """The sample of an onset in a series from `minutes`."""
    return (onset.at - START) / timedelta(minutes=step)


def metric_frame(
    *series: tuple[str, str, Sequence[float] | Floats],
    instance: str = "",
    unit: str = "",
    first: int = 0,
    step: float = 1,
) -> pd.DataFrame:
    """Rows of (service, metric, values), one sample every `step` minutes from sample `first` on."""
    parts: list[pd.DataFrame] = []
    for service, metric, values in series:
        numbers = np.asarray(values, dtype=np.float64)
        times = minutes(first + len(numbers), step)[first:]
        parts.append(
            pd.DataFrame(
                {
                    "timestamp": pd.Series(times).dt.tz_localize("UTC"),
                    "service": pd.Series([service] * len(numbers), dtype="str"),
                    "instance": pd.Series([instance] * len(numbers), dtype="str"),
                    "metric": pd.Series([metric] * len(numbers), dtype="str"),
                    "value": numbers,
                    "unit": pd.Series([unit] * len(numbers), dtype="str"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).sort_values("timestamp", kind="stable", ignore_index=True)


def noise(kind: str, series: int, samples: int, seed: int) -> Floats:
    """Rows of noise of about unit spread: gauss, laplace, ar (first order, 0.5) or counts (Poisson of mean 4)."""
    random = np.random.default_rng(seed)
    if kind == "laplace":
        return random.laplace(size=(series, samples)) / np.sqrt(2)
    if kind == "counts":
        return random.poisson(4.0, size=(series, samples)).astype(np.float64)
    steps = random.normal(size=(series, samples + 50))
    if kind == "gauss":
        return steps[:, 50:]
    rows = np.zeros_like(steps)
    for i in range(1, steps.shape[1]):
        rows[:, i] = 0.5 * rows[:, i - 1] + steps[:, i]
    return rows[:, 50:] * np.sqrt(1 - 0.25)


def moment(value: np.datetime64) -> datetime:
    return value.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
