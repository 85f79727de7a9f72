"""The certificate of `people` runs out at ten in the evening; connections that are still open hide it for a while."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.diffs import diff
from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Happening, Monitor, Scenario, Traffic
from evals.simulator.simulate import WARM_UP_S
from evals.simulator.steps import Secure
from evals.simulator.system import World
from tools.evidence import ChangeKind

NAME = "comments-missing"

_EXPIRES_AT = 58.0
_THREAD = "GET /story/{id}/comments"


def _certificate(world: World) -> None:
    world.certificates["people"] = WARM_UP_S + _EXPIRES_AT * 60


def _days_left(minute: float) -> Happening:
    def effect(world: World) -> None:
        left = world.certificates["people"] - world.clock.now
        world.services["people"].gauges["tls_certificate_seconds_left"] = (left, "s")
        world.services["edge"].gauges["tls_certificate_seconds_left"] = (5_616_000.0 - world.clock.now, "s")

    return Happening(minute, effect)


def _reminder(world: World) -> None:
    left = round((world.certificates["people"] - world.clock.now) / 60)
    world.telemetry.note("people", "people-0", "WARN", f"certificate CN=people.internal expires in {left} minutes")


CHANGES = (
    Change(
        id="edge-cert-2027",
        kind=ChangeKind.CERTIFICATE,
        minute=9,
        service="edge",
        version="cert-2027",
        title="edge: renewed certificate for www, valid until January 2027",
        author="tariq.aziz",
        files=("edge/tls/www.yaml",),
        diff=diff(NAME, "edge-cert-2027"),
        merged_minutes_earlier=5,
    ),
    Change(
        id="comments-1.55.0",
        kind=ChangeKind.DEPLOY,
        minute=37,
        service="comments",
        version="1.55.0",
        title="comments: one http client for all profile requests",
        author="noor.haddad",
        files=("comments/profiles.py",),
        diff=diff(NAME, "comments-1.55.0"),
        merged_minutes_earlier=70,
    ),
    Change(
        id="comments-db-0041",
        kind=ChangeKind.MIGRATION,
        minute=46,
        service="comments-db",
        version="0041",
        title="comments: column for the moderator's note",
        author="amara.diallo",
        files=("comments/migrations/0041_moderator_note.sql",),
        diff=diff(NAME, "comments-db-0041"),
        merged_minutes_earlier=320,
    ),
    Change(
        id="people-3.11.0",
        kind=ChangeKind.DEPLOY,
        minute=55,
        service="people",
        version="3.11.0",
        title="people: leave out profiles of deleted readers",
        author="ida.holm",
        files=("internal/profile/list.go",),
        diff=diff(NAME, "people-3.11.0"),
        merged_minutes_earlier=33,
    ),
    Change(
        id="flag-comment-votes",
        kind=ChangeKind.FLAG,
        minute=52,
        service="comments",
        title="comment_votes_visible",
        author="lotte.brandt",
        before="on",
        after="off",
    ),
    Change(
        id="commit-comments-retry",
        kind=ChangeKind.DEPLOY,
        minute=48,
        title="comments: try profiles a second time",
        author="noor.haddad",
        files=("comments/profiles.py",),
        diff=diff(NAME, "commit-comments-retry"),
        in_effect=False,
    ),
)

SCENARIO = Scenario(
    name=NAME,
    seed=20261025,
    started_at=datetime(2026, 10, 25, 21, 2, tzinfo=UTC),
    parts={
        "edge": paper.edge(
            (paper.STORY_PAGE, "pages", "render story"), (_THREAD, "comments", "list comments"), timeout_ms=4000.0
        ),
        "pages": paper.pages(),
        "stories": paper.stories(),
        "stories-db": paper.stories_db(),
        "people": paper.people(),
        "people-db": paper.people_db(),
        "paywall": paper.paywall(),
        "paywall-db": paper.paywall_db(),
        "comments": paper.comments(Secure("people")),
        "comments-db": paper.comments_db(),
    },
    traffic=(
        Traffic("edge", paper.STORY_PAGE, paper.steady(6.0)),
        Traffic("edge", _THREAD, paper.steady(5.0)),
    ),
    monitor=Monitor(
        name="comments failing",
        service="comments",
        metric="http_request_error_ratio",
        threshold=0.2,
        samples=3,
        summary="comments failing more than 20% of requests; stories appear without their comments",
        severity="high",
    ),
    changes=CHANGES,
    happenings=(
        *(_days_left(float(minute)) for minute in range(0, 90)),
        *(Happening(minute, _reminder) for minute in (8.0, 28.0, 48.0)),
    ),
    edges=(
        *paper.READING_EDGES,
        *paper.calls(("edge", "comments"), ("comments", "people"), ("comments", "comments-db")),
    ),
    prepare=_certificate,
)
