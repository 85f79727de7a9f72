from __future__ import annotations

from agent.analysis.links import CAP, links
from agent.analysis.scene import Scene
from tests.agent.analysis.scenes import deploy, incident, logged, patch

ENUM = patch(
    "desk/event.ts",
    "-export type Reason = 'DAMAGED' | 'LATE';\n+export type Reason = 'DAMAGED' | 'LATE' | 'NOT_GIVEN';",
)


def linked(change, *signals, others=()):
    scene = Scene(*incident(signals=signals, changes=(change, *others)))
    return links(scene, change, scene.readings[change.id].edits)


def test_a_literal_that_failing_lines_repeat_links() -> None:
    claim = linked(deploy("a", "desk", -5, ENUM), logged("web", "cannot read Reason from String NOT_GIVEN"))
    assert claim is not None
    assert "not_given" in claim.text
    assert 0 < claim.weight <= CAP
    assert len(claim.evidence) >= 2


def test_information_links_nothing() -> None:
    assert linked(deploy("a", "desk", -5, ENUM), logged("web", "value NOT_GIVEN", severity="INFO")) is None


def test_a_name_that_many_diffs_share_links_nothing() -> None:
    others = tuple(deploy(f"o{i}", "desk", -5 - i, ENUM) for i in range(4))
    claim = linked(deploy("a", "desk", -5, ENUM), logged("web", "cannot read NOT_GIVEN"), others=others)
    assert claim is None
