"""The company that sends our mails has trouble: sign-in codes come late or not at all, and so do newsletter mails."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.diffs import diff
from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Happening, Monitor, Part, Scenario, Traffic
from evals.simulator.steps import Compute, Reach
from evals.simulator.system import Operation, Provider, Sizing, World
from tools.evidence import ChangeKind, Edge

NAME = "sign-in-codes-late"

_TROUBLE_AT = 46.0
_SIGN_IN = "POST /sign-in"
_SUBSCRIBE = "POST /letters"


def _provider(world: World) -> None:
    world.providers["postrider"] = Provider(ms=140.0, failing=0.002, message="421 try again later")


def _trouble(world: World) -> None:
    world.providers["postrider"] = Provider(ms=1900.0, failing=0.5, message="451 temporary failure in delivery queue")


CHANGES = (
    Change(
        id="letters-0.19.0",
        kind=ChangeKind.DEPLOY,
        minute=14,
        service="letters",
        version="0.19.0",
        title="letters: weekday of the culture letter moves to Thursday",
        author="lotte.brandt",
        files=("lib/schedule.rb",),
        diff=diff(NAME, "letters-0.19.0"),
        merged_minutes_earlier=100,
    ),
    Change(
        id="accounts-conf-88",
        kind=ChangeKind.CONFIG,
        minute=29,
        service="accounts",
        version="conf-88",
        title="accounts: wait 4 s for the mail service, not 3 s",
        author="tariq.aziz",
        files=("config/mail.yml",),
        diff=diff(NAME, "accounts-conf-88"),
        merged_minutes_earlier=18,
    ),
    Change(
        id="flag-sign-in-hint",
        kind=ChangeKind.FLAG,
        minute=41,
        service="accounts",
        title="sign_in_hint_text",
        author="lotte.brandt",
        before="off",
        after="on",
    ),
    Change(
        id="accounts-5.7.0",
        kind=ChangeKind.DEPLOY,
        minute=44,
        service="accounts",
        version="5.7.0",
        title="accounts: sign-in mail with the code in the subject",
        author="sena.okafor",
        files=("app/mailers/code_mailer.rb", "app/views/code_mailer/code.text.erb"),
        diff=diff(NAME, "accounts-5.7.0"),
        merged_minutes_earlier=52,
    ),
    Change(
        id="accounts-db-0117",
        kind=ChangeKind.MIGRATION,
        minute=48,
        service="accounts-db",
        version="0117",
        title="accounts: drop the column of the old captcha",
        author="amara.diallo",
        files=("db/migrate/0117_drop_captcha.rb",),
        diff=diff(NAME, "accounts-db-0117"),
        merged_minutes_earlier=600,
    ),
)

_STORE_CODE = paper.statement("db", "accounts-db", "insert code")
_FIND_READER = paper.statement("db", "accounts-db", "select reader")


def _accounts() -> Part:
    return Part(
        Sizing(workers=60, cores=2, memory_mb=480.0, pools={"db": 20}),
        {
            "sign in": Operation(
                (Compute(9.0), _FIND_READER, _STORE_CODE, Reach("postrider", "send code")), "code sent in {ms}ms", 0.2
            ),
            "session": Operation((Compute(3.0), _FIND_READER), "session checked in {ms}ms", 0.02),
        },
    )


def _letters() -> Part:
    return Part(
        Sizing(workers=24, cores=1, memory_mb=310.0, pools={"db": 10}),
        {
            "subscribe": Operation(
                (
                    Compute(7.0),
                    paper.statement("db", "letters-db", "insert subscription"),
                    Reach("postrider", "send welcome"),
                ),
                "welcome mail sent in {ms}ms",
                0.3,
            )
        },
    )


def _event(name: str, service: str, status: str, title: str, started_at: str, detail: str) -> dict[str, str | None]:
    return {
        "id": name,
        "provider": "postrider",
        "service": service,
        "region": "eu-north",
        "status": status,
        "title": title,
        "started_at": started_at,
        "resolved_at": None,
        "detail": detail,
    }


SCENARIO = Scenario(
    name=NAME,
    seed=20260818,
    started_at=datetime(2026, 8, 18, 8, 0, tzinfo=UTC),
    parts={
        "edge": paper.edge(
            (paper.STORY_PAGE, "pages", "render story"),
            (_SIGN_IN, "accounts", "sign in"),
            (_SUBSCRIBE, "letters", "subscribe"),
            ("GET /me", "accounts", "session"),
            timeout_ms=12000.0,
        ),
        "pages": paper.pages(),
        "stories": paper.stories(),
        "stories-db": paper.stories_db(),
        "people": paper.people(),
        "people-db": paper.people_db(),
        "paywall": paper.paywall(),
        "paywall-db": paper.paywall_db(),
        "accounts": _accounts(),
        "accounts-db": paper.database({"select reader": 3.0, "insert code": 3.5}),
        "letters": _letters(),
        "letters-db": paper.database({"insert subscription": 4.0}),
    },
    traffic=(
        Traffic("edge", paper.STORY_PAGE, paper.steady(4.0)),
        Traffic("edge", _SIGN_IN, paper.steady(2.2)),
        Traffic("edge", _SUBSCRIBE, paper.steady(1.1)),
        Traffic("edge", "GET /me", paper.steady(3.0)),
    ),
    monitor=Monitor(
        name="sign-in failing",
        service="accounts",
        metric="http_request_error_ratio",
        threshold=0.04,
        samples=4,
        summary="accounts failing more than 4% of requests; readers do not get their sign-in code",
    ),
    changes=CHANGES,
    happenings=(Happening(_TROUBLE_AT, _trouble),),
    edges=(
        *paper.READING_EDGES,
        *paper.calls(("edge", "accounts"), ("edge", "letters"), ("accounts", "accounts-db"), ("letters", "letters-db")),
        Edge(caller="accounts", callee="postrider"),
        Edge(caller="letters", callee="postrider"),
    ),
    status_feed={
        "source": "postrider",
        "region": "eu-north",
        "events": [
            _event(
                "PR-2231",
                "Transactional mail",
                "degraded",
                "Delayed acceptance of mail",
                "2026-08-18T08:45:00Z",
                "Since 08:45 UTC a part of the requests to send is answered late or with 451. We are moving traffic "
                "away from the affected queue. Our second region eu-west accepts mail as usual.",
            ),
            _event(
                "PR-2229",
                "Inbound mail",
                "operational",
                "Maintenance finished",
                "2026-08-18T05:10:00Z",
                "The maintenance of inbound mail is complete.",
            ),
        ],
    },
    runbooks={
        "mail-provider": (
            "# Mail does not go out\n\n"
            "accounts and letters send through postrider, region eu-north. If its status page says degraded, switch\n"
            "both to eu-west (`MAIL_REGION=eu-west`); codes that were not sent are asked for again by readers.\n"
        )
    },
    prepare=_provider,
)
