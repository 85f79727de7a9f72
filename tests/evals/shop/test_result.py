"""The table says what happened, misses included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from evals.cases import CaseResult, RankedCause, Truth
from evals.shop.result import RUNS, Run, answer_of, keep, table

AT = datetime(2026, 11, 24, 4, tzinfo=UTC)


def result(cause: str, hit_rank: int | None) -> CaseResult:
    row = RankedCause(cause=cause, service="stock", kind="code_exception", confidence=0.912)
    return CaseResult(id="x", truth=Truth(cause="stock-3.2.0"), ranked=(row,), hit_rank=hit_rank)


RIGHT = Run(
    fault="orders-stuck",
    broke_at=AT,
    alert="ErrorsAtTheFront",
    alerted_at=AT + timedelta(seconds=45.6),
    answer_seconds=2.34,
    result=result("stock-3.2.0", 1),
)
WRONG = RIGHT.model_copy(update={"fault": "home-page-slow", "result": result("storefront-config-88", None)})
SILENT = Run(fault="memory-fills", broke_at=AT, trouble="nobody was paged")


def test_a_row_tells_how_long_it_took_and_what_was_answered() -> None:
    rows = table([WRONG, RIGHT, SILENT]).splitlines()
    assert rows[2].startswith("| home-page-slow |")
    assert rows[3] == (
        "| orders-stuck | connections that do not come back (pool exhaustion) | ErrorsAtTheFront | 46 | 2.3 | yes | yes "
        "| stock-3.2.0 (code exception in stock, 0.91) |"
    )
    assert "| none came |  |  | no | no | nobody was paged |" in rows[4]
    assert rows[-1].startswith("1 of 3 right.")


def test_not_enough_evidence_is_said_in_its_own_words() -> None:
    unsure = result("none", None).model_copy(update={"abstained": True, "verdict": "not_enough_evidence"})
    told = answer_of(RIGHT.model_copy(update={"result": unsure}))
    assert told == "not enough evidence: none (code exception in stock, 0.91)"


def test_runs_are_kept_whole(tmp_path: Path) -> None:
    keep([RIGHT, SILENT], tmp_path / "runs.json")
    assert RUNS.validate_json((tmp_path / "runs.json").read_bytes()) == (RIGHT, SILENT)
