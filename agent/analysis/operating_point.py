"""Would the new value have bitten? A limit is held against the level at which the system ran before.

A deadline cut from 8 s to 5 s cannot fail calls that took 0.4 s; a pool cut from 50 to 10 fails a service that used 14.
"""

from __future__ import annotations

from agent.analysis.edits import Edit
from agent.analysis.scene import Scene
from agent.figures import quantity
from agent.incident import Claim, GoldenSignal

BITES_FROM = 0.8
"""From this share of the new limit on, ordinary variation crosses it."""
SAFE_UNTIL = 0.5
"""Below this share a limit is out of reach of ordinary variation."""
CONFIRMED = 2.0
REFUTED = -3.0
"""Nats; both rest on a measured level, which is why refuting weighs more than most single traits."""
SETTING_SHOWN = 2.5
SETTING_TOLERANCE = 0.02


def judge(scene: Scene, targets: tuple[str, ...], edit: Edit, kind: str | None) -> Claim | None:
    """A weighted claim about whether the edited limit bites, or None where nothing was measured that tells."""
    if edit.number_before is None or edit.number_after is None:
        return None
    shown = _shown_by_telemetry(scene, edit)
    if shown is not None:
        return shown
    if kind == "deadline" and edit.lowered:
        return _deadline(scene, targets, edit)
    if kind == "ceiling" and edit.lowered:
        return _ceiling(scene, targets, edit)
    return None


def _shown_by_telemetry(scene: Scene, edit: Edit) -> Claim | None:
    before, after = edit.number_before, edit.number_after
    if before is None or after is None or min(before, after) < 2:
        return None  # a gauge that goes from 0 to 1 proves nothing about a setting
    for level in scene.observations.levels:
        if _close(level.before, before) and _close(level.last, after):
            return Claim(
                text=f"{level.service} {level.metric} goes from {before:g} to {after:g}, as the diff does",
                evidence=(level.evidence,),
                weight=SETTING_SHOWN,
            )
    return None


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= SETTING_TOLERANCE * max(abs(b), 1e-9)


def _deadline(scene: Scene, targets: tuple[str, ...], edit: Edit) -> Claim | None:
    limit_ms = (edit.number_after or 0.0) * (1000.0 if edit.unit == "s" else 1.0)
    known = [*_latencies(scene, targets), *_call_durations(scene, targets)]
    if limit_ms <= 0 or not known:
        return None
    slowest, what, evidence = max(known)
    share = slowest / limit_ms
    usual, new = f"{what} took {quantity(slowest, 'ms')} before", quantity(limit_ms, "ms")
    if share >= BITES_FROM:
        text = f"{usual}, more than the new limit of {new} allows"
        return Claim(text=text, evidence=(evidence,), weight=CONFIRMED)
    if share <= SAFE_UNTIL:
        text = f"{usual}, far below the new limit of {new}"
        return Claim(text=text, evidence=(evidence,), weight=REFUTED)
    text = f"{usual}, below the new limit of {new}"
    return Claim(text=text, evidence=(evidence,), weight=REFUTED / 2)


def _latencies(scene: Scene, targets: tuple[str, ...]) -> list[tuple[float, str, str]]:
    """Normal latency (ms) of the changed services, from their own latency series."""
    return [
        (
            level.p95_before * (1000.0 if level.unit in {"s", "seconds"} else 1.0),
            f"{level.service} {level.metric}",
            level.evidence,
        )
        for level in scene.observations.levels
        if level.service in targets
        and level.golden is GoldenSignal.LATENCY
        and level.unit in {"ms", "s", "seconds", "milliseconds"}
    ]


def _call_durations(scene: Scene, targets: tuple[str, ...]) -> list[tuple[float, str, str]]:
    """Normal duration (ms) of the calls that the changed services make."""
    return [
        (o.duration_before, f"{o.service} {o.name}", o.evidence)
        for o in scene.observations.operations
        if o.duration_before is not None
        and (o.parent_service in targets or (o.service in targets and o.kind == "client"))
    ]


def _ceiling(scene: Scene, targets: tuple[str, ...], edit: Edit) -> Claim | None:
    limit = edit.number_after or 0.0
    used = [
        level
        for level in scene.observations.levels
        if level.service in targets
        and level.golden is GoldenSignal.SATURATION
        and level.resource is not None
        and level.before > 0
    ]
    reached = [
        x for x in used if _close(x.last, limit) or (x.p95_before >= BITES_FROM * limit and x.last <= limit * 1.1)
    ]
    if not reached or limit <= 0:
        return None
    level = max(reached, key=lambda x: x.p95_before)
    was, now = quantity(level.p95_before), quantity(level.last)
    text = f"{level.service} {level.metric} used {was} before and now stays at {now}, the new limit of {limit:g}"
    return Claim(text=text, evidence=(level.evidence,), weight=CONFIRMED)
