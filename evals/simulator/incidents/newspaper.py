"""The system under study in all our incidents: the web site of an invented regional newspaper, the Harbour Courier.

Readers come through `edge` to `pages`, which puts a page together from `stories`, `people` (bylines), `paywall` (may
this reader see it) and `related`; the browser calls `comments` and `accounts` too. Most have a database of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evals.simulator.scenario import Effect, Part
from evals.simulator.steps import Borrow, Call, Compute, Lookup, Pause, Refuse, Say
from evals.simulator.system import Operation, Sizing, Step, World
from tools.evidence import Edge

FRONT_PAGE = "GET /"
STORY_PAGE = "GET /story/{id}"


def steady(rate: float, swing: float = 0.06, period: float = 47.0) -> Callable[[float], float]:
    """Requests per second that rise and fall a little around `rate`; a triangle, so that no libm is involved."""
    return lambda minute: rate * (1 + swing * (abs((minute / period) % 2 - 1) * 2 - 1))


def database(statements: dict[str, float], cores: int = 2) -> Part:
    """A database that knows these statements, each with its milliseconds of work."""
    return Part(
        Sizing(workers=60, cores=cores, replicas=1, memory_mb=2100.0, database=True),
        {name: Operation((Compute(ms), Pause(0.6))) for name, ms in statements.items()},
    )


def statement(pool: str, db: str, name: str, timeout_ms: float = 3000.0) -> Borrow:
    """Borrow a connection and run one statement on it."""
    return Borrow(pool, (Call(db, name, timeout_ms),))


def edge(*routes: tuple[str, str, str], timeout_ms: float = 5000.0) -> Part:
    """The router: (route, service, operation) each."""
    return Part(
        Sizing(workers=240, cores=2, replicas=3, memory_mb=260.0),
        {
            route: Operation(
                (Compute(3.0), Refuse(0.0008, "client closed request", 499), Call(service, operation, timeout_ms)),
                access_line=route + " {status} {ms}ms",
                log_share=0.04,
                attributes={"http.route": route.split(" ", 1)[1]},
            )
            for route, service, operation in routes
        },
    )


def pages(**replaced: tuple[Step, ...]) -> Part:
    """Puts pages together. `front_page` and `story_page` replace the steps of that operation."""
    front = (
        Compute(22.0),
        Call("stories", "list stories", 1500),
        Call("people", "profiles", 800),
        Compute(16.0),
    )
    story = (
        Compute(14.0),
        Call("paywall", "may read", 2500),
        Call("stories", "read story", 1500),
        Call("people", "profiles", 800),
        Compute(20.0),
    )
    return Part(
        Sizing(workers=90, cores=2, replicas=3, memory_mb=610.0),
        {
            "render front page": Operation(replaced.get("front_page", front), "rendered front page in {ms}ms"),
            "render story": Operation(replaced.get("story_page", story), "rendered story in {ms}ms"),
        },
    )


def stories() -> Part:
    listing = Lookup("story", 60, 40.0, (statement("db", "stories-db", "select front stories"),))
    reading = Lookup("story", 900, 300.0, (statement("db", "stories-db", "select story"),))
    return Part(
        Sizing(workers=48, cores=2, memory_mb=380.0, pools={"db": 24}),
        {
            "list stories": Operation((Compute(9.0), listing), "listed 24 stories in {ms}ms", 0.03),
            "read story": Operation((Compute(7.0), reading), "story read in {ms}ms", 0.03),
        },
    )


def stories_db() -> Part:
    return database({"select front stories": 14.0, "select story": 6.0}, cores=4)


def people(*before: Step) -> Part:
    """Author profiles; `before` are steps that every call begins with."""
    return Part(
        Sizing(workers=40, cores=2, memory_mb=300.0, pools={"db": 20}),
        {
            "profiles": Operation((*before, Compute(5.0), statement("db", "people-db", "select profiles"))),
            "profile": Operation((*before, Compute(3.0), Pause(13.0), statement("db", "people-db", "select profile"))),
        },
    )


def people_db() -> Part:
    return database({"select profiles": 5.0, "select profile": 2.2})


def paywall(*extra: Step) -> Part:
    """Entitlements; `extra` are steps after the check."""
    check = statement("db", "paywall-db", "select entitlement")
    return Part(
        Sizing(workers=64, cores=2, memory_mb=520.0, pools={"db": 30}),
        {"may read": Operation((Compute(6.0), check, *extra), "entitlement checked in {ms}ms", 0.04)},
    )


def paywall_db() -> Part:
    return database({"select entitlement": 4.0})


def comments(*before: Step) -> Part:
    read = statement("db", "comments-db", "select thread")
    return Part(
        Sizing(workers=40, cores=2, memory_mb=350.0, pools={"db": 20}),
        {
            "list comments": Operation(
                (
                    Compute(6.0),
                    Lookup("thread", 500, 60.0, (read,)),
                    *before,
                    Call("people", "profiles", 900),
                    Say("WARN", "skipped 1 comment with unknown markup", 0.004),
                ),
                "thread listed in {ms}ms",
            )
        },
    )


def comments_db() -> Part:
    return database({"select thread": 7.0})


def related(*work: Step) -> Part:
    """Stories on the same subject: the one service that computes more than it reads."""
    return Part(
        Sizing(workers=32, cores=4, memory_mb=1400.0),
        {"more like this": Operation(work or (Compute(55.0),), "5 stories ranked in {ms}ms")},
    )


def calls(*pairs: tuple[str, str]) -> tuple[Edge, ...]:
    return tuple(Edge(caller=caller, callee=callee) for caller, callee in pairs)


READING_EDGES = calls(
    ("edge", "pages"),
    ("pages", "stories"),
    ("pages", "people"),
    ("pages", "paywall"),
    ("stories", "stories-db"),
    ("people", "people-db"),
    ("paywall", "paywall-db"),
)


def reading_parts() -> dict[str, Part]:
    """What it takes to show the front page and a story."""
    return {
        "edge": edge((FRONT_PAGE, "pages", "render front page"), (STORY_PAGE, "pages", "render story")),
        "pages": pages(),
        "stories": stories(),
        "stories-db": stories_db(),
        "people": people(),
        "people-db": people_db(),
        "paywall": paywall(),
        "paywall-db": paywall_db(),
    }


def new_steps(service: str, operation: str, *steps: Step) -> Effect:
    """An effect: from now on the operation does these steps."""

    def effect(world: World) -> None:
        operations = world.services[service].operations
        operations[operation] = replace(operations[operation], steps=steps)

    return effect
