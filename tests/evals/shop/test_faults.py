"""The faults as they are written down: each can be played, and its answer can be scored."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.incident import FaultKind
from agent.parse_change import parse_change
from evals.scorers import REMEDIATION_WORDS
from evals.shop.faults import FAULTS, fault_named
from evals.shop.flags import FLAGS
from evals.shop.plan import Fault, NewRule, Release, Switch, said
from evals.shop.repository import DIFFS, SHIPPED, Repository
from evals.shop.rules import RULES, rule_file
from tools.evidence import ChangeEvent
from tools.live.prometheus.promql import parsed

each = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


def releases(fault: Fault) -> list[Release]:
    steps = sorted(fault.steps, key=lambda step: step.at)
    return [step.action for step in steps if isinstance(step.action, Release)]


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 10
    assert fault_named("orders-stuck") in FAULTS
    assert fault_named("gremlins") is None


@each
def test_the_fault_is_one_of_its_steps_and_is_not_alone(fault: Fault) -> None:
    innocent = [step for step in fault.steps if step.action is not fault.guilty]
    assert len(innocent) == len(fault.steps) - (fault.guilty is not None)
    assert sum(isinstance(step.action, Release | Switch) for step in innocent) >= 3
    assert 90 <= fault.begins <= 150


@each
def test_the_answer_uses_words_that_are_scored(fault: Fault) -> None:
    assert set(fault.kinds) <= set(FaultKind)
    assert set(fault.remediation) <= set(REMEDIATION_WORDS.values())
    assert bool(fault.kinds) == bool(fault.remediation) == (fault.guilty is not None)


@each
def test_flags_and_rules_exist(fault: Fault) -> None:
    for step in fault.steps:
        match step.action:
            case Switch(flag=name):
                assert name in FLAGS
            case NewRule(rule=name):
                assert name in RULES
            case _:
                assert said(step.action)
    assert set(fault.rules) <= set(RULES)


@each
def test_its_releases_are_commits_whose_reports_are_accepted(fault: Fault, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "shop")
    for release in releases(fault):
        assert release.service in SHIPPED
        commit = repository.commit(release)
        told = repository.change(release, commit, ChangeEvent.model_validate(MOMENT).at)
        assert told.diff is not None
        assert told.diff.startswith("diff --git")
        assert all(file.startswith(f"{release.service}/") for file in told.files)
        assert parse_change(told.model_dump(mode="json")) == told


def test_every_diff_is_used() -> None:
    used = {release.diff for fault in FAULTS for release in releases(fault)}
    assert used == {path.stem for path in DIFFS.glob("*.diff")}


def test_a_release_is_exported_without_the_repository(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "shop")
    repository.export(tmp_path / "release")
    assert {path.name for path in (tmp_path / "release").iterdir()} == set(SHIPPED)


def test_rules_are_expressions_that_prometheus_reads() -> None:
    group = rule_file(tuple(RULES))["groups"]
    assert isinstance(group, list)
    for rule in group[0]["rules"]:
        parsed(rule["expr"])


MOMENT = {"id": "-", "kind": "deploy", "at": "2026-11-24T04:00:00Z"}
