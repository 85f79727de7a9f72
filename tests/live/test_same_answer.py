"""The same incident, asked of a recording and of live servers that were loaded with it: the same ranked answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.backends import live_backend, read_backends
from agent.incident import Diagnosis
from agent.parse_alert import parse_alert
from agent.runner import Runner
from agent.settings import Settings
from tests.live.conftest import or_skip
from tests.live.recording_push import openmetrics_of
from tools.backend import Backend
from tools.recorded import Recording, read_recording, recorded_backend

FOLDER = Path(__file__).parents[2] / "fixtures" / "recordings"


def answer(recording: Recording, backend: Backend, settings: Settings) -> Diagnosis:
    with Runner.in_memory(settings) as runner:
        incident = runner.open(parse_alert(recording.alert))
        found = runner.run(incident.id, backend).diagnosis
    assert found is not None
    return found


def ranked(diagnosis: Diagnosis) -> list[tuple[str | None, str | None, float]]:
    return [(each.cause.service, each.cause.change, round(each.confidence, 2)) for each in diagnosis.hypotheses]


@pytest.mark.parametrize("name", ["archive-search-fails", "story-reads-time-out", "front-page-slow"])
def test_metrics_and_changes_from_live_servers_give_the_recorded_answer(name: str) -> None:
    recording = read_recording(FOLDER / name)
    assert recording.metrics is not None
    from tests.live.servers.prometheus import start_prometheus

    recorded = recorded_backend(recording)
    with or_skip(lambda: start_prometheus(backfill=openmetrics_of(recording.metrics))) as server:
        settings = Settings(metrics={"kind": "prometheus", "url": server.url})
        with Runner.in_memory(settings) as runner:
            for change in recording.changes:
                runner.store.report_change(change)
            live = live_backend(read_backends(settings), runner.store)
            # Over the recording's own window, with what both have.
            there = answer(recording, replace(live, window=recording.window), settings)
    here = answer(recording, replace(recorded, logs=None, traces=None, topology=None, runbooks=None), settings)
    assert there.verdict == here.verdict
    assert ranked(there) == ranked(here)
