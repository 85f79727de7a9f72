"""The command as a person runs it: exit codes, one line per error, nothing but JSON where JSON was asked for."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

import whydown
from agent import documents
from agent.errors import CallerError, ConflictError, OperatorError
from agent.incident import ApprovalDecision, Evidence, Incident, Query, Source
from agent.store import Store
from tests.web import told
from tests.web.kept import CALLS_EVIDENCE, keep, metric
from web.terminal.exits import ExitCode

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of its own, and a person called mara."""
    store = f"sqlite:///{tmp_path}/whydown.db"
    monkeypatch.setenv("WHYDOWN_STORE", store)
    monkeypatch.setenv("WHYDOWN_OPERATOR", "mara")
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is at the keyboard
    return store


@pytest.fixture
def store(url: str) -> Generator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def incident(store: Store) -> Incident:
    return keep(store, recording=None)


def test_help_comes_at_once_and_explains_the_exit_codes() -> None:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, ROOT / "whydown.py", "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 2  # 0.1 s when nobody else uses the machine; the graph alone takes 4 s
    for code in ExitCode:
        assert f"\n{code:>6}  " in done.stdout


def test_help_imports_nothing_heavy() -> None:
    ask = "import sys, whydown; whydown.run(['--help']); print([m for m in sys.modules if m in sys.argv[1].split()])"
    heavy = "pandas numpy pydantic rich sqlalchemy langgraph fastapi scipy"
    done = subprocess.run([sys.executable, "-c", ask, heavy], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.endswith("[]\n")


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert whydown.run([]) == 0
    assert "investigate" in capsys.readouterr().out


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert whydown.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("whydown ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["investigat"], "Did you mean 'investigate'?"),
        (["investigate"], "Missing argument 'RECORDING|ALERT'"),
        (["timeline", "inc-none"], "inc-none"),
        (["timeline", "inc-none", "--verify"], "inc-none"),
        (["evidence", "inc-none", "E1"], "inc-none"),
        (["incidents", "inc-none"], "inc-none"),
        (["approvals", "approve", "A-none"], "A-none"),
        (["approvals", "reject", "A-none"], "A-none"),
        (["serve", "--host", "0.0.0.0"], "only on 127.0.0.1"),
    ],
)
def test_a_call_that_cannot_be_used_is_one_line_on_standard_error(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert whydown.run(arguments) == ExitCode.UNUSABLE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err
    assert printed.err.count("\n") == 1


def test_a_wrong_setting_is_the_installations_fault(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYDOWN_APPROVAL_MINUTES", "soon")
    assert whydown.run(["incidents"]) == ExitCode.INSTALLATION
    assert "WHYDOWN_APPROVAL_MINUTES=soon" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CallerError("a\nb\x1b[31m"), ExitCode.UNUSABLE),
        (ConflictError("somebody else"), ExitCode.CONFLICT),
        (OperatorError("disk full"), ExitCode.INSTALLATION),
        (PermissionError(13, "Permission denied", "report.json"), ExitCode.INSTALLATION),
        (RuntimeError("a\nfault"), ExitCode.BUG),
    ],
)
def test_every_error_of_ours_becomes_one_line(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception, code: ExitCode
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Store, "incidents", fail)
    assert whydown.run(["incidents"]) == code
    printed = capsys.readouterr().err
    assert printed.startswith("whydown: ")
    assert printed.count("\n") == 1
    assert "\x1b" not in printed


def test_an_incident_that_cannot_be_read_back_is_one_line(
    store: Store, incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put_document(incident.id, documents.DIAGNOSIS, '{"verdict": "maybe"}')
    assert whydown.run(["incidents", incident.id]) == ExitCode.UNUSABLE
    printed = capsys.readouterr().err
    assert "Diagnosis: verdict='maybe'" in printed
    assert printed.count("\n") == 1


def test_a_closed_pipe_is_quiet(url: str, store: Store, incident: Incident) -> None:
    page = ["x" * 100] * 3000  # more than a pipe holds, so that the writer meets its closed end
    evidence = Evidence.of(Source.RUNBOOKS, Query(tool="runbooks"), told.WINDOW, "pages", page)
    store.put_evidence(incident.id, evidence, page)
    command = f"{sys.executable} {ROOT / 'whydown.py'} evidence {incident.id} {evidence.id} --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_incidents_are_listed(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    assert whydown.run(["incidents"]) == 0
    assert incident.id in capsys.readouterr().out
    assert whydown.run(["incidents", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == incident.id


def test_an_old_answer_reads_the_same_without_any_backend(
    incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    assert whydown.run(["incidents", incident.id]) == 0
    shown = capsys.readouterr().out
    assert told.ROLLBACK.title in shown
    assert "1 → 12.1" in shown
    assert not [line for line in shown.splitlines() if line != line.rstrip()]


def test_an_answer_as_json_is_one_object(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    assert whydown.run(["incidents", incident.id, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["incident"] == incident.id
    assert report["severity"] == "SEV2"
    assert report["hypotheses"][0]["cause"]["change"] == "4f1c2ab"


def test_the_timeline_is_shown_and_its_chain_checked(
    store: Store, incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    assert whydown.run(["timeline", incident.id, "--verify"]) == 0
    printed = capsys.readouterr()
    assert "triage done" in printed.out
    assert "holds" in printed.err
    assert whydown.run(["timeline", incident.id, "--json"]) == 0
    assert [entry["seq"] for entry in json.loads(capsys.readouterr().out)] == [1, 2, 3]
    with store._engine.begin() as connection:  # pyright: ignore
        connection.exec_driver_sql("UPDATE timeline SET text = 'nothing to see' WHERE seq = 2")
    assert whydown.run(["timeline", incident.id, "--verify"]) == ExitCode.NO
    assert "breaks at entry 2" in capsys.readouterr().err


def test_evidence_is_shown_by_its_id(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    assert whydown.run(["evidence", incident.id, CALLS_EVIDENCE.id]) == 0
    assert CALLS_EVIDENCE.digest in capsys.readouterr().out
    assert whydown.run(["evidence", incident.id, CALLS_EVIDENCE.id, "--json"]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert answered["evidence"]["digest"] == CALLS_EVIDENCE.digest
    assert answered["result"] == metric(told.CALLS_SERIES)


def test_evidence_of_a_live_incident_cannot_be_asked_again_without_its_backend(
    incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    assert whydown.run(["evidence", incident.id, CALLS_EVIDENCE.id, "--again"]) == ExitCode.UNUSABLE
    assert "has no recording" in capsys.readouterr().err


def test_approvals_are_listed_with_and_without_the_word(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["approvals"], ["approvals", "list"], ["approvals", "--all"]):
        assert whydown.run(words) == 0
        assert "A-4c81d2  waits" in capsys.readouterr().out


def test_an_approval_without_a_digest_and_without_anybody_to_ask_approves_nothing(
    store: Store, incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    assert whydown.run(["approvals", "approve", "A-4c81d2"]) == ExitCode.NEEDS_A_PERSON
    printed = capsys.readouterr().err
    assert told.REQUEST.digest in printed
    assert f"--digest {told.REQUEST.digest[:12]}" in printed
    assert store.approval("A-4c81d2").decisions == ()


@pytest.mark.parametrize("digest", ["", "0f2b", "f" * 12, "f" * 64])
def test_another_digest_approves_nothing(
    store: Store, incident: Incident, capsys: pytest.CaptureFixture[str], digest: str
) -> None:
    assert whydown.run(["approvals", "approve", "A-4c81d2", "--digest", digest]) == ExitCode.UNUSABLE
    assert store.approval("A-4c81d2").decisions == ()


def test_a_decision_already_taken_is_a_conflict(
    store: Store, incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    word = ApprovalDecision(verdict="reject", by="otto", at=told.utc_now(), digest=told.REQUEST.digest)
    store.decide("A-4c81d2", word)
    digest = told.REQUEST.digest
    assert whydown.run(["approvals", "approve", "A-4c81d2", "--digest", digest]) == ExitCode.CONFLICT
    assert "already rejected by otto" in capsys.readouterr().err


def test_a_suite_is_measured_and_its_report_written(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "report.json"
    shutil.copytree(ROOT / "fixtures" / "recordings" / whydown.DEMO, data / whydown.DEMO)
    assert (
        whydown.run(["eval", "recordings", "--data", str(data), "--out", str(out), "--workers", "1"]) == ExitCode.DONE
    )
    printed = capsys.readouterr()
    report = json.loads(out.read_text(encoding="utf-8"))
    assert [case["id"] for case in report["cases"]] == [whydown.DEMO]
    assert whydown.DEMO in printed.out
    assert printed.err == "recordings: 1 of 1\n"


def demo_data(folder: Path) -> Path:
    shutil.copytree(ROOT / "fixtures" / "recordings" / whydown.DEMO, folder / "data" / whydown.DEMO)
    return folder / "data"


def test_a_rate_that_got_worse_has_an_exit_code_of_its_own(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, card = demo_data(tmp_path), tmp_path / "card.json"
    run = ["eval", "recordings", "--data", str(data), "--workers", "1"]
    assert whydown.run([*run, "--write-scorecard", str(card)]) == ExitCode.DONE
    assert whydown.run([*run, "--gate", str(card)]) == ExitCode.DONE
    harder = json.loads(card.read_text(encoding="utf-8"))
    harder["suites"]["recordings"]["rates"]["blast_radius_jaccard"] = {"value": 1.2, "n": 1, "interval": [1.1, 1.3]}
    card.write_text(json.dumps(harder), encoding="utf-8")
    capsys.readouterr()
    assert whydown.run([*run, "--gate", str(card)]) == ExitCode.REGRESSION
    assert "worse: recordings: blast_radius_jaccard is" in capsys.readouterr().err


def test_reports_are_put_together(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = demo_data(tmp_path)
    for name in ("one", "two"):
        out = str(tmp_path / f"{name}.json")
        run = ["eval", "recordings", "--data", str(data), "--workers", "1", "--label", name, "--out", out]
        assert whydown.run([*run, "--stories", "--without", "logs", "--shift", "-5"]) == ExitCode.DONE
    capsys.readouterr()
    reports = [str(tmp_path / "one.json"), str(tmp_path / "two.json")]
    assert whydown.run(["scorecard", *reports, "--html", str(tmp_path / "page.html")]) == ExitCode.DONE
    assert "pooled (2)" in capsys.readouterr().out
    assert "without logs, alert 5 s early" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["recordings", "--data", ".", "--without", "spans"], "--without spans"),
        (["recordings", "--data", ".", "--analyst", "baro"], "ranks services"),
        (["recordings", "--data", ".", "--gate", "/nowhere/card.json"], "/nowhere/card.json"),
        (["recordings", "--data", ".", "--html", "/nowhere/page.html"], "no folder /nowhere"),
        (["nope", "--data", "."], "nope"),
        (["recordings", "--data", "/nowhere"], "/nowhere"),
        (["recordings", "--data", ".", "--out", "/nowhere/report.json"], "no folder /nowhere"),
        (["recordings"], "--data"),
    ],
)
def test_a_suite_that_cannot_be_measured_is_one_line(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert whydown.run(["eval", *arguments]) == ExitCode.UNUSABLE
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_a_postmortem_that_was_not_written_yet_is_one_line(
    incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    assert whydown.run(["postmortem", incident.id]) == ExitCode.UNUSABLE
    assert "no postmortem yet" in capsys.readouterr().err
