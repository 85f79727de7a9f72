"""When did a series change, and how: the onset of its first lasting deviation, or of a deviation that recovered.

The search has three steps, each over many series at once:

1. `_worth_a_look`: cheap order statistics that let ordinary noise pass by.
2. `agent.analysis.breaks`: ramps, steps and bumps against smooth growth. Deviations that recovered are masked, so that
   an earlier, harmless one does not hide the incident; then the lasting change is sought, and inside its own normal part
   an earlier stage of the same change (a pool that fills slowly before it overflows).
3. `agent.analysis.departure`: the first sample outside the normal band, and whether few samples are enough.

Row order, duplicates, an offset and a positive factor do not change the answer (except the words `new` and `gone`,
which are about zero).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.analysis.breaks import LASTING, Bools, Breaks, Ints, Panel, find_breaks
from agent.analysis.bumps import passing_bumps
from agent.analysis.departure import FLAT_LENGTH, LARGEST_SIZE, Departure, Stretch, after_constant, depart
from agent.analysis.observed import Onset
from agent.analysis.robust import Floats, median_of_three, spread_of, tempered

Times = NDArray[np.datetime64]

FEWEST_SAMPLES = 5
"""Three before and two after; fewer say nothing."""

MARGIN = 8.0
MARGIN_OF_SHORT = 120.0
"""A break has to beat smooth growth by 8 + 120 / samples units of BIC: measured, so that noise passes in well under 1%."""

MOST_BUMPS = 3
MOST_STAGES = 3
"""Deviations that recovered, and earlier stages of a lasting one, that are looked for in a series."""

STAGE_SHARE = 0.05
"""An earlier move below this share of the whole change is another, smaller story."""

CALM_EXTREME = 4.0
CALM_RANGE = 1.5
CALM_BLOCKS = 8
"""A series passes by unsearched when its smoothed samples stay within 4 spreads of its median and the medians of eight
equal blocks within 1.5 spreads of each other. Both lie below what could be believed later."""

PANEL_ROWS = 256
"""Series searched together; the sums of such a panel stay in the processor's cache."""

BRIEF = 2
"""A rise over at most so many samples is a step."""

ZERO_SHARE = 0.001
"""A level below this share of the other one counts as nothing, for the words `new` and `gone`."""


@dataclass(frozen=True, slots=True)
class _Series:
    times: Times
    seconds: Floats
    values: Floats


def find_onset(times: Times, values: Floats, until: datetime | None = None) -> Onset | None:
    """The onset of one series; see `find_onsets`."""
    return find_onsets([times], [values], until)[0]


def find_onsets(times: Sequence[Times], values: Sequence[Floats], until: datetime | None = None) -> list[Onset | None]:
    """The onset of each series, looking only at samples up to and with `until` (aware; None means all).

    `times` are datetime64 in UTC, `values` float64 in any order; values that are not finite are left out. None means no
    change that noise, smooth growth or a lone outlier would not explain. A lasting change goes before one that
    recovered (shape `spike`).
    """
    series = [_clean(t, v, until) for t, v in zip(times, values, strict=True)]
    onsets: list[Onset | None] = [None] * len(series)
    for rows in _alike(series):
        for row, departure in zip(rows, _search([series[i] for i in rows]), strict=True):
            onsets[row] = _onset(series[row], departure) if departure else None
    return onsets


def _clean(times: Times, values: Floats, until: datetime | None) -> _Series:
    """Sorted, finite, one value (the mean) per moment, nothing after `until`."""
    moments = np.asarray(times, dtype="datetime64[us]").astype(np.int64)
    numbers = np.asarray(values, dtype=np.float64)
    keep = np.isfinite(numbers)
    if until is not None:
        keep &= moments <= np.datetime64(until.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64)
    order = np.argsort(moments[keep], kind="stable")
    moments, numbers = moments[keep][order], numbers[keep][order]
    if np.any(moments[1:] == moments[:-1]):
        moments, place = np.unique(moments, return_inverse=True)
        numbers = np.bincount(place, weights=numbers) / np.bincount(place)
    seconds = (moments - moments[0]) / 1e6 if len(moments) else np.zeros(0)
    return _Series(moments.astype("datetime64[us]"), seconds, numbers)


def _alike(series: Sequence[_Series]) -> Iterator[list[int]]:
    """Row numbers of series that can change at all, in panels of similar length."""
    usable = [i for i, s in enumerate(series) if len(s.values) >= FEWEST_SAMPLES and np.ptp(s.values) > 0]
    usable.sort(key=lambda i: len(series[i].values))
    for begin in range(0, len(usable), PANEL_ROWS):
        yield usable[begin : begin + PANEL_ROWS]


def _search(series: Sequence[_Series]) -> list[Departure | None]:
    """The departure of each series of one panel, in indices of the series' own samples."""
    found: list[Departure | None] = [None] * len(series)
    panel = _panel(series)
    look = np.flatnonzero(_worth_a_look(panel))
    if look.size == 0:
        return found
    panel = panel[look]
    stretches = [_stretch(series[i], panel.values.shape[1]) for i in look]
    episodes = _episodes(panel, stretches)
    again = np.array([i for i, episode in enumerate(episodes) if episode is None], dtype=np.intp)
    for row, episode in zip(again, _behind_bumps(panel, stretches, again), strict=True):
        episodes[row] = episode
    for row, episode in zip(look, episodes, strict=True):
        pad = panel.values.shape[1] - len(series[row].values)
        found[row] = _shifted(episode, pad) if episode else None
    return found


def _episodes(panel: Panel, stretches: list[Stretch]) -> list[Departure | None]:
    """What each series did. What already belongs to an answer counts no longer in `stretches` afterwards."""
    bumps = _bumps(panel, stretches)
    lasting = _lasting(panel, stretches)
    return [_episode(passed, change) for passed, change in zip(bumps, lasting, strict=True)]


def _behind_bumps(panel: Panel, stretches: list[Stretch], rows: Ints) -> list[Departure | None]:
    """A second look at the series of which nothing came out, with what stands out of their running median masked."""
    found: list[Departure | None] = [None] * len(rows)
    bumps = {int(row): passing_bumps(stretches[row]) for row in rows}
    bumpy = [place for place, row in enumerate(rows) if bumps[int(row)]]
    if not bumpy:
        return found
    part, chosen = panel[rows[bumpy]], [stretches[row] for row in rows[bumpy]]
    for place, row in enumerate(rows[bumpy]):
        _mask(part, chosen, place, bumps[int(row)])
    for place, episode in zip(bumpy, _episodes(part, chosen), strict=True):
        found[place] = episode
    return found


def _panel(series: Sequence[_Series]) -> Panel:
    """Series as rows that end together; the front is padded with the first value, at weight 0."""
    width = max(len(s.values) for s in series)
    times, values, weights = (np.zeros((len(series), width)) for _ in range(3))
    for row, one in enumerate(series):
        pad = width - len(one.values)
        times[row, pad:] = one.seconds / max(one.seconds[-1], 1e-9)
        values[row, :pad], values[row, pad:] = one.values[0], one.values
        weights[row, pad:] = 1.0
    values -= np.median(values, axis=1, keepdims=True)
    calm = tempered(values)
    scale = np.sqrt(np.mean(calm * calm, axis=1, keepdims=True))
    return Panel(times, calm / np.where(scale > 0, scale, 1.0), weights)


def _stretch(series: _Series, width: int) -> Stretch:
    pad = width - len(series.values)
    return Stretch(
        np.concatenate([np.zeros(pad), series.seconds]),
        np.concatenate([np.full(pad, series.values[0]), series.values]),
        np.arange(width) >= pad,
    )


def _worth_a_look(panel: Panel) -> Bools:
    smooth = median_of_three(panel.values)
    centre = np.median(panel.values, axis=1, keepdims=True)
    blocks = np.array_split(smooth, min(CALM_BLOCKS, smooth.shape[1] // 3 + 1), axis=1)
    levels = np.stack([np.median(block, axis=1) for block in blocks], axis=1)
    inner = np.concatenate(
        [v - np.median(v, axis=1, keepdims=True) for v in np.array_split(panel.values, len(blocks), axis=1)], axis=1
    )
    spread = spread_of(inner)
    extreme = np.max(np.abs(smooth - centre), axis=1)
    return (extreme >= CALM_EXTREME * spread_of(panel.values - centre)) | (
        np.ptp(levels, axis=1) >= CALM_RANGE * spread
    )


def _enough(breaks: Breaks, place: int, departure: Departure, samples: int) -> bool:
    """Whether smooth growth is beaten by the margin; a change after a constant only has to beat it."""
    flat = departure.size >= LARGEST_SIZE and departure.normal >= FLAT_LENGTH
    margin = 0.0 if flat else MARGIN + MARGIN_OF_SHORT / samples
    return bool(breaks.score[place] >= margin or (departure.apart and breaks.loose_score[place] >= margin))


def _bumps(panel: Panel, stretches: list[Stretch]) -> list[list[Departure]]:
    """Deviations that recovered, per series; they no longer count in the stretches and the panel afterwards."""
    found: list[list[Departure]] = [[] for _ in stretches]
    rows = np.arange(len(stretches))
    for _ in range(MOST_BUMPS):
        breaks = find_breaks(panel[rows])
        going: list[int] = []
        for place in np.flatnonzero((breaks.loose_score > 0) & breaks.bump):
            row = int(rows[place])
            departure = _believed(stretches[row], breaks, int(place))
            if departure is not None:
                found[row].append(departure)
                _mask(panel, stretches, row, [departure])
                going.append(row)
        rows = np.array(going, dtype=np.intp)
        if not going:
            break
    return found


def _mask(panel: Panel, stretches: list[Stretch], row: int, bumps: list[Departure]) -> None:
    counts = stretches[row].counts.copy()
    for bump in bumps:
        counts[bump.first : bump.last + 1] = False
    stretches[row] = replace(stretches[row], counts=counts)
    panel.weights[row] = counts


def _believed(stretch: Stretch, breaks: Breaks, place: int) -> Departure | None:
    start, stop = int(breaks.start[place]), int(breaks.stop[place])
    departure = depart(stretch, start, stop, bool(breaks.bump[place]), bool(breaks.trended[place]))
    if departure is None or not _enough(breaks, place, departure, int(np.count_nonzero(stretch.counts))):
        return None
    return departure


def _lasting(panel: Panel, stretches: list[Stretch]) -> list[Departure | None]:
    """The lasting change of each series, taken back to its earliest stage."""
    found = [after_constant(stretch) for stretch in stretches]
    rows = np.array([row for row, departure in enumerate(found) if departure is None], dtype=np.intp)
    for _ in range(1 + MOST_STAGES):
        if rows.size == 0:
            break
        breaks = find_breaks(panel[rows], LASTING)
        going: list[int] = []
        for place in np.flatnonzero(breaks.loose_score > 0):
            row = int(rows[place])
            stage = _believed(stretches[row], breaks, int(place))
            whole = found[row]
            if stage is None or (whole is not None and not _same_story(stage, whole)):
                continue
            found[row] = stage if whole is None else _joined(stage, whole)
            stretches[row] = stretches[row].before(stage.first)
            panel.weights[row] = stretches[row].counts
            going.append(row)
        rows = np.array(going, dtype=np.intp)
    return found


def _same_story(stage: Departure, whole: Departure) -> bool:
    total = abs(whole.after - stage.before)
    return stage.up == whole.up and abs(stage.after - stage.before) >= STAGE_SHARE * total


def _joined(stage: Departure, whole: Departure) -> Departure:
    """The whole change, begun with its earlier stage."""
    shift, move = abs(whole.after - stage.before), abs(stage.after - stage.before)
    size = min(LARGEST_SIZE, stage.size * shift / move) if move else stage.size
    changed = stage.changed + whole.changed
    return replace(stage, last=whole.last, after=whole.after, size=size, changed=changed)


def _episode(bumps: list[Departure], lasting: Departure | None) -> Departure | None:
    """What the series did: the lasting change, unless a bump ran straight into it; else the loudest bump."""
    if lasting is None:
        return max(bumps, key=lambda bump: (abs(bump.after - bump.before), -bump.first), default=None)
    for bump in bumps:
        if 0 <= lasting.first - bump.last <= BRIEF:
            changed = bump.changed + lasting.changed
            return replace(bump, last=bump.rough, recovered=False, changed=changed)
    return lasting


def _shifted(departure: Departure, pad: int) -> Departure:
    """The same departure in indices without padding."""
    first = max(0, departure.first - pad)
    return replace(departure, first=first, last=departure.last - pad, rough=departure.rough - pad)


def _onset(series: _Series, departure: Departure) -> Onset:
    first = departure.first
    at = series.times[first].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    return Onset(
        at=at,
        uncertainty=timedelta(seconds=_uncertainty(series, departure)),
        direction="up" if departure.up else "down",
        before=departure.before,
        after=departure.after,
        size=departure.size,
        shape=_shape(departure),
    )


def _uncertainty(series: _Series, departure: Departure) -> float:
    """At least the gap to the sample before; more when the break and the band disagree, or when the shift is small."""
    first = departure.first
    step = float(np.median(np.diff(series.seconds)))
    gap = float(series.seconds[first] - series.seconds[first - 1]) if first else step
    moved = abs(departure.rough - first) * step
    rise = 1 if departure.recovered else max(1, departure.last - departure.rough + 1)
    return max(gap, step, 0.5 * moved, 1.5 * step * (rise / departure.size) ** (2 / 3))


def _shape(departure: Departure) -> str:
    if departure.recovered:
        return "spike"
    if departure.last - departure.rough + 1 > BRIEF:
        return "ramp"
    if abs(departure.before) <= ZERO_SHARE * abs(departure.after):
        return "new"
    if abs(departure.after) <= ZERO_SHARE * abs(departure.before):
        return "gone"
    return "step"
