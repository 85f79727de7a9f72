from __future__ import annotations

import pytest

from agent.analysis.guilt import Suspicion, reached, suspect
from agent.analysis.scene import Scene
from agent.incident import GoldenSignal, Resource
from tests.agent.analysis.scenes import deploy, incident, level, logged, moved, patch
from tools.evidence import ChangeEvent, ChangeKind

POOL_DIFF = patch("pkg/db/pool.go", "-const defaultMaxConns = 60\n+const defaultMaxConns = 12")
DEADLINE_DIFF = patch(
    "services/shop/client.go",
    "-\tctx, cancel := context.WithTimeout(ctx, 4*time.Second)\n"
    "+\tctx, cancel := context.WithTimeout(ctx, 250*time.Millisecond)\n \tdefer cancel()",
)
RENAME_DIFF = patch(
    "shop/a.go", "-\tc := r.Context()\n-\treturn fetch(c, q)\n+\tctx := r.Context()\n+\treturn fetch(ctx, q)"
)


def judged(change: ChangeEvent, *others: ChangeEvent, **scene) -> Suspicion:
    return suspect(Scene(*incident(changes=(change, *others), **scene)), change)


def pool_signals():
    return (
        moved("web", "http_5xx_ratio", 0.01, 0.4),
        moved(
            "shop",
            "db_pool_wait_seconds_p99",
            0.01,
            9,
            -1,
            golden=GoldenSignal.SATURATION,
            resource=Resource.CONNECTIONS,
        ),
        logged("shop", "timeout acquiring a connection from the pool"),
    )


def test_a_lowered_ceiling_explains_an_exhausted_pool() -> None:
    guilty = judged(deploy("a", "shop", -8, POOL_DIFF), signals=pool_signals(), calls=(("web", "shop"),))
    assert guilty.mechanism is not None
    assert guilty.mechanism.id == "pool_ceiling_lowered"
    assert guilty.score > 3
    assert all(c.evidence for c in guilty.claims)


def test_the_setting_that_telemetry_shows_convicts() -> None:
    shown = level("shop", "db_pool_max_conns", 60, 12)
    without = judged(deploy("a", "shop", -8, POOL_DIFF), signals=pool_signals(), calls=(("web", "shop"),))
    with_it = judged(
        deploy("a", "shop", -8, POOL_DIFF), signals=pool_signals(), levels=(shown,), calls=(("web", "shop"),)
    )
    assert with_it.score > without.score + 2


def test_a_change_after_the_onset_is_cleared() -> None:
    late = judged(deploy("a", "shop", 9, POOL_DIFF), signals=pool_signals(), calls=(("web", "shop"),))
    assert late.score < 0
    assert "after the symptom began" in late.speaks_against[0].text


def test_a_change_that_nobody_deployed_is_cleared() -> None:
    never = judged(
        deploy("a", "shop", -8, POOL_DIFF, in_effect=False), signals=pool_signals(), calls=(("web", "shop"),)
    )
    deployed = judged(deploy("a", "shop", -8, POOL_DIFF), signals=pool_signals(), calls=(("web", "shop"),))
    assert never.score < deployed.score - 4


def test_a_rename_is_cleared_by_name() -> None:
    inert = judged(
        deploy("a", "shop", -1, RENAME_DIFF, files=("shop/a.go",)), signals=pool_signals(), calls=(("web", "shop"),)
    )
    assert inert.score < 0
    assert any("rename" in c.text for c in inert.speaks_against)


def timeouts():
    return (
        moved("shop", "rpc_client_error_rate", 0, 0.6),
        logged("shop", "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
    )


def test_a_deadline_below_the_usual_latency_bites() -> None:
    usual = level("shop", "request_p99_ms", 400, 260, golden=GoldenSignal.LATENCY, unit="ms")
    guilty = judged(
        deploy("a", "shop", -9, DEADLINE_DIFF),
        signals=timeouts(),
        levels=(usual,),
        service="shop",
        metric="rpc_client_error_rate",
    )
    assert guilty.mechanism is not None
    assert guilty.mechanism.id == "deadline_tightened"
    assert any("more than the new limit" in c.text for c in guilty.speaks_for)


def test_a_deadline_far_above_the_usual_latency_does_not() -> None:
    usual = level("shop", "request_p99_ms", 40, 260, golden=GoldenSignal.LATENCY, unit="ms")
    innocent = judged(
        deploy("a", "shop", -9, DEADLINE_DIFF),
        signals=timeouts(),
        levels=(usual,),
        service="shop",
        metric="rpc_client_error_rate",
    )
    assert any("far below the new limit" in c.text for c in innocent.speaks_against)


def test_a_change_apart_from_the_failure_explains_little() -> None:
    calls = (("web", "shop"), ("admin", "report"))
    near = judged(deploy("a", "shop", -8, POOL_DIFF), signals=pool_signals(), calls=calls)
    far = judged(deploy("a", "report", -8, POOL_DIFF), signals=pool_signals(), calls=calls)
    assert far.score < near.score - 2


def test_a_signature_that_was_there_before_is_not_explained() -> None:
    signals = tuple(s.model_copy(update={"onset": s.onset.replace(hour=11, minute=20)}) for s in pool_signals()[1:])
    late = judged(
        deploy("a", "shop", -8, POOL_DIFF),
        signals=(moved("web", "http_5xx_ratio", 0.01, 0.4), *signals),
        calls=(("web", "shop"),),
    )
    assert late.score < 1


def test_links_support_but_do_not_convict() -> None:
    echo = patch(
        "shop/handler.go", '-\treply(500, "pool broken")\n+\treply(500, "timeout acquiring a connection from the pool")'
    )
    talkative = judged(deploy("a", "shop", -1, echo), signals=pool_signals(), calls=(("web", "shop"),))
    guilty = judged(deploy("a", "shop", -8, POOL_DIFF), signals=pool_signals(), calls=(("web", "shop"),))
    assert talkative.score < guilty.score


def test_a_flag_is_weighed_without_a_diff() -> None:
    flag = deploy("f", "shop", 0, None, files=(), version=None).model_copy(
        update={"kind": ChangeKind.FLAG, "before": "off", "after": "on", "commit": None}
    )
    judged_flag = judged(flag, signals=pool_signals(), calls=(("web", "shop"),))
    assert judged_flag.mechanism is not None
    assert judged_flag.mechanism.shown_by


@pytest.mark.parametrize(
    ("before", "after", "share"), [("off", "on", 1.0), ("0%", "2%", 0.02), ("10%", "25%", 0.15), ("off", "1%", 0.01)]
)
def test_a_flag_reaches_the_share_that_was_added(before: str, after: str, share: float) -> None:
    flag = deploy("f", "shop", 0, None).model_copy(update={"before": before, "after": after})
    assert reached(flag) == pytest.approx(share)


def test_a_certificate_that_expired_is_weighed_without_a_diff() -> None:
    expired = deploy("c", "shop", 0, None, files=(), version=None).model_copy(
        update={"kind": ChangeKind.CERTIFICATE, "title": "the certificate at shop:443 expired", "commit": None}
    )
    signals = (logged("web", "cannot call shop: certificate has expired"), moved("web", "http_5xx_ratio", 0.01, 0.4))
    found = judged(expired, signals=signals, calls=(("web", "shop"),))
    assert found.mechanism is not None
    assert found.mechanism.id == "certificate_expiry"
    assert found.score > 2


def test_a_move_counts_for_less_the_later_it_follows() -> None:
    def moment(minutes: float) -> float:
        full = logged("shop", "timeout acquiring a connection from the pool", minutes)
        signals = (full, moved("web", "http_5xx_ratio", 0.01, 0.4, minutes))
        found = judged(deploy("a", "shop", 0, POOL_DIFF), signals=signals, calls=(("web", "shop"),))
        return sum(c.weight for c in found.claims if "the moment it took effect" in c.text)

    assert moment(0.2) > moment(1.6) > 0
