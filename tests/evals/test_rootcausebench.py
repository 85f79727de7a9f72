from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import CallerError
from evals.cases import CaseError, NamedBy
from evals.rootcausebench import SUITE
from tests.evals.incident_folders import ALERT, DECOY, GUILTY, MERGED, write_incident
from tools.evidence import ChangeKind, Source


def test_every_deploy_becomes_a_change_with_its_commit(tmp_path: Path) -> None:
    write_incident(tmp_path / "ledger-nil")
    changes = {change.id: change for change in SUITE.load(tmp_path, "ledger-nil").recording.changes}
    guilty = changes[f"ledger@v7+{GUILTY[:8]}"]
    assert guilty.kind is ChangeKind.DEPLOY
    assert guilty.in_effect
    assert guilty.at == datetime(2026, 4, 1, 10, 10, tzinfo=UTC)
    assert guilty.merged_at == datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
    assert (guilty.commit, guilty.service, guilty.version, guilty.author) == (GUILTY, "ledger", "v7", "ann")
    assert (guilty.title, guilty.files) == ("drop the check", ("ledger/post.go",))
    assert guilty.diff is not None
    assert "-if x == nil {" in guilty.diff
    assert changes[f"ledger@v8+{DECOY[:8]}"].diff is None


def test_a_version_that_is_deployed_again_is_a_change_of_its_own(tmp_path: Path) -> None:
    write_incident(tmp_path / "c")
    again = [change for change in SUITE.load(tmp_path, "c").recording.changes if change.commit == GUILTY]
    assert [change.at.minute for change in again] == [10, 30]
    assert len({change.id for change in again}) == 2


def test_a_commit_that_nobody_deployed_is_not_in_effect(tmp_path: Path) -> None:
    write_incident(tmp_path / "c")
    changes = SUITE.load(tmp_path, "c").recording.changes
    (merged,) = [change for change in changes if not change.in_effect]
    assert (merged.commit, merged.service) == (MERGED, None)
    assert merged.at == datetime(2026, 4, 1, 9, 10, tzinfo=UTC)


def test_a_flag_keeps_both_sides(tmp_path: Path) -> None:
    write_incident(tmp_path / "c")
    (flag,) = [c for c in SUITE.load(tmp_path, "c").recording.changes if c.kind is ChangeKind.FLAG]
    assert (flag.id, flag.title, flag.before, flag.after, flag.author) == (
        "flag-fast_post",
        "fast_post",
        "off",
        "on",
        "ann",
    )


def test_same_means_the_trace_named_before(tmp_path: Path) -> None:
    write_incident(tmp_path / "c")
    spans = SUITE.load(tmp_path, "c").recording.spans
    assert spans is not None
    assert dict(zip(spans["span_id"], spans["trace_id"], strict=True)) == {"a": "t1", "b": "t1", "c": "t2", "d": "t2"}
    assert dict(zip(spans["span_id"], spans["parent_span_id"], strict=True))["b"] == "a"
    assert {"error": "nil account"} in list(spans["attributes"])


def test_alert_logs_and_metrics_come_through_whole(tmp_path: Path) -> None:
    write_incident(tmp_path / "c")
    recording = SUITE.load(tmp_path, "c").recording
    assert recording.alert == ALERT
    assert recording.logs is not None
    assert recording.logs[["service", "severity", "body"]].iloc[0].tolist() == ["ledger", "ERROR", "nil account"]
    assert recording.logs["attributes"].iloc[0] == {"shard": "3"}
    assert recording.metrics is not None
    assert len(recording.metrics) == 25


def test_the_truth_stays_beside_the_recording(tmp_path: Path) -> None:
    write_incident(tmp_path / "c")
    case = SUITE.load(tmp_path, "c")
    assert case.named_by is NamedBy.COMMIT
    assert case.truth.cause == GUILTY
    assert case.truth.decoys == (DECOY,)
    assert case.truth.blast_radius == ("gate",)
    assert case.truth.remediation == ("rollback",)
    assert case.truth.first_failing_service == "ledger"


def test_status_events_carry_the_provider_of_their_feed_and_healthy_ones_stay(tmp_path: Path) -> None:
    event = {"service": "Objects", "title": "t", "started_at": "2026-04-01T10:00:00Z", "resolved_at": None}
    events = [{**event, "id": "1", "status": "degraded"}, {**event, "id": "2", "status": "operational", "region": "r2"}]
    write_incident(tmp_path / "c", status_feed={"source": "skyhost", "region": "r1", "events": events})
    found = SUITE.load(tmp_path, "c").recording.status_events
    assert [(e.provider, e.region, e.status) for e in found] == [
        ("skyhost", "r1", "degraded"),
        ("skyhost", "r2", "operational"),
    ]


def test_what_is_strange_is_noted_and_does_no_harm(tmp_path: Path) -> None:
    folder = write_incident(tmp_path / "c", flags='{"not": "a list"}', traces="[1,")
    (folder / "profiles.json").write_text("{}", encoding="utf-8")
    (folder / "context" / "tickets.json").write_text("[]", encoding="utf-8")
    recording = SUITE.load(tmp_path, "c").recording
    notes = [note for _, note in recording.notes]
    assert recording.spans is None
    assert Source.TRACES in recording.missing
    assert "profiles.json: is no part of this layout and was not read" in notes
    assert "context/tickets.json: is no part of this layout and was not read" in notes
    assert any(note.startswith("traces.json: is not JSON") for note in notes)
    assert "context/flags.json: holds no list of flags" in notes
    assert not any("truth" in note or "task.toml" in note for note in notes)


def test_unknown_keys_and_commits_nobody_lists_are_noted(tmp_path: Path) -> None:
    deploys = [
        {"timestamp": "2026-04-01T10:10:00Z", "service": "x", "commit_sha": "feed", "version": "v1", "region": "r"}
    ]
    write_incident(tmp_path / "c", deploys=deploys)
    recording = SUITE.load(tmp_path, "c").recording
    notes = [note for _, note in recording.notes]
    assert "context/deploys.json: unknown keys region" in notes
    assert "deploys of 1 commits that are not in commits.json" in notes
    assert [change.title for change in recording.changes if change.commit == "feed"] == [""]


def test_without_any_change_file_changes_are_unknown_rather_than_none(tmp_path: Path) -> None:
    write_incident(tmp_path / "c", commits=None, deploys=None, flags=None)
    assert Source.CHANGES in SUITE.load(tmp_path, "c").recording.missing


@pytest.mark.parametrize("truth", [None, "{", "[]", "{}", '{"root_cause_commit": 7}'])
def test_a_truth_that_cannot_be_used_costs_the_case(tmp_path: Path, truth: str | None) -> None:
    write_incident(tmp_path / "c", truth=truth)
    with pytest.raises(CaseError, match=r"^c: truth\.json"):
        SUITE.load(tmp_path, "c")


def test_an_alert_that_cannot_be_used_costs_the_case(tmp_path: Path) -> None:
    write_incident(tmp_path / "c", alert="[]")
    with pytest.raises(CaseError, match=r"^c: .*alert\.json"):
        SUITE.load(tmp_path, "c")


def test_cases_are_found_in_order_and_one_folder_is_a_suite_of_one(tmp_path: Path) -> None:
    write_incident(tmp_path / "b")
    write_incident(tmp_path / "a")
    (tmp_path / "notes").mkdir()
    assert SUITE.find(tmp_path) == ("a", "b")
    assert SUITE.find(tmp_path / "b") == ("b",)
    assert SUITE.load(tmp_path / "b", "b").truth.cause == GUILTY


def test_a_folder_without_cases_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"no folder in it holds an alert\.json"):
        SUITE.find(tmp_path)
    with pytest.raises(CallerError, match="there is no such folder"):
        SUITE.find(tmp_path / "nowhere")
