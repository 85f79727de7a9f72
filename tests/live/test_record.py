"""An incident of real servers, recorded: investigating the recording gives the answer that the live system gave."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from pathlib import Path

import pytest

import whydown
from agent.store import Store
from fixtures.servers.process import Server
from tests.live.test_same_answer import FOLDER, loaded
from tools.recorded import read_recording
from web.terminal.exits import ExitCode

Printed = pytest.CaptureFixture[str]


def investigated(capsys: Printed, path: Path) -> dict[str, list[dict[str, object]]]:
    assert whydown.run(["investigate", str(path), "--json"]) in (ExitCode.DONE, ExitCode.NO)
    return json.loads(capsys.readouterr().out)


def ranked(report: dict[str, list[dict[str, object]]]) -> list[tuple[object, ...]]:
    return [(each["cause"], each["mechanism"], each["confidence"]) for each in report["hypotheses"]]


def table(settings: dict[str, object]) -> str:
    """A table of whydown.toml; JSON's texts and lists are TOML's."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


@pytest.mark.parametrize("name", ["archive-search-fails", "front-page-slow", "story-reads-time-out"])
def test_a_recorded_live_incident_gives_the_live_answer(
    name: str, elasticsearch: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    recording = read_recording(FOLDER / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setenv("WHYDOWN_STORE", f"sqlite:///{tmp_path}/live.db")
    (tmp_path / "alert.json").write_bytes((FOLDER / name / "alert.json").read_bytes())
    with ExitStack() as stack:
        settings = loaded(stack, recording, "jaeger", elasticsearch)
        tables = {key: dict(value) for key in ("metrics", "logs", "traces") if (value := getattr(settings, key))}
        written = "".join(f"[{key}]\n{table(values)}" for key, values in tables.items())
        (tmp_path / "whydown.toml").write_text(written, encoding="utf-8")
        with Store.open(f"sqlite:///{tmp_path}/live.db") as store:
            for change in recording.changes:
                store.report_change(change)
        there = investigated(capsys, tmp_path / "alert.json")
        assert whydown.run(["record", str(there["incident"]), "--out", "kept", "--json"]) == ExitCode.DONE
        kept = json.loads(capsys.readouterr().out)
    # The servers are gone; another machine, with nothing but the folder.
    (tmp_path / "whydown.toml").unlink()
    monkeypatch.setenv("WHYDOWN_STORE", f"sqlite:///{tmp_path}/elsewhere.db")
    here = investigated(capsys, tmp_path / "kept")
    assert here["verdict"] == there["verdict"]
    assert ranked(here) == ranked(there)
    assert ranked(here)
    assert kept["changed"] == []
    assert kept["same"] > 10
    assert digests(here) == digests(there)


def digests(report: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    """Of all that was answered; why something was not is told in other words by a recording."""
    return {e["id"]: e["digest"] for e in report["evidence"] if not str(e["summary"]).startswith("no answer")}
