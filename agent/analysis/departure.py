"""From a rough break of one series to the sample where it left its normal band, and whether to believe it.

Deviations are measured from the normal part of the same series: its median (or the straight line it followed) and its
robust spread. Flat normal parts have a spread of 0; then any lasting difference is infinitely far away, and what has to
be judged is only how many samples say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agent.analysis.breaks import Bools
from agent.analysis.robust import Floats, median_of_three, spread_of

LARGEST_SIZE = 1000.0
"""Sizes are capped here: against a flat normal part every change is infinitely large."""

BAND = 3.0
"""Half width of the normal band in spreads; one normal sample in 370 lies outside."""

MIN_SIZE = 2.0
"""A lasting shift below two spreads overlaps its own noise: nobody would call it a change."""

MIN_SIZE_ON_TREND = 4.0
"""On a sloping baseline, where the slope itself is only estimated."""

MIN_SIZE_OF_BUMP = 5.0
"""A deviation that recovered has to be clear, because a series offers many places for one."""

ENOUGH_SAMPLES = 5
"""From so many samples on each side the score of the break speaks for itself; below, `_too_rare` has to agree."""

RARE = 5e-4
"""Probability, under no change, of so many neighbouring samples all beyond the rest."""

FAR = 6.0
"""Two samples this many spreads away convince without a probability."""

ALONE = 1.5
"""A short bump has to rise above all that is normal by half: heavy-tailed noise has its own peaks."""

FEWEST_ON_FLAT = 3
"""Two neighbouring counts among zeros happen by chance somewhere in a long series."""

ROUNDS = 6
"""Each round narrows the normal part and with it the band; six reach the start of any ramp that fits."""

RISEN = 0.7
"""Share of the new level at which a rise from a constant counts as over."""

NEARLY_ALL = 0.9
"""Share of equal samples that makes a constant."""

MOST = 0.6
"""After a constant, at least this share of the samples has to differ: a few counts among zeros are no ramp."""

FLAT_LENGTH = 8
"""A constant is a normal part once it has been seen this often."""

RELATIVE_NOISE = 1e-9
"""Differences below this share of a series' largest deviation are rounding."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One series as the search sees it: seconds, values and which samples count (a masked one belongs to a bump)."""

    seconds: Floats
    values: Floats
    counts: Bools

    def before(self, index: int) -> Stretch:
        """The same series with nothing counting from `index` on."""
        earlier = np.arange(len(self.values)) < index
        return replace(self, counts=self.counts & earlier)


@dataclass(frozen=True, slots=True)
class Departure:
    """A believed change of one series. Indices count the samples of the series."""

    first: int
    """First sample outside the normal band."""
    last: int
    """Last sample of the rise, or of the deviation when it recovered."""
    rough: int
    """First changed sample according to the break alone; how far it is from `first` tells the uncertainty."""
    up: bool
    before: float
    after: float
    size: float
    """Shift in spreads of the normal part, capped at 1000."""
    recovered: bool
    normal: int
    """Samples of the normal part."""
    changed: int
    """Samples that show the change."""
    apart: bool
    """True when no normal sample reaches the changed level, which lies six spreads away, or for a clear bump."""


def depart(stretch: Stretch, start: int, stop: int, bump: bool = False, trended: bool = False) -> Departure | None:
    """Check the break (`start` last sample before, `stop` end of the rise or bump); None when it does not convince."""
    if bump:
        return _depart_and_return(stretch, start, stop, trended)
    first = start + 1 + int(np.argmax(stretch.counts[start + 1 :]))
    for _ in range(ROUNDS):
        deviation, normal = _from_normal(stretch, stretch.counts & _until(stretch, first), trended)
        changed = _changed_part(stretch, start, stop, deviation)
        level, spread = float(np.median(changed)), _spread(normal)
        sign = 1.0 if level > 0 else -1.0
        earlier = _walk_back(sign * deviation, stretch.counts, first, BAND * spread)
        if earlier == first:
            break
        first = earlier
    after = sign * deviation[stretch.counts & ~_until(stretch, first)]
    size = _size(level, spread)
    if size < (MIN_SIZE_ON_TREND if trended else MIN_SIZE) or not _convincing(sign * normal, after, spread):
        return None
    if spread == 0:
        first = _walk_on(sign * deviation, stretch.counts, first)
    before = float(stretch.values[first] - deviation[first])
    apart = _apart(sign * normal, sign * changed, spread)
    return Departure(
        first, stop, start + 1, sign > 0, before, before + level, size, False, len(normal), len(after), apart
    )


def after_constant(stretch: Stretch) -> Departure | None:
    """The departure of a series that was one constant from its first sample and left it for good; else None.

    Such a change needs no model: whatever it grows into, it starts where the constant ends.
    """
    place = np.flatnonzero(stretch.counts)
    smooth = median_of_three(stretch.values[place][None, :])[0]
    same = smooth == smooth[0]
    last = int(np.flatnonzero(same)[-1])
    if last + 1 < FLAT_LENGTH or last + 1 >= len(place) or np.mean(same[: last + 1]) < NEARLY_ALL:
        return None
    deviation = np.abs(smooth - smooth[0])[last + 1 :]
    risen = int(np.argmax(deviation >= RISEN * np.median(deviation)))
    departure = depart(stretch, int(place[last]), int(place[last + 1 + risen]))
    return departure if departure is not None and departure.size >= LARGEST_SIZE else None


def _until(stretch: Stretch, index: int) -> Bools:
    return np.arange(len(stretch.values)) < index


def _from_normal(stretch: Stretch, normal: Bools, trended: bool) -> tuple[Floats, Floats]:
    """Deviation of every sample from the normal level (or line), and that of the normal samples alone."""
    level = np.full(len(stretch.values), np.median(stretch.values[normal]))
    if trended:
        level = _line(stretch, normal)
    deviation = stretch.values - level
    return deviation, deviation[normal]


def _line(stretch: Stretch, normal: Bools) -> Floats:
    """Straight line through the normal samples; slope between the medians of its thirds (Tukey's resistant line)."""
    seconds, values = stretch.seconds[normal], stretch.values[normal]
    third = max(1, len(values) // 3)
    run = float(np.median(seconds[-third:]) - np.median(seconds[:third]))
    slope = float(np.median(values[-third:]) - np.median(values[:third])) / run if run > 0 else 0.0
    level = values - slope * seconds
    return slope * stretch.seconds + np.median(level)


def _spread(deviation: Floats) -> float:
    return float(spread_of(deviation[None, :])[0]) if deviation.size else 0.0


def _size(shift: float, spread: float) -> float:
    if spread <= abs(shift) / LARGEST_SIZE:
        return LARGEST_SIZE if shift else 0.0
    return abs(shift) / spread


def _changed_part(stretch: Stretch, start: int, stop: int, deviation: Floats) -> Floats:
    """Deviations of the changed level: after the rise; of a rise that lasts to the end, its last quarter."""
    after = np.flatnonzero(stretch.counts & ~_until(stretch, stop))
    if len(after) < 2:
        rising = np.flatnonzero(stretch.counts & ~_until(stretch, start + 1))
        after = rising[-max(2, len(rising) // 4) :]
    return deviation[after]


def _walk_back(deviation: Floats, counts: Bools, first: int, band: float) -> int:
    """The first sample of the run outside the band that leads up to `first`; lone samples inside do not end it."""
    smooth = median_of_three(deviation[None, :])[0]
    outside = smooth > max(band, RELATIVE_NOISE * float(np.max(np.abs(deviation), initial=0.0)))
    outside &= counts
    while first > 0 and outside[first - 1]:
        first -= 1
    return first


def _walk_on(deviation: Floats, counts: Bools, first: int) -> int:
    """After a constant, the first sample that differs from it."""
    later = np.flatnonzero(counts & (deviation > 0) & (np.arange(len(deviation)) >= first))
    return int(later[0]) if later.size else first


def _convincing(normal: Floats, changed: Floats, spread: float) -> bool:
    """Whether few samples on one side are enough. Deviations are signed so that the change is upwards."""
    if spread == 0 and np.mean(changed > np.max(normal)) < MOST:
        return False
    if min(len(normal), len(changed)) >= ENOUGH_SAMPLES:
        return True
    if _too_rare(normal, changed):
        return True
    if spread > 0:
        return len(normal) >= ENOUGH_SAMPLES and float(np.min(changed)) >= FAR * spread
    return len(normal) >= FLAT_LENGTH and float(np.min(changed)) > 0


def _apart(normal: Floats, changed: Floats, spread: float) -> bool:
    lowest = float(np.min(changed))
    return len(normal) >= FLAT_LENGTH and lowest >= FAR * spread and lowest > float(np.max(normal))


def _too_rare(normal: Floats, changed: Floats) -> bool:
    """Run test: all samples of the shorter side lie beyond the share of the longer side that this would happen to."""
    if len(changed) <= len(normal):
        run, share = len(changed), (np.count_nonzero(normal >= np.min(changed)) + 1) / (len(normal) + 2)
    else:
        run, share = len(normal), (np.count_nonzero(changed <= np.max(normal)) + 1) / (len(changed) + 2)
    return run * float(np.log(share)) <= float(np.log(RARE))


def _depart_and_return(stretch: Stretch, start: int, stop: int, trended: bool) -> Departure | None:
    inside = np.zeros(len(stretch.values), dtype=bool)
    inside[start + 1 : stop + 1] = True
    deviation, normal = _from_normal(stretch, stretch.counts & ~inside, trended)
    sign = 1.0 if float(np.median(deviation[stretch.counts & inside])) > 0 else -1.0
    band = BAND * _spread(normal)
    first = _walk_back(sign * deviation, stretch.counts, start + 1, band)
    last = len(inside) - 1 - _walk_back(sign * deviation[::-1], stretch.counts[::-1], len(inside) - 1 - stop, band)
    inside[first : last + 1] = True
    deviation, normal = _from_normal(stretch, stretch.counts & ~inside, trended)
    changed, spread = sign * deviation[stretch.counts & inside], _spread(normal)
    level = float(np.median(np.sort(changed)[len(changed) // 2 :]))
    size = _size(level, spread)
    if size < MIN_SIZE_OF_BUMP or not _clear_bump(sign * normal, changed, spread):
        return None
    earlier = stretch.values[stretch.counts & _until(stretch, first)]
    before = (
        float(np.median(earlier)) if len(earlier) >= ENOUGH_SAMPLES else float(stretch.values[first] - deviation[first])
    )
    after = float(stretch.values[first] - deviation[first]) + sign * level
    return Departure(first, last, start + 1, sign > 0, before, after, size, True, len(normal), len(changed), apart=True)


def _clear_bump(normal: Floats, changed: Floats, spread: float) -> bool:
    """A bump may stand anywhere, so its run has to be rarer than a run at the end by the number of places."""
    core = np.sort(changed)[len(changed) // 4 :] if len(changed) >= ENOUGH_SAMPLES else changed
    lowest, highest = float(np.min(core)), float(np.max(normal, initial=0.0))
    share = (np.count_nonzero(normal >= lowest) + 1) / (len(normal) + 2)
    if np.log(len(normal)) + len(core) * np.log(share) <= np.log(RARE):
        return True
    if spread == 0:
        return len(changed) >= FEWEST_ON_FLAT and lowest > highest
    return lowest >= FAR * spread and lowest >= ALONE * highest
