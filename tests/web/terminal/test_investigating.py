"""An investigation at the keyboard, from the alert to the postmortem, on a recording that ships with whydown."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import whydown
from agent.approval import ApprovalStatus
from agent.incident import IncidentStatus, TimelineEntry
from agent.store import Store
from web.terminal.exits import ExitCode
from web.terminal.progress import LiveTimeline

ROOT = Path(whydown.__file__).parent
RECORDING = ROOT / "fixtures" / "recordings" / whydown.DEMO
COLOR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;)")
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of its own, a person called mara, and nobody at the keyboard."""
    store = f"sqlite:///{tmp_path}/whydown.db"
    monkeypatch.setenv("WHYDOWN_STORE", store)
    monkeypatch.setenv("WHYDOWN_OPERATOR", "mara")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return store


def test_the_demo_leaves_its_approval_waiting_and_says_how_to_go_on(url: str, capsys: Printed) -> None:
    assert whydown.run(["demo"]) == ExitCode.DONE
    printed = capsys.readouterr()
    with Store.open(url) as store:
        [incident] = store.incidents()
        first = store.approvals(ApprovalStatus.PENDING)[0]
    assert incident.status is IncidentStatus.AWAITING_APPROVAL
    assert f"whydown approvals approve {first.request.id}" in printed.out
    assert "diagnosis" in printed.err  # the timeline, beside the answer and not in it
    assert "diagnosis" not in printed.out


def test_an_approved_mitigation_is_carried_out_once_and_everything_can_be_looked_up(url: str, capsys: Printed) -> None:
    assert whydown.run(["demo", "-q"]) == ExitCode.DONE
    with Store.open(url) as store:
        [incident] = store.incidents()
        request = store.approvals(ApprovalStatus.PENDING)[0].request
        kept = store.evidence_list(incident.id)
    approve = ["approvals", "approve", request.id, "--digest", request.digest[:12], "--reason", "the pain first"]
    capsys.readouterr()
    assert whydown.run(approve) == ExitCode.DONE
    assert "Approved by mara: the pain first" in capsys.readouterr().out
    assert whydown.run(approve) == ExitCode.DONE  # the same word again changes nothing
    with Store.open(url) as store:
        performed = [e for e in store.timeline(incident.id) if e.kind == "action"]
    assert len(performed) == 1
    assert whydown.run(["timeline", incident.id, "--verify"]) == ExitCode.DONE
    assert whydown.run(["postmortem", incident.id]) == ExitCode.DONE
    answered = [e for e in kept if e.query.tool in {"metric_range", "log_lines", "spans", "change"}][:6]
    assert len(answered) == 6
    for evidence in answered:
        assert whydown.run(["evidence", incident.id, evidence.id, "--again"]) == ExitCode.DONE
        assert "the same digest" in capsys.readouterr().err


def test_yes_approves_the_first_mitigation_in_the_operators_name(url: str, capsys: Printed) -> None:
    assert whydown.run(["demo", "--yes"]) == ExitCode.DONE
    printed = capsys.readouterr()
    assert "Approved by mara: --yes" in printed.out
    assert "rehearsed" in printed.out
    with Store.open(url) as store:
        assert len([a for a in store.approvals() if a.status is ApprovalStatus.APPROVED]) == 1


def test_json_is_exactly_one_object_and_progress_stays_beside_it(url: str, capsys: Printed) -> None:
    assert whydown.run(["investigate", str(RECORDING / "alert.json"), "--json"]) == ExitCode.DONE
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    promised = "hypotheses evidence ruled_out data_gaps blast_radius first_failing_service mitigations timings"
    assert set(f"{promised} incident verdict answer symptom severity".split()) <= report.keys()
    confidences = [hypothesis["confidence"] for hypothesis in report["hypotheses"]]
    assert confidences == sorted(confidences, reverse=True)
    assert report["timings"]["total"] > 0
    known = {evidence["id"] for evidence in report["evidence"]}
    assert {i for h in report["hypotheses"] for claim in h["evidence_for"] for i in claim["evidence"]} <= known
    assert "triage" in printed.err


def test_the_same_alert_is_the_same_incident_unless_asked_otherwise(url: str, capsys: Printed) -> None:
    for arguments in ([], [], ["--again"]):
        assert whydown.run(["investigate", str(RECORDING), "--no-approve", *arguments]) == ExitCode.DONE
    assert capsys.readouterr().err.count("was investigated before") == 1
    with Store.open(url) as store:
        assert len(store.incidents()) == 2


def test_an_interruption_says_how_to_go_on_and_loses_nothing(
    url: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_control_c(_: LiveTimeline, entry: TimelineEntry) -> None:
        if entry.node == "triage" and entry.took is not None:  # its headline: once
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as pressing:
        pressing.setattr(LiveTimeline, "__call__", press_control_c)
        assert whydown.run(["investigate", str(RECORDING)]) == ExitCode.INTERRUPTED
    with Store.open(url) as store:
        [incident] = store.incidents()
    assert f"whydown resume {incident.id}" in capsys.readouterr().err
    assert whydown.run(["resume", incident.id]) == ExitCode.DONE
    assert "Hypotheses" in capsys.readouterr().out


def test_not_enough_evidence_is_an_answer_with_its_own_exit_code(url: str, tmp_path: Path, capsys: Printed) -> None:
    folder = tmp_path / "silent"
    folder.mkdir()
    shutil.copy(RECORDING / "alert.json", folder)
    fired = json.loads((folder / "alert.json").read_text(encoding="utf-8"))
    rows = "".join(f"{fired['fired_at'][:14]}{minute:02}:00Z,other,,idle,1,\n" for minute in range(30))
    (folder / "metrics.csv").write_text(f"timestamp,service,instance,metric,value,unit\n{rows}", encoding="utf-8")
    assert whydown.run(["investigate", str(folder)]) == ExitCode.NO
    shown = capsys.readouterr().out
    assert "Not enough evidence" in shown
    assert "Data gaps" in shown
    assert whydown.run(["investigate", str(folder), "--json"]) == ExitCode.NO
    assert json.loads(capsys.readouterr().out)["verdict"] == "not enough evidence"


def test_a_recording_that_cannot_be_used_is_one_line(url: str, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "alert.json").write_text("{", encoding="utf-8")
    other = tmp_path / "notes.txt"
    other.write_text("", encoding="utf-8")
    for path, says in (
        (tmp_path / "none", "no such folder"),
        (tmp_path, "alert.json"),
        (other, "cannot be read as JSON"),
    ):
        assert whydown.run(["investigate", str(path)]) == ExitCode.UNUSABLE
        printed = capsys.readouterr()
        assert printed.out == ""
        assert says in printed.err
        assert printed.err.count("\n") == 1


class Terminal:
    """A person at a terminal of 100 × 40: reads until a text appears, then types."""

    def __init__(self, *arguments: str) -> None:
        self._own, theirs = pty.openpty()
        command = [sys.executable, str(ROOT / "whydown.py"), *arguments]
        sizes = os.environ | {"COLUMNS": "100", "LINES": "40", "TERM": "xterm"}
        self._process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=sizes)
        os.close(theirs)
        self.seen = ""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < until, f"{text!r} did not appear in {self.seen[-2000:]!r}"
            if select.select([self._own], [], [], 1)[0]:
                self.seen += os.read(self._own, 65536).decode(errors="replace")

    def types(self, line: str) -> None:
        os.write(self._own, f"{line}\n".encode())

    def interrupts(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def ends(self) -> int:
        return self._process.wait(30)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._own)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def test_a_person_at_a_terminal_sees_asks_and_approves_in_two_steps(url: str) -> None:
    with Terminal("demo", "--no-color") as person:
        person.wait_for("decide [l]ater? ")
        assert person.seen.index("Hypotheses") < person.seen.index("digest")
        person.types("a")
        person.wait_for("Type yes to approve: ")
        with Store.open(url) as store:
            assert not [a for a in store.approvals() if a.decisions]
        person.types("yes")
        person.wait_for("Approved by mara")
        person.wait_for("whydown postmortem")
        assert person.ends() == 0
        assert not COLOR.search(person.seen)
    with Store.open(url) as store:
        assert ApprovalStatus.APPROVED in [a.status for a in store.approvals()]


def test_an_impatient_person_may_press_control_c_twice(url: str) -> None:
    with Terminal("demo", "--no-color") as person:
        person.wait_for("triage")
        person.interrupts()
        person.interrupts()
        assert person.ends() == ExitCode.INTERRUPTED
    with Store.open(url) as store:
        [incident] = store.incidents()
        assert store.verify_timeline(incident.id) is None


def test_a_person_who_walks_away_has_approved_nothing(url: str) -> None:
    with Terminal("demo", "-q", "--no-color") as person:
        person.wait_for("decide [l]ater? ")
        person.interrupts()
        person.wait_for("whydown resume")
        assert person.ends() == ExitCode.INTERRUPTED
    with Store.open(url) as store:
        assert {a.status for a in store.approvals()} == {ApprovalStatus.PENDING}
