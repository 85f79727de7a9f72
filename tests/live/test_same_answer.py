"""The same incident, asked of a recording and of live servers that were loaded with it: the same ranked answer."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from agent.backends import live_backend, read_backends
from agent.incident import Diagnosis
from agent.parse_alert import parse_alert
from agent.runner import Runner
from agent.settings import Settings
from fixtures.servers.jaeger import start_jaeger
from fixtures.servers.process import Server
from fixtures.servers.prometheus import start_prometheus
from fixtures.servers.tempo import start_tempo
from tests.live.conftest import or_skip
from tests.live.log_push import push_logs
from tests.live.otlp_push import push_spans
from tests.live.recording_push import openmetrics_of
from tools.backend import Backend
from tools.recorded import Recording, read_recording, recorded_backend

FOLDER = Path(__file__).parents[2] / "fixtures" / "recordings"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/alert.json"))
STARTS = {"jaeger": start_jaeger, "tempo": start_tempo}


def answer(recording: Recording, backend: Backend, settings: Settings) -> Diagnosis:
    with Runner.in_memory(settings) as runner:
        incident = runner.open(parse_alert(recording.alert))
        found = runner.run(incident.id, backend).diagnosis
    assert found is not None
    return found


def ranked(diagnosis: Diagnosis) -> list[tuple[str | None, str | None, float]]:
    return [(each.cause.service, each.cause.change, round(each.confidence, 2)) for each in diagnosis.hypotheses]


def loaded(stack: ExitStack, recording: Recording, traces: str, elasticsearch: Server) -> Settings:
    """Real servers that hold the telemetry of the recording, and the settings that name them."""
    tables: dict[str, dict[str, JsonValue]] = {}
    if recording.metrics is not None:
        openmetrics = openmetrics_of(recording.metrics)
        prometheus = stack.enter_context(or_skip(lambda: start_prometheus(backfill=openmetrics)))
        tables["metrics"] = {"kind": "prometheus", "url": prometheus.url}
    if recording.logs is not None:
        stream = f"logs-{recording.name.lower()}"
        push_logs(elasticsearch.url, stream, recording.logs)
        tables["logs"] = {"kind": "elasticsearch", "url": elasticsearch.url, "index": [stream]}
    if recording.spans is not None:
        tracing = stack.enter_context(or_skip(STARTS[traces]))
        push_spans(tracing.otlp_url, recording.spans)  # type: ignore[attr-defined]
        tables["traces"] = {"kind": traces, "url": tracing.url}
        arrived(Settings(traces=tables["traces"]), recording)
    return Settings.model_validate(tables)


def arrived(settings: Settings, recording: Recording) -> None:
    """Wait until the spans can be found; Tempo takes a second or two."""
    assert recording.spans is not None
    assert recording.window is not None
    for _ in range(60):
        with Runner.in_memory(settings) as runner:
            found = live_backend(read_backends(settings), runner.store).traces
            assert found is not None
            if len(found.spans(recording.window)) == len(recording.spans):
                return
        time.sleep(0.5)
    raise AssertionError("the spans did not arrive")


@pytest.mark.parametrize(("name", "traces"), [*((name, "jaeger") for name in NAMES), (NAMES[-1], "tempo")])
def test_live_servers_give_the_recorded_answer(name: str, traces: str, elasticsearch: Server) -> None:
    recording = read_recording(FOLDER / name)
    with ExitStack() as stack:
        settings = loaded(stack, recording, traces, elasticsearch)
        with Runner.in_memory(settings) as runner:
            for change in recording.changes:
                runner.store.report_change(change)
            live = live_backend(read_backends(settings), runner.store)
            # Over the recording's own window, with what both have: no live page tells the status of that day.
            there = answer(recording, replace(live, window=recording.window), settings)
    recorded = recorded_backend(replace(recording, status_events=()))
    here = answer(recording, replace(recorded, topology=None, runbooks=None), settings)
    assert there.verdict == here.verdict
    assert ranked(there) == ranked(here)
