"""No answer reaches the agent: not through a recording, not through the product's own files."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evals.cases import Truth
from evals.recordings import SUITE as OURS, answers
from evals.rootcausebench import SUITE
from tests.evals.incident_folders import TRUTH, write_incident

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures" / "recordings"
SHOP = ROOT / "fixtures" / "shop-recordings"
BOTH = pytest.mark.parametrize("fixtures", [FIXTURES, SHOP], ids=lambda path: path.name)
BENCHMARKS = ROOT.parent / "shared" / "benchmarks"
"""Public benchmark data, where somebody keeps them beside the checkout; they are no part of it."""
AGENT_SIDE = ("agent", "tools", "prompts")
"""What an investigation is made of."""
SUITE_NAMES = ("rootcausebench", "nezha", "petshop", "sockshop", "rcaeval", "trainticket", "onlineboutique")
SERVICES = re.compile(
    r"\bts-[a-z-]+-service\b|\bpetsite\b|petsearch|payforadoption|petlistadoptions|lambdastatusupdater|hipstershop|"
    r"(cart|checkout|currency|email|payment|productcatalog|recommendation|shipping|ad)service\b|"
    r"\b(carts|orders|user|catalogue)-db\b|\bqueue-master\b"
)
"""Names of services in the benchmarks that come as archives."""
PLAIN_WORDS = frozenset({"frontend", "web"})
"""Services of a benchmark whose name is a word that everybody uses."""
RECORDED = re.compile(
    r"(alert|changes|topology|status_feed)\.json|metrics\.csv\.gz|(logs|traces)\.ndjson\.gz|runbooks/[a-z-]+\.md"
)


@cache
def agent_side() -> dict[str, str]:
    """Every text file of the agent's side, lower-cased, by its path."""
    files = [path for part in AGENT_SIDE for path in (ROOT / part).rglob("*") if path.is_file()]
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").lower()
        for path in files
        if path.suffix != ".pyc"
    }
    assert len(texts) > 20
    return texts


def holders(word: str) -> list[str]:
    """Files of the agent's side that hold the word, not merely as a part of a longer one."""
    word = word.lower()
    alone = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    return [name for name, text in agent_side().items() if word in text and alone.search(text)]


def incident_folders() -> list[Path]:
    return sorted(path.parent for path in BENCHMARKS.glob("*/*/truth.json"))


def everything_in(value: object) -> Iterator[str]:
    """Every text anywhere inside a value, the cells of frames included."""
    if isinstance(value, pd.DataFrame):
        yield from (str(cell) for column in value for cell in (column, *value[column]))
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from everything_in(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from everything_in(key)
            yield from everything_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from everything_in(inner)
    else:
        yield repr(value)


def test_no_service_of_an_archived_benchmark_is_known_to_the_agent() -> None:
    held = {name: found[0] for name, text in agent_side().items() if (found := SERVICES.search(text))}
    assert not held


@pytest.mark.parametrize("marker", ["in-the-truth", "in-the-task", "in-the-folder-name"])
def test_nothing_of_truth_task_or_folder_name_is_in_a_recording(tmp_path: Path, marker: str) -> None:
    told: dict[str, Any] = {**TRUTH, "scenario": "in-the-truth", "notes": "in-the-truth"}
    folder = write_incident(tmp_path / "in-the-folder-name", truth=told)
    (folder / "task.toml").write_text('tags = ["in-the-task"]', encoding="utf-8")
    (folder / "patterns.json").write_text('["in-the-task"]', encoding="utf-8")
    texts = list(everything_in(SUITE.load(tmp_path, folder.name).recording))
    assert any("nil account" in text for text in texts)
    assert not any(marker in text for text in texts)


def test_a_recording_cannot_carry_a_truth() -> None:
    case = OURS.load(FIXTURES, "front-page-slow")
    fields = {field.name for field in dataclasses.fields(case.recording)}
    assert not fields & set(Truth.model_fields)


@BOTH
def test_fixtures_hold_data_only(fixtures: Path) -> None:
    folders = [path for path in fixtures.iterdir() if path.is_dir()]
    assert len(folders) >= 5
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(fixtures).as_posix().partition("/")[2]
        assert RECORDED.fullmatch(name), f"{name} is no part of a recording"
    beside = {path.name for path in fixtures.iterdir() if path.is_file()}
    assert beside == set()


@BOTH
def test_no_document_of_a_fixture_has_the_shape_of_an_answer(fixtures: Path) -> None:
    labels = {*Truth.model_fields, "root_cause_commit", "root_cause", "answer"} - {"service", "metric", "region"}
    for path in fixtures.rglob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        items = document if isinstance(document, list) else [document]
        assert not any(labels & set(item) for item in items), path


def guilty_words() -> list[str]:
    words: list[str] = []
    for folder, name, answer in [(each, *told) for each in (FIXTURES, SHOP) for told in answers(each).items()]:
        cause = Truth.model_validate(answer).cause
        if cause in (None, "none"):
            continue
        commits = {change.id: change.commit for change in OURS.load(folder, name).recording.changes}
        words += [cause, name, *filter(None, [commits[cause]])]
    return words


@pytest.mark.parametrize("word", guilty_words())
def test_the_agent_does_not_know_our_own_answers(word: str) -> None:
    assert holders(word) == []


@pytest.mark.parametrize("word", SUITE_NAMES)
def test_the_agent_does_not_know_a_benchmark(word: str) -> None:
    assert [name for name, text in agent_side().items() if word in text] == []


@pytest.mark.skipif(not incident_folders(), reason="no benchmark data beside the checkout")
def test_the_agent_does_not_know_a_case_a_commit_or_a_service_of_a_benchmark() -> None:
    words: set[str] = set()
    for folder in incident_folders():
        case = SUITE.load(folder, folder.name)
        commits = {commit for commit in (case.truth.cause, *case.truth.decoys) if commit not in (None, "none")}
        words |= {folder.name, *commits, *(commit[:8] for commit in commits)}
        for frame in (case.recording.metrics, case.recording.logs, case.recording.spans):
            if frame is not None:
                words |= {str(service) for service in frame["service"].unique()}
    found = {word: holders(word) for word in sorted(words - PLAIN_WORDS)}
    assert {word: files for word, files in found.items() if files} == {}


@pytest.mark.skipif(not incident_folders(), reason="no benchmark data beside the checkout")
def test_our_own_incidents_are_not_a_benchmark_in_disguise() -> None:
    theirs: set[str] = set()
    for folder in incident_folders():
        recording = SUITE.load(folder, folder.name).recording
        assert recording.metrics is not None
        theirs |= set(recording.metrics["service"].unique())
    for name in OURS.find(FIXTURES):
        metrics = OURS.load(FIXTURES, name).recording.metrics
        assert metrics is not None
        assert not theirs & set(metrics["service"].unique())
