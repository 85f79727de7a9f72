"""A lookup of all bylines at once becomes one lookup per story: the front page gets slow the moment it is deployed."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.diffs import diff
from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Happening, Monitor, Scenario, Traffic
from evals.simulator.steps import Call, Compute
from evals.simulator.system import World
from tools.evidence import ChangeKind

NAME = "front-page-slow"

_ONE_BY_ONE = (
    Compute(24.0),
    Call("stories", "list stories", 1500),
    Call("people", "profile", 800, times=24),
    Compute(16.0),
)


def _sitemap_job(world: World) -> None:
    """A job that reads every story once: the database is busy for two minutes, and nobody minds."""
    world.telemetry.note("stories", "stories-1", "INFO", "sitemap: writing 18240 entries")
    for second in range(0, 120):
        for _ in range(22):
            world.clock.after(second + world.rng.random(), world.request, "stories-db", "select story")


CHANGES = (
    Change(
        id="people-3.9.1",
        kind=ChangeKind.DEPLOY,
        minute=12,
        service="people",
        version="3.9.1",
        title="people: carry the request id into the log",
        author="ida.holm",
        files=("internal/log/request.go", "cmd/people/main.go"),
        diff=diff(NAME, "people-3.9.1"),
        merged_minutes_earlier=55,
    ),
    Change(
        id="edge-config-212",
        kind=ChangeKind.CONFIG,
        minute=27,
        service="edge",
        version="config-212",
        title="edge: gzip level 6 to 5 for html",
        author="tariq.aziz",
        files=("edge/gzip.yaml",),
        diff=diff(NAME, "edge-config-212"),
        merged_minutes_earlier=20,
    ),
    Change(
        id="flag-reader-count",
        kind=ChangeKind.FLAG,
        minute=36,
        service="pages",
        title="story_reader_count",
        author="lotte.brandt",
        before="off",
        after="on",
    ),
    Change(
        id="people-3.9.2",
        kind=ChangeKind.DEPLOY,
        minute=38,
        service="people",
        version="3.9.2",
        title="people: portrait addresses always with https",
        author="ida.holm",
        files=("internal/profile/portrait.go",),
        diff=diff(NAME, "people-3.9.2"),
        merged_minutes_earlier=31,
    ),
    Change(
        id="pages-4.18.0-weather",
        kind=ChangeKind.DEPLOY,
        minute=41,
        service="pages",
        version="4.18.0",
        title="weather box: new symbol for sleet",
        author="lotte.brandt",
        files=("src/front/weather.tsx",),
        diff=diff(NAME, "pages-4.18.0-weather"),
        merged_minutes_earlier=190,
    ),
    Change(
        id="pages-4.18.0-bylines",
        kind=ChangeKind.DEPLOY,
        minute=41,
        service="pages",
        version="4.18.0",
        title="front page: name guest authors in the teaser",
        author="joris.vermeer",
        files=("src/front/bylines.ts", "src/front/bylines.test.ts"),
        diff=diff(NAME, "pages-4.18.0-bylines"),
        merged_minutes_earlier=64,
        effect=paper.new_steps("pages", "render front page", *_ONE_BY_ONE),
    ),
    Change(
        id="stories-db-0093",
        kind=ChangeKind.MIGRATION,
        minute=43.5,
        service="stories-db",
        version="0093",
        title="index stories by section and day",
        author="amara.diallo",
        files=("migrations/0093_stories_section_day.sql",),
        diff=diff(NAME, "stories-db-0093"),
        merged_minutes_earlier=240,
    ),
    Change(
        id="commit-archive-dates",
        kind=ChangeKind.DEPLOY,
        minute=18,
        title="archive: parse dates before 1900",
        author="amara.diallo",
        files=("archive/dates.py",),
        diff=diff(NAME, "commit-archive-dates"),
        in_effect=False,
    ),
    Change(
        id="commit-stories-pool",
        kind=ChangeKind.DEPLOY,
        minute=33,
        title="stories: pool of 16 connections is enough",
        author="tariq.aziz",
        files=("stories/src/main/resources/application.yaml",),
        diff=diff(NAME, "commit-stories-pool"),
        in_effect=False,
    ),
)


SCENARIO = Scenario(
    name=NAME,
    seed=20261013,
    started_at=datetime(2026, 10, 13, 17, 0, tzinfo=UTC),
    parts=paper.reading_parts(),
    traffic=(
        Traffic("edge", paper.FRONT_PAGE, paper.steady(6.0)),
        Traffic("edge", paper.STORY_PAGE, paper.steady(8.0)),
    ),
    monitor=Monitor(
        name="pages render time",
        service="pages",
        metric="http_request_duration_p95_ms",
        threshold=350.0,
        samples=8,
        summary="pages p95 above 350 ms for 4 minutes; the front page is slow",
    ),
    changes=CHANGES,
    happenings=(Happening(22, _sitemap_job),),
    edges=paper.READING_EDGES,
    runbooks={
        "pages-slow": (
            "# pages is slow\n\n"
            "1. Look at the spans of one slow page: which callee takes the time, and how often is it called?\n"
            "2. A version that went out within the last hour can be rolled back with `deploy pages --to PREVIOUS`;\n"
            "   pages keeps no state, so this is safe at any time.\n"
            "3. Scaling helps only when `cpu_utilization_pct` of pages is above 80.\n"
        )
    },
)
