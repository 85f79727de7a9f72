"""A connection is kept on one path out of a method: nothing shows for half an hour, then every read times out."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.diffs import diff
from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Happening, Monitor, Scenario, Traffic
from evals.simulator.steps import Compute, Keep
from evals.simulator.system import World
from tools.evidence import ChangeKind

NAME = "story-reads-time-out"

_LEAKING = (
    Compute(6.0),
    paper.statement("db", "paywall-db", "select entitlement"),
    Keep("db", 0.0019),  # gift links that have been used before: about one read in five hundred
)


def _export_of_readers(world: World) -> None:
    """The weekly export: paywall-db works harder for three minutes, long before anybody complains."""
    world.telemetry.note("paywall-db", "paywall-db-0", "INFO", "export readers_weekly started")
    for second in range(0, 180):
        for _ in range(40):
            world.clock.after(second + world.rng.random(), world.request, "paywall-db", "select entitlement")


CHANGES = (
    Change(
        id="paywall-2.30.4",
        kind=ChangeKind.DEPLOY,
        minute=4,
        service="paywall",
        version="2.30.4",
        title="PAY-771 name the thread pools",
        author="noor.haddad",
        files=("src/main/java/paywall/Threads.java",),
        diff=diff(NAME, "paywall-2.30.4"),
        merged_minutes_earlier=900,
    ),
    Change(
        id="flag-gift-links",
        kind=ChangeKind.FLAG,
        minute=11,
        service="pages",
        title="gift_link_button",
        author="lotte.brandt",
        before="off",
        after="on",
    ),
    Change(
        id="paywall-2.31.0",
        kind=ChangeKind.DEPLOY,
        minute=26,
        service="paywall",
        version="2.31.0",
        title="PAY-768 tell readers that a gift link was used before",
        author="noor.haddad",
        files=("src/main/java/paywall/AccessCheck.java", "src/test/java/paywall/AccessCheckTest.java"),
        diff=diff(NAME, "paywall-2.31.0"),
        merged_minutes_earlier=75,
        effect=paper.new_steps("paywall", "may read", *_LEAKING),
    ),
    Change(
        id="people-3.8.0",
        kind=ChangeKind.DEPLOY,
        minute=39,
        service="people",
        version="3.8.0",
        title="people: sort profiles by family name",
        author="ida.holm",
        files=("internal/profile/sort.go",),
        diff=diff(NAME, "people-3.8.0"),
        merged_minutes_earlier=130,
    ),
    Change(
        id="paywall-db-conf-31",
        kind=ChangeKind.CONFIG,
        minute=49,
        service="paywall-db",
        version="conf-31",
        title="paywall-db: work_mem 8MB to 12MB",
        author="amara.diallo",
        files=("postgres/paywall.conf",),
        diff=diff(NAME, "paywall-db-conf-31"),
        merged_minutes_earlier=25,
    ),
    Change(
        id="pages-4.21.0",
        kind=ChangeKind.DEPLOY,
        minute=62.5,
        service="pages",
        version="4.21.0",
        title="story page: print button asks the paywall component for its label",
        author="joris.vermeer",
        files=("src/story/print.tsx", "src/story/paywall-label.ts"),
        diff=diff(NAME, "pages-4.21.0"),
        merged_minutes_earlier=40,
    ),
    Change(
        id="commit-paywall-timeout",
        kind=ChangeKind.DEPLOY,
        minute=44,
        title="pages: give the paywall 1500ms instead of 2500ms",
        author="tariq.aziz",
        files=("src/clients/paywall.ts",),
        diff=diff(NAME, "commit-paywall-timeout"),
        in_effect=False,
    ),
)

SCENARIO = Scenario(
    name=NAME,
    seed=20260922,
    started_at=datetime(2026, 9, 22, 6, 30, tzinfo=UTC),
    parts=paper.reading_parts(),
    traffic=(
        Traffic("edge", paper.FRONT_PAGE, paper.steady(4.0)),
        Traffic("edge", paper.STORY_PAGE, paper.steady(8.5)),
    ),
    monitor=Monitor(
        name="pages failing",
        service="pages",
        metric="http_request_error_ratio",
        threshold=0.05,
        samples=3,
        summary="pages failing more than 5% of requests; readers see 'this story cannot be shown'",
    ),
    changes=CHANGES,
    happenings=(Happening(16, _export_of_readers),),
    edges=paper.READING_EDGES,
    runbooks={
        "paywall-unavailable": (
            "# paywall does not answer\n\n"
            "1. `db_pool_in_use` at 30 with an idle paywall-db means that connections are kept, not that the\n"
            "   database is slow. A restart of paywall frees them for as long as it took to lose them.\n"
            "2. Roll paywall back if it was deployed since the pool began to fill, which can be hours ago.\n"
        )
    },
)
