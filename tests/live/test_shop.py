"""The real shop, broken for real, asked about from its live servers. One fault is the least that shows every part work.

What is asserted is that people are paged for it, that there is an answer in time, and that the recording of it can be read
and gives the suite a case. Whether the answer is right is measured (docs/shop.md), not demanded here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="the shop's own dependencies are in the group `shop`")

from evals.recordings import SUITE
from evals.shop.faults import fault_named
from evals.shop.play import play
from tests.live.conftest import or_skip

ANSWERED_WITHIN_SECONDS = 20.0


@pytest.mark.timeout(290)
def test_a_fault_is_paged_answered_and_recorded(tmp_path: Path) -> None:
    fault = fault_named("orders-refused")
    assert fault is not None
    told: list[str] = []
    run = or_skip(lambda: play(fault, told.append, tmp_path / fault.name))
    assert run.alert == "ErrorsAtTheFront", told
    assert run.early_alerts == ()
    assert run.result is not None, run.trouble
    assert run.answer_seconds is not None
    assert run.answer_seconds < ANSWERED_WITHIN_SECONDS
    case = SUITE.load(tmp_path, fault.name)
    assert case.recording.metrics is not None
    assert case.recording.logs is not None
    assert case.recording.spans is not None
    assert set(case.recording.spans["service"]) >= {"storefront", "checkout", "payment", "stock", "catalogue"}
    assert {change.id for change in case.recording.changes} >= set(case.truth.decoys)
    assert case.truth.cause == "none"
    assert not case.recording.missing - {"topology", "status", "runbooks"}
