"""The value that page, terminal and `--json` are made of."""

from __future__ import annotations

import json

from tests.web import told


def test_a_program_finds_every_promised_key() -> None:
    report = json.loads(told.report(told.DIAGNOSIS, told.PENDING).model_dump_json())
    promised = "hypotheses evidence ruled_out data_gaps blast_radius first_failing_service mitigations timings"
    beside = "incident verdict answer symptom severity"
    assert set(f"{promised} {beside}".split()) <= report.keys()
    assert report["hypotheses"][0]["confidence"] == 0.86
    assert report["evidence"][0]["query"]["tool"] == "metric_range"
    assert "leading_signals" not in report


def test_it_carries_every_field_of_the_diagnosis() -> None:
    report = told.report()
    for name in type(told.DIAGNOSIS).model_fields:
        assert getattr(report, name) == getattr(told.DIAGNOSIS, name)
