"""What each of many series did: its lasting change, or a deviation that recovered.

Deviations that recovered are masked first, so that an earlier, harmless one does not hide the incident; then the lasting
change is sought, and inside its own normal part an earlier stage of the same change (a pool that fills slowly before it
overflows).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.analysis.metrics.breaks import LASTING, Breaks, find_breaks
from agent.analysis.metrics.bumps import passing_bumps
from agent.analysis.metrics.departure import FLAT_LENGTH, LARGEST_SIZE, Departure, Stretch, after_constant, depart
from agent.analysis.metrics.scan import Ints, Panel

MARGIN = 8.0
MARGIN_OF_SHORT = 120.0
"""A break has to beat smooth growth by 8 + 120 / samples units of BIC: measured, so that noise passes in well under
one series of a hundred."""

MOST_BUMPS = 3
MOST_STAGES = 3
"""Deviations that recovered, and earlier stages of a lasting one, that are looked for in a series."""

STAGE_SHARE = 0.05
"""An earlier move below this share of the whole change is another, smaller story."""

BRIEF = 2
"""A bump that ends so few samples before the lasting change belongs to it."""


def search(panel: Panel, stretches: list[Stretch]) -> list[Departure | None]:
    """The departure of each series; `panel` and `stretches` hold the same series, in indices of the padded panel."""
    found = _episodes(panel, stretches)
    again = np.array([row for row, departure in enumerate(found) if departure is None], dtype=np.intp)
    for row, departure in _behind_bumps(panel, stretches, again):
        found[row] = departure
    return found


def _episodes(panel: Panel, stretches: list[Stretch]) -> list[Departure | None]:
    weights, kept = panel.weights.copy(), list(stretches)
    part = replace(panel, weights=weights)
    bumps = _bumps(part, kept)
    lasting = _lasting(part, kept)
    return [_episode(passed, change) for passed, change in zip(bumps, lasting, strict=True)]


def _behind_bumps(panel: Panel, stretches: list[Stretch], rows: Ints) -> list[tuple[int, Departure | None]]:
    """A second look at some series of which nothing came out, without what stands out of their running median."""
    bumps = {int(row): passing_bumps(stretches[row]) for row in rows}
    bumpy = [row for row, passed in bumps.items() if passed]
    if not bumpy:
        return []
    part, chosen = panel[np.array(bumpy)], [stretches[row] for row in bumpy]
    for place, row in enumerate(bumpy):
        _mask(part, chosen, place, bumps[row])
    return list(zip(bumpy, _episodes(part, chosen), strict=True))


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
    return replace(stage, last=whole.last, after=whole.after, size=size)


def _episode(bumps: list[Departure], lasting: Departure | None) -> Departure | None:
    """What the series did: the lasting change, unless a bump ran straight into it; else the loudest bump."""
    if lasting is None:
        return max(bumps, key=lambda bump: (abs(bump.after - bump.before), -bump.first), default=None)
    for bump in bumps:
        if 0 <= lasting.first - bump.last <= BRIEF:
            return replace(bump, last=bump.rough, recovered=False)
    return lasting
