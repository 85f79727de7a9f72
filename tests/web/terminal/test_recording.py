"""`whydown record` at the keyboard, with a backend that stands in for live ones."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import pandas as pd
import pytest

import agent.backends
import web.terminal.recording
import whydown
from agent.backends import BackendsConfig
from agent.store import Store
from tools.backend import Backend
from tools.evidence import Source, TimeWindow, ToolError
from tools.recorded import read_recording, recorded_backend
from web.terminal.exits import ExitCode

RECORDING = Path(whydown.__file__).parent / "fixtures" / "recordings" / whydown.DEMO
Printed = pytest.CaptureFixture[str]
Live = Callable[[Backend], None]


class Silent:
    """A part of a backend that is down."""

    def log_lines(self, window: TimeWindow, *_: object) -> pd.DataFrame:
        raise ToolError(Source.LOGS, "the log store at http://logs cannot be reached: connection refused")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, a store of its own and nobody at the keyboard."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHYDOWN_STORE", f"sqlite:///{tmp_path}/whydown.db")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    shutil.copy(RECORDING / "alert.json", tmp_path / "alert.json")
    return tmp_path


@pytest.fixture
def live(home: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    """Makes a backend the live one of this installation."""
    (home / "whydown.toml").write_text('[runbooks]\nkind = "folder"\npath = "pages"\n', encoding="utf-8")

    def answer_with(backend: Backend) -> None:
        def live_backend(config: BackendsConfig, store: Store) -> Backend:
            return backend

        monkeypatch.setattr(agent.backends, "live_backend", live_backend)
        monkeypatch.setattr(web.terminal.recording, "live_backend", live_backend)

    answer_with(system())
    return answer_with


def system() -> Backend:
    """The demo's telemetry as a system that lives on: it has no end, and knows more than one window."""
    return replace(recorded_backend(read_recording(RECORDING)), window=None, notes=(), name="this installation")


def investigated(capsys: Printed, *arguments: str) -> dict[str, object]:
    assert whydown.run(["investigate", *arguments, "--json"]) in (ExitCode.DONE, ExitCode.NO)
    return json.loads(capsys.readouterr().out)


def ranked(report: dict[str, object]) -> object:
    hypotheses = report["hypotheses"]
    assert isinstance(hypotheses, list)
    return [(each["cause"], each["confidence"], each["mechanism"]) for each in hypotheses]


def test_a_recorded_incident_gives_the_same_answer_again(live: Live, home: Path, capsys: Printed) -> None:
    there = investigated(capsys, "alert.json")
    assert whydown.run(["record", str(there["incident"])]) == ExitCode.DONE
    printed = capsys.readouterr()
    kept = len(told_evidence(there))
    assert f"{kept} of {kept} stored answers of the investigation are in it unchanged" in printed.out
    assert f"whydown investigate {there['incident']} --again" in printed.out
    assert "7 of 7" in printed.err
    here = investigated(capsys, str(there["incident"]), "--again")
    assert ranked(here) == ranked(there)
    assert here["verdict"] == there["verdict"]
    assert {e["id"]: e["digest"] for e in told_evidence(here)} == {e["id"]: e["digest"] for e in told_evidence(there)}


def told_evidence(report: dict[str, object]) -> list[dict[str, str]]:
    found = report["evidence"]
    assert isinstance(found, list)
    return [each for each in found if each["query"]["tool"] != "alert" and not each["summary"].startswith("no answer")]


def recorded(*arguments: str) -> int:
    return whydown.run(["record", *arguments])


def test_a_part_that_is_down_is_a_gap_that_survives(live: Live, home: Path, capsys: Printed) -> None:
    live(replace(system(), logs=Silent(), traces=None))  # type: ignore[arg-type]
    there = investigated(capsys, "alert.json")
    assert recorded(str(there["incident"]), "--out", "kept/down", "-q") == ExitCode.DONE
    printed = capsys.readouterr()
    assert "logs     not recorded" in printed.out
    assert "! the log store at http://logs cannot be reached" in printed.out
    assert printed.err == ""
    here = investigated(capsys, "kept/down", "--again")
    assert ranked(here) == ranked(there)
    assert gaps(here) == gaps(there)


def gaps(report: dict[str, object]) -> list[tuple[str, str]]:
    found = report["data_gaps"]
    assert isinstance(found, list)
    return sorted((each["source"], each["claim"]["text"]) for each in found)


def test_a_stretch_of_time_with_an_alert_of_ones_own(live: Live, home: Path, capsys: Printed) -> None:
    alert = json.loads((home / "alert.json").read_text(encoding="utf-8"))
    window = read_recording(RECORDING).window
    stretch = ["--since", window.since.isoformat(), "--until", window.until.isoformat()]
    mine = ["--service", alert["service"], "--metric", alert["metric"], "--fired-at", alert["fired_at"]]
    assert recorded(*stretch, *mine, "--out", "mine", "--json") == ExitCode.DONE
    kept = json.loads(capsys.readouterr().out)
    assert kept["window"] == json.loads(window.model_dump_json())
    assert kept["bytes"] == sum(path.stat().st_size for path in (home / "mine").rglob("*.*"))
    assert read_recording(home / "mine").alert["service"] == alert["service"]
    leading = investigated(capsys, "mine", "--again")["hypotheses"]
    straight = investigated(capsys, str(RECORDING))["hypotheses"]
    assert isinstance(leading, list)
    assert isinstance(straight, list)
    assert leading[0]["cause"] == straight[0]["cause"]


def test_a_service_with_a_path_in_its_name_does_not_lead_out_of_the_folder(live: Live, home: Path) -> None:
    times = ["--since", "2026-03-02T10:00:00Z", "--until", "2026-03-02T11:00:00Z", "--fired-at", "2026-03-02T10:30:00Z"]
    assert recorded(*times, "--service", "../../etc/x") == ExitCode.NO  # no telemetry of that day
    assert (home / "..-..-etc-x-20260302T103000Z" / "alert.json").is_file()


HOUR = ("--since", "2026-03-02T10:00:00Z", "--until", "2026-03-02T11:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name an incident (whydown incidents lists them), or --since and --until"),
        (("--since", "2026-03-02T10:00:00Z"), "or --since and --until"),
        (("inc-1",), "inc-1"),
        (("inc-1", "--service", "a"), "inc-1: an incident brings its own window and alert"),
        (HOUR, "a recording can only be investigated with an alert: add --service and --fired-at"),
        ((*HOUR, "--service", "a", "--fired-at", "10:30"), "--fired-at 10:30: a time with a zone is needed"),
        (
            (*HOUR, "--service", "a", "--fired-at", "2026-03-02T11:30:00Z"),
            "must lie after --since and not after --until",
        ),
        ((*HOUR[:2], "--until", "2026-03-02T10:00:00Z", "--service", "a", "--fired-at", "x"), "must be after --since"),
        ((*HOUR[:2], "--until", "soon", "--service", "a", "--fired-at", "x"), "--until soon: a time with a zone"),
        ((*HOUR, "--service", " ", "--fired-at", "2026-03-02T10:30:00Z"), "alert: service is"),
        ((*HOUR, "--service", "a", "--fired-at", "2026-03-02T10:30:00Z", "--out", "."), ".: is there already"),
        (
            (*HOUR, "--service", "a", "--fired-at", "2026-03-02T10:30:00Z", "--out", ".", "--force"),
            ".: is no recording",
        ),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    live: Live, home: Path, capsys: Printed, arguments: tuple[str, ...], says: str
) -> None:
    (home / "alert.json").unlink()
    assert recorded(*arguments) == ExitCode.UNUSABLE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert {path.name for path in home.iterdir()} <= {"whydown.toml", "whydown.db", "whydown.db-wal", "whydown.db-shm"}


def test_an_incident_of_a_recording_is_there_already(home: Path, capsys: Printed) -> None:
    incident = investigated(capsys, str(RECORDING))["incident"]
    assert recorded(str(incident)) == ExitCode.UNUSABLE
    assert f"was investigated from the recording {RECORDING}; copy that folder" in capsys.readouterr().err


def test_without_a_backend_the_next_step_is_the_doctor(home: Path, capsys: Printed) -> None:
    times = [*HOUR, "--service", "a", "--fired-at", "2026-03-02T10:30:00Z"]
    assert recorded(*times) == ExitCode.UNUSABLE
    assert "no backend is configured, so there is nothing to record from: whydown doctor" in capsys.readouterr().err


def test_control_c_leaves_nothing(live: Live, home: Path, capsys: Printed) -> None:
    over = Event()

    class Pressing:
        def log_lines(self, window: TimeWindow, *_: object) -> pd.DataFrame:
            os.kill(os.getpid(), signal.SIGINT)
            over.wait(30)  # the thread ends with the test: raising here would fail whichever test comes next
            return pd.DataFrame()

    live(replace(system(), logs=Pressing()))  # type: ignore[arg-type]
    times = [*HOUR, "--service", "a", "--fired-at", "2026-03-02T10:30:00Z", "--out", "cut"]
    ended = recorded(*times)
    over.set()
    assert ended == ExitCode.INTERRUPTED
    assert "Interrupted; nothing was written to cut." in capsys.readouterr().err
    assert not [path for path in home.iterdir() if "cut" in path.name]


def test_what_has_changed_since_is_told(live: Live, home: Path, capsys: Printed) -> None:
    there = investigated(capsys, "alert.json")
    recording = read_recording(RECORDING)
    assert recording.metrics is not None
    fewer = replace(recording, metrics=recording.metrics.iloc[::2].reset_index(drop=True), notes=())
    live(replace(recorded_backend(fewer), window=None, name="this installation"))
    assert recorded(str(there["incident"]), "--out", "later") == ExitCode.DONE
    printed = capsys.readouterr().out
    assert "metric_range(" in printed
    assert "not like then" in printed
    assert "more" in printed
    kept = read_recording(home / "later").metrics
    assert kept is not None
    assert len(kept) <= len(fewer.metrics if fewer.metrics is not None else ())
