"""Did demand grow? A surge enters at the edge and reaches every tier by about the same factor."""

from __future__ import annotations

from statistics import median

from agent.analysis.observed import Level
from agent.analysis.scene import Scene
from agent.figures import quantity
from agent.incident import Claim, GoldenSignal

ENTERS = 2.5
"""The edge carries the surge and the inner services carry no more than the edge."""
NOT_ENTERING = -3.0
SURGE_FROM = 1.3
"""Less than a third more requests is the ordinary change of a day."""
MULTIPLIES_FROM = 1.6
"""An inner service whose load grew by this factor more than the edge's is multiplied inside, not by demand."""


def demand(scene: Scene) -> list[Claim]:
    """Demand comes in at the edge: its request rate grew, and no inner service grew much more than it."""
    growth = {level.service: level for level in _traffic(scene)}
    entries = [s for s in edge(scene) if s in growth] or [scene.symptom.service]
    at_edge = [growth[s] for s in entries if s in growth]
    if not at_edge:
        return []
    ratio = max(_ratio(level) for level in at_edge)
    top = max(at_edge, key=_ratio)
    if ratio < SURGE_FROM:
        now, was = quantity(top.after, top.unit), quantity(top.before, top.unit)
        text = f"{top.service} {top.metric} stays at {now} (was {was}): no surge enters"
        return [Claim(text=text, evidence=(top.evidence,), weight=NOT_ENTERING)]
    inner = [growth[s] for s in growth if s not in entries]
    multiplied = [x for x in inner if _ratio(x) > MULTIPLIES_FROM * ratio]
    if multiplied:
        worst = max(multiplied, key=_ratio)
        grew = f"{worst.service} {worst.metric} grew {_ratio(worst):.1f}-fold"
        text = f"{grew} while the edge grew {ratio:.1f}-fold: the load is multiplied inside"
        return [Claim(text=text, evidence=(worst.evidence, top.evidence), weight=NOT_ENTERING)]
    typical = median([_ratio(x) for x in (*at_edge, *inner)])
    text = f"requests grew {ratio:.1f}-fold at the edge ({top.service}) and {typical:.1f}-fold in the middle"
    return [Claim(text=text, evidence=(top.evidence,), weight=ENTERS)]


def _traffic(scene: Scene) -> list[Level]:
    return [x for x in scene.observations.levels if x.golden is GoldenSignal.TRAFFIC and x.before > 0]


def _ratio(level: Level) -> float:
    return level.after / level.before if level.before > 0 else 1.0


def edge(scene: Scene) -> list[str]:
    """Services that nobody in the graph calls, those with calls of their own first."""
    roots = [s for s in scene.graph if scene.graph.in_degree(s) == 0 and scene.graph.out_degree(s) > 0]
    return sorted(roots)
