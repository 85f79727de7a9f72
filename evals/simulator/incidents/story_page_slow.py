"""A flag sends every reader through a ranking that costs ten times as much: the processors of `related` are busy."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.diffs import diff
from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Happening, Monitor, Scenario, Traffic
from evals.simulator.steps import Call, Compute, Say
from evals.simulator.system import World
from tools.evidence import ChangeKind

NAME = "story-page-slow"

_BY_TOPIC = (
    Compute(610.0),
    Say("INFO", "ranked 4800 candidates by topic vector", 0.02),
)
_STORY_WITH_RELATED = (
    Compute(14.0),
    Call("paywall", "may read", 2500),
    Call("stories", "read story", 1500),
    Call("people", "profiles", 800),
    Call("related", "more like this", 2000, optional=True),
    Compute(20.0),
)


def _reload_of_model(world: World) -> None:
    """Every night `related` reads its word list anew: one core is busy for half a minute, and memory moves."""
    world.telemetry.note("related", "related-0", "INFO", "word list read: 412770 entries")
    world.services["related"].memory_extra_mb += 35.0
    for second in range(0, 30, 2):
        world.clock.after(float(second), world.request, "related", "more like this")


CHANGES = (
    Change(
        id="paywall-conf-14",
        kind=ChangeKind.CONFIG,
        minute=17,
        service="paywall",
        version="conf-14",
        title="paywall: teaser length 600 to 550 characters",
        author="sena.okafor",
        files=("config/teaser.toml",),
        diff=diff(NAME, "paywall-conf-14"),
        merged_minutes_earlier=22,
    ),
    Change(
        id="related-2.14.0",
        kind=ChangeKind.DEPLOY,
        minute=33,
        service="related",
        version="2.14.0",
        title="related: leave out stories older than ten years",
        author="bao.tran",
        files=("related/candidates.py",),
        diff=diff(NAME, "related-2.14.0"),
        merged_minutes_earlier=140,
    ),
    Change(
        id="flag-dark-header",
        kind=ChangeKind.FLAG,
        minute=39,
        service="pages",
        title="dark_header",
        author="lotte.brandt",
        before="off",
        after="on",
    ),
    Change(
        id="flag-related-by-topic",
        kind=ChangeKind.FLAG,
        minute=42,
        service="related",
        title="related_by_topic",
        author="bao.tran",
        before="off",
        after="on",
        effect=paper.new_steps("related", "more like this", *_BY_TOPIC),
    ),
    Change(
        id="pages-4.29.0",
        kind=ChangeKind.DEPLOY,
        minute=43,
        service="pages",
        version="4.29.0",
        title="story page: reading time in minutes",
        author="joris.vermeer",
        files=("src/story/reading-time.ts",),
        diff=diff(NAME, "pages-4.29.0"),
        merged_minutes_earlier=36,
    ),
    Change(
        id="commit-related-cores",
        kind=ChangeKind.DEPLOY,
        minute=28,
        title="related: ask for 8 cores (capacity review in September)",
        author="tariq.aziz",
        files=("deploy/related.yaml",),
        diff=diff(NAME, "commit-related-cores"),
        in_effect=False,
    ),
)

SCENARIO = Scenario(
    name=NAME,
    seed=20260610,
    started_at=datetime(2026, 6, 10, 18, 40, tzinfo=UTC),
    parts={
        **paper.reading_parts(),
        "pages": paper.pages(story_page=_STORY_WITH_RELATED),
        "related": paper.related(),
    },
    traffic=(
        Traffic("edge", paper.FRONT_PAGE, paper.steady(4.0)),
        Traffic("edge", paper.STORY_PAGE, paper.steady(7.0)),
    ),
    monitor=Monitor(
        name="pages render time",
        service="pages",
        metric="http_request_duration_p95_ms",
        threshold=900.0,
        samples=4,
        summary="pages p95 above 900 ms for 2 minutes; stories are slow",
    ),
    changes=CHANGES,
    happenings=(Happening(20, _reload_of_model),),
    edges=(*paper.READING_EDGES, *paper.calls(("pages", "related"))),
)
