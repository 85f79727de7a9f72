from __future__ import annotations

from agent.analysis.links import CAP, links, words_in
from agent.analysis.scene import Scene
from tests.agent.analysis.scenes import deploy, incident, logged, patch
from tools.evidence import ChangeKind

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


def test_the_words_of_a_flag_link_to_an_operation_of_that_name() -> None:
    flag = deploy("f", "desk", -1, None, files=(), version=None).model_copy(
        update={"kind": ChangeKind.FLAG, "title": "related-products", "commit": None}
    )
    claim = linked(flag, logged("web", "slow: SQL related products"))
    assert claim is not None
    assert claim.text.startswith("the flag and the failing signals share “related products”")
    alone = flag.model_copy(update={"title": "related"})
    assert linked(alone, logged("web", "slow: SQL related products")) is None


def test_words_of_a_name_in_any_case() -> None:
    assert words_in("related-products") == words_in("relatedProducts") == words_in("RELATED_PRODUCTS")
