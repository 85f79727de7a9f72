"""Searches in the archive fail, and this installation does not collect what it would take to say why.

Two versions went out within half a minute, nobody kept their diffs, and there are no logs, no traces and no metrics of
the index. The honest answer is "not enough evidence".
"""

from __future__ import annotations

from datetime import UTC, datetime

from evals.simulator.incidents import newspaper as paper
from evals.simulator.scenario import Change, Monitor, Part, Scenario, Traffic
from evals.simulator.steps import Call, Compute, Refuse
from evals.simulator.system import Operation, Sizing
from tools.evidence import ChangeKind

NAME = "archive-search-fails"

_SEARCH = "GET /archive"
_HALF_REFUSED = (Compute(30.0), Refuse(0.4, "shard 3 of 5 has no copy that is up to date", 503))


def _archive() -> Part:
    return Part(
        Sizing(workers=40, cores=2, memory_mb=700.0),
        {"search": Operation((Compute(12.0), Call("archive-index", "query", 3000), Compute(8.0)))},
    )


def _index() -> Part:
    return Part(Sizing(workers=30, cores=3, replicas=5, memory_mb=3900.0), {"query": Operation((Compute(34.0),))})


CHANGES = (
    Change(
        id="edge-config-205",
        kind=ChangeKind.CONFIG,
        minute=24,
        service="edge",
        version="config-205",
        title="edge: weekly update of the bot list",
        author="tariq.aziz",
        files=("edge/bots.txt",),
    ),
    Change(
        id="flag-archive-facets",
        kind=ChangeKind.FLAG,
        minute=38,
        service="archive",
        title="archive_facets",
        author="lotte.brandt",
        before="off",
        after="on",
    ),
    Change(
        id="archive-1.90.0",
        kind=ChangeKind.DEPLOY,
        minute=44.1,
        service="archive",
        version="1.90.0",
        title="release 1.90.0",
        author="release-bot",
    ),
    Change(
        id="archive-index-7.2.0",
        kind=ChangeKind.DEPLOY,
        minute=44.6,
        service="archive-index",
        version="7.2.0",
        title="release 7.2.0",
        author="release-bot",
        effect=paper.new_steps("archive-index", "query", *_HALF_REFUSED),
    ),
    Change(
        id="stories-6.0.3",
        kind=ChangeKind.DEPLOY,
        minute=45.2,
        service="stories",
        version="6.0.3",
        title="release 6.0.3",
        author="release-bot",
    ),
)

SCENARIO = Scenario(
    name=NAME,
    seed=20260704,
    started_at=datetime(2026, 7, 4, 10, 15, tzinfo=UTC),
    parts={
        "edge": paper.edge((paper.STORY_PAGE, "pages", "render story"), (_SEARCH, "archive", "search")),
        "pages": paper.pages(),
        "stories": paper.stories(),
        "stories-db": paper.stories_db(),
        "people": paper.people(),
        "people-db": paper.people_db(),
        "paywall": paper.paywall(),
        "paywall-db": paper.paywall_db(),
        "archive": _archive(),
        "archive-index": _index(),
    },
    traffic=(
        Traffic("edge", paper.STORY_PAGE, paper.steady(4.0)),
        Traffic("edge", _SEARCH, paper.steady(2.5)),
    ),
    monitor=Monitor(
        name="archive failing",
        service="archive",
        metric="http_request_error_ratio",
        threshold=0.1,
        samples=4,
        summary="archive failing more than 10% of searches",
        severity="high",
    ),
    changes=CHANGES,
    edges=(*paper.READING_EDGES, *paper.calls(("edge", "archive"), ("archive", "archive-index"))),
    withheld=frozenset({"logs", "traces", "topology", "metrics:archive-index"}),
)
