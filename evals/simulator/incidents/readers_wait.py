"""A ferry runs aground and everybody wants to read about it: too many readers for a fixed number of replicas."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.diffs import diff
from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Happening, Monitor, Scenario, Traffic
from evals.simulator.system import World
from tools.evidence import ChangeKind

NAME = "readers-wait"

_BREAKS_AT = 52.0
_RISES_FOR = 7.0
_PEAK = 92.0
_USUAL = paper.steady(7.5)


def _readers(minute: float) -> float:
    """Requests per second for stories: the usual, then twelve times as many within seven minutes."""
    risen = min(max((minute - _BREAKS_AT) / _RISES_FOR, 0.0), 1.0)
    return _USUAL(minute) + (_PEAK - 7.5) * risen


def _fourth_replica(world: World) -> None:
    """The autoscaler adds what it may: one replica, and then it has reached its limit."""
    service = world.services["pages"]
    service.replicas += 1
    service.workers.grow(30)
    service.cores.grow(1)
    world.telemetry.note("pages", "pages-3", "INFO", "autoscaler: 3 to 4 replicas (limit 4)")


def _at_the_limit(world: World) -> None:
    world.telemetry.note("pages", "pages-0", "WARN", "autoscaler: wants 9 replicas, limit is 4; staying at 4")


CHANGES = (
    Change(
        id="stories-6.2.0",
        kind=ChangeKind.DEPLOY,
        minute=15,
        service="stories",
        version="6.2.0",
        title="stories: header with the time of the last edit",
        author="amara.diallo",
        files=("stories/src/main/kotlin/StoryRoutes.kt",),
        diff=diff(NAME, "stories-6.2.0"),
        merged_minutes_earlier=210,
    ),
    Change(
        id="edge-config-219",
        kind=ChangeKind.CONFIG,
        minute=31,
        service="edge",
        version="config-219",
        title="edge: access log without query strings",
        author="tariq.aziz",
        files=("edge/log.yaml",),
        diff=diff(NAME, "edge-config-219"),
        merged_minutes_earlier=12,
    ),
    Change(
        id="flag-live-ticker",
        kind=ChangeKind.FLAG,
        minute=47.5,
        service="pages",
        title="live_ticker_link",
        author="lotte.brandt",
        before="off",
        after="on",
    ),
    Change(
        id="pages-4.24.2",
        kind=ChangeKind.DEPLOY,
        minute=50,
        service="pages",
        version="4.24.2",
        title="story page: captions may run over two lines",
        author="joris.vermeer",
        files=("src/story/caption.tsx", "src/story/caption.css"),
        diff=diff(NAME, "pages-4.24.2"),
        merged_minutes_earlier=48,
    ),
    Change(
        id="commit-pages-render-cache",
        kind=ChangeKind.DEPLOY,
        minute=35,
        title="pages: keep rendered teasers for 20 s (draft, behind PAGES_RENDER_CACHE)",
        author="joris.vermeer",
        files=("src/render/cache.ts",),
        diff=diff(NAME, "commit-pages-render-cache"),
        in_effect=False,
    ),
)

SCENARIO = Scenario(
    name=NAME,
    seed=20261104,
    started_at=datetime(2026, 11, 4, 12, 20, tzinfo=UTC),
    parts=paper.reading_parts(),
    traffic=(
        Traffic("edge", paper.FRONT_PAGE, paper.steady(5.0)),
        Traffic("edge", paper.STORY_PAGE, _readers),
    ),
    monitor=Monitor(
        name="reader latency",
        service="edge",
        metric="http_request_duration_p95_ms",
        threshold=1500.0,
        samples=3,
        summary="edge p95 above 1.5 s for 90 s; readers wait for pages or get nothing",
    ),
    changes=CHANGES,
    happenings=(
        Happening(_BREAKS_AT + 3.5, _fourth_replica),
        *(Happening(_BREAKS_AT + 5 + step, _at_the_limit) for step in range(12)),
    ),
    edges=paper.READING_EDGES,
    minutes_after_alert=4.0,
    traces_per_minute=6.0,
    runbooks={
        "pages-capacity": (
            "# pages is at its limit\n\n"
            "pages renders about 27 stories per second and core. The autoscaler stops at four replicas; raise\n"
            "`maxReplicas` in `deploy/pages.yaml` to 12 for a big story, the cluster has room for it.\n"
        )
    },
)
