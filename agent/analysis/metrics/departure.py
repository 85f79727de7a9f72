"""From a rough break of one series to the sample where it left its normal band, and whether to believe it.

Deviations are measured from the normal part of the same series: its median (or the straight line it followed) and its
robust spread. Flat normal parts have a spread of 0; then any lasting difference is infinitely far away, and what has to
be judged is only how many samples say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agent.analysis.metrics.robust import Floats, median_of_three, middle_of, spread_of
from agent.analysis.metrics.scan import Bools

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

BY_CHANCE = 2
FOOT = 0.25
"""Up to so many samples below this share of a step, and not twice as far as the band, do not belong to it."""

ROUNDS = 6
"""Each round narrows the normal part and with it the band; six reach the start of any ramp that fits."""

RISEN = 0.7
"""Share of the new level at which a rise from a constant counts as over."""

NEARLY_ALL = 0.9
"""Share of equal samples that makes a constant."""

MOST = 0.6
"""After a constant, at least this share of the samples has to differ: a few counts among zeros are no ramp."""

CLEAR_OF = 4.0
"""Spreads between the normal level and the lowest changed sample of a change that stands apart."""

REACHED = 0.2
"""Share of the normal samples that may reach the changed level: an earlier spike belongs to what is normal, too."""

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
    apart: bool
    """True when hardly a normal sample reaches the changed level, four spreads away, and for a clear bump."""


@dataclass(frozen=True, slots=True)
class _View:
    """A series seen from its normal part, signed so that the change is upwards."""

    level: Floats
    """The normal level (or line) at every sample, in the units of the series."""
    deviation: Floats
    normal: Floats
    """Deviations of the normal samples alone."""
    changed: Floats
    """Those of the changed level."""
    spread: float
    sign: float

    @property
    def shift(self) -> float:
        return middle_of(self.changed)

    @property
    def size(self) -> float:
        """Shift in spreads, capped."""
        if self.spread <= self.shift / LARGEST_SIZE:
            return LARGEST_SIZE if self.shift else 0.0
        return self.shift / self.spread


def depart(stretch: Stretch, start: int, stop: int, bump: bool = False, trended: bool = False) -> Departure | None:
    """Check the break (`start` last sample before, `stop` end of the rise or bump); None when it does not convince."""
    if bump:
        return _depart_and_return(stretch, start, stop, trended)
    first = start + 1 + int(np.argmax(stretch.counts[start + 1 :]))
    changed = _changed_part(stretch, start, stop)
    view = _view(stretch, stretch.counts & _until(stretch, first), changed, trended)
    for _ in range(ROUNDS):
        earlier = _walk_back(view, stretch.counts, first)
        if earlier == first or (stop == start + 1 and _by_chance(view, earlier, first)):
            break
        first = earlier
        view = _view(stretch, stretch.counts & _until(stretch, first), changed, trended)
    after = view.deviation[stretch.counts & ~_until(stretch, first)]
    if view.size < (MIN_SIZE_ON_TREND if trended else MIN_SIZE) or not _convincing(view, after):
        return None
    if view.spread == 0:
        first = _walk_on(view.deviation, stretch.counts, first)
    return _departure(view, first, stop, start + 1, recovered=False, apart=_apart(view))


def _departure(view: _View, first: int, last: int, rough: int, *, recovered: bool, apart: bool) -> Departure:
    before = float(view.level[first])
    after = before + view.sign * view.shift
    normal = len(view.normal)
    return Departure(first, last, rough, view.sign > 0, before, after, view.size, recovered, normal, apart)


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
    risen = int(np.argmax(deviation >= RISEN * middle_of(deviation)))
    departure = depart(stretch, int(place[last]), int(place[last + 1 + risen]))
    return departure if departure is not None and departure.size >= LARGEST_SIZE else None


def _until(stretch: Stretch, index: int) -> Bools:
    return np.arange(len(stretch.values)) < index


def _view(stretch: Stretch, normal: Bools, changed: Bools, trended: bool) -> _View:
    level = _line(stretch, normal) if trended else np.full(len(stretch.values), middle_of(stretch.values[normal]))
    deviation = stretch.values - level
    sign = 1.0 if middle_of(deviation[changed]) > 0 else -1.0
    deviation = sign * deviation
    spread = float(spread_of(deviation[normal][None, :])[0])
    return _View(level, deviation, deviation[normal], deviation[changed], spread, sign)


def _line(stretch: Stretch, normal: Bools) -> Floats:
    """Straight line through the normal samples; slope between the medians of its thirds (Tukey's resistant line)."""
    seconds, values = stretch.seconds[normal], stretch.values[normal]
    third = max(1, len(values) // 3)
    run = middle_of(seconds[-third:]) - middle_of(seconds[:third])
    slope = (middle_of(values[-third:]) - middle_of(values[:third])) / run if run > 0 else 0.0
    return slope * stretch.seconds + middle_of(values - slope * seconds)


def _changed_part(stretch: Stretch, start: int, stop: int) -> Bools:
    """The samples of the changed level: after the rise; of a rise that lasts to the end, its last quarter."""
    after = stretch.counts & ~_until(stretch, stop)
    if np.count_nonzero(after) >= 2:
        return after
    rising = np.flatnonzero(stretch.counts & ~_until(stretch, start + 1))
    after = np.zeros(len(stretch.values), dtype=bool)
    after[rising[-max(2, len(rising) // 4) :]] = True
    return after


def _walk_back(view: _View, counts: Bools, first: int) -> int:
    """The first sample of the run outside the band that leads up to `first`; lone samples inside do not end it."""
    outside = counts & (median_of_three(view.deviation[None, :])[0] > _band(view))
    while first > 0 and outside[first - 1]:
        first -= 1
    return first


def _by_chance(view: _View, earlier: int, first: int) -> bool:
    """One or two samples just outside the band beside a step many times higher are noise rather than its foot."""
    foot = middle_of(view.deviation[earlier:first])
    return first - earlier <= BY_CHANCE and foot < min(FOOT * view.shift, 2 * _band(view))


def _band(view: _View) -> float:
    return max(BAND * view.spread, RELATIVE_NOISE * float(np.max(np.abs(view.deviation))))


def _walk_on(deviation: Floats, counts: Bools, first: int) -> int:
    """After a constant, the first sample that differs from it."""
    later = np.flatnonzero(counts & (deviation > 0) & (np.arange(len(deviation)) >= first))
    return int(later[0]) if later.size else first


def _convincing(view: _View, after: Floats) -> bool:
    """Whether so few samples on one side are enough; `after` is everything since the change began."""
    normal = view.normal
    if view.spread == 0 and np.mean(after > np.max(normal)) < MOST:
        return False
    if min(len(normal), len(after)) >= ENOUGH_SAMPLES or _too_rare(normal, after):
        return True
    if view.spread > 0:
        return len(normal) >= ENOUGH_SAMPLES and float(np.min(after)) >= FAR * view.spread
    return len(normal) >= FLAT_LENGTH and float(np.min(after)) > 0


def _apart(view: _View) -> bool:
    lowest = float(np.min(view.changed))
    if len(view.normal) < FLAT_LENGTH or lowest < CLEAR_OF * view.spread:
        return False
    return float(np.mean(view.normal >= lowest)) <= REACHED


def _too_rare(normal: Floats, changed: Floats) -> bool:
    """Run test: all samples of the shorter side lie beyond the share of the longer side that this would happen to."""
    if len(changed) <= len(normal):
        run, share = len(changed), (np.count_nonzero(normal >= np.min(changed)) + 1) / (len(normal) + 2)
    else:
        run, share = len(normal), (np.count_nonzero(changed <= np.max(normal)) + 1) / (len(changed) + 2)
    return run * float(np.log(share)) <= float(np.log(RARE))


def _depart_and_return(stretch: Stretch, start: int, stop: int, trended: bool) -> Departure | None:
    inside = ~_until(stretch, start + 1) & _until(stretch, stop + 1)
    view = _view(stretch, stretch.counts & ~inside, stretch.counts & inside, trended)
    outside = stretch.counts & (median_of_three(view.deviation[None, :])[0] > _band(view))
    first, last = start + 1, stop
    while first > 0 and outside[first - 1]:
        first -= 1
    while last + 1 < len(outside) and outside[last + 1]:
        last += 1
    inside = ~_until(stretch, first) & _until(stretch, last + 1)
    view = _view(stretch, stretch.counts & ~inside, stretch.counts & inside, trended)
    top = replace(view, changed=np.sort(view.changed)[len(view.changed) // 2 :])
    if top.size < MIN_SIZE_OF_BUMP or not _clear_bump(view):
        return None
    bump = _departure(top, first, last, start + 1, recovered=True, apart=True)
    above = np.sort(view.sign * stretch.values[stretch.counts & inside])
    earlier = stretch.values[stretch.counts & _until(stretch, first)]
    before = middle_of(earlier) if len(earlier) >= ENOUGH_SAMPLES else bump.before
    return replace(bump, before=before, after=view.sign * middle_of(above[len(above) // 2 :]))


def _clear_bump(view: _View) -> bool:
    """A bump may stand anywhere, so its run has to be rarer than a run at the end by the number of places."""
    changed, normal = view.changed, view.normal
    core = np.sort(changed)[len(changed) // 4 :] if len(changed) >= ENOUGH_SAMPLES else changed
    lowest, highest = float(np.min(core)), float(np.max(normal, initial=0.0))
    share = (np.count_nonzero(normal >= lowest) + 1) / (len(normal) + 2)
    if np.log(len(normal)) + len(core) * np.log(share) <= np.log(RARE):
        return True
    if view.spread == 0:
        return len(changed) >= FEWEST_ON_FLAT and lowest > highest
    return lowest >= FAR * view.spread and lowest >= ALONE * highest
