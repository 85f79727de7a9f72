from __future__ import annotations

from agent.analysis.mitigation import MANNERS, propose
from agent.analysis.ranking import rank
from tests.agent.analysis.scenes import deploy, incident, patch
from tests.agent.analysis.test_guilt import POOL_DIFF, pool_signals
from tools.evidence import OperationKind

CALLS = (("web", "shop"),)


def proposed(*changes):
    scene = incident(signals=pool_signals(), calls=CALLS, changes=tuple(changes))
    return propose(rank(*scene).diagnosis, scene[0])


def test_a_deploy_is_rolled_back_to_the_version_before() -> None:
    first = deploy("old", "shop", -50, None, version="v1")
    (best, *_) = proposed(first, deploy("a", "shop", -8, POOL_DIFF, version="v2"))
    assert best.operation.kind is OperationKind.ROLLBACK
    assert best.operation.target == "shop"
    assert best.operation.arguments["from"] == "v2"
    assert best.operation.arguments["to"] == "v1"
    assert best.reason.evidence
    assert "shop" in best.touches


def test_configuration_is_reverted_without_a_build() -> None:
    diff = patch("deploy/shop/values.yaml", " pool:\n-  maxConnections: 60\n+  maxConnections: 12")
    (best, *_) = proposed(deploy("a", "shop", -8, diff, files=("deploy/shop/values.yaml",)))
    assert best.operation.kind is OperationKind.REVERT_CONFIG


def test_the_digest_names_the_exact_operation() -> None:
    one = proposed(deploy("a", "shop", -8, POOL_DIFF, version="v2"))[0]
    other = proposed(deploy("a", "shop", -8, POOL_DIFF, version="v3"))[0]
    assert one.operation.digest != other.operation.digest
    assert one.id != other.id


def test_every_operation_of_the_catalogue_has_its_manner() -> None:
    assert set(MANNERS) == set(OperationKind)
