"""Our incidents are what the simulator makes of them, and the committed recordings are what it made."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from pathlib import Path

import pytest
import typer

from evals.cases import Case
from evals.recordings import SUITE
from evals.simulator.__main__ import main
from evals.simulator.incidents import SCENARIOS
from evals.simulator.simulate import WARM_UP_S, build
from evals.simulator.telemetry import scrape
from tools.evidence import ChangeKind

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "recordings"
LARGEST_BYTES = 1_000_000
QUICK = ("archive-search-fails", "sign-in-codes-late")
"""Simulated in under two seconds; the others are compared when they are made anew."""


@cache
def case_of(name: str) -> Case:
    return SUITE.load(FIXTURES, name)


def unpacked(folder: Path) -> dict[str, bytes]:
    """Contents by name, unpacked: another zlib may pack the same content differently."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {n: gzip.decompress(p.read_bytes()) if n.endswith(".gz") else p.read_bytes() for n, p in files.items()}


@pytest.mark.parametrize("name", QUICK)
def test_the_committed_recording_can_be_made_again(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([name], tmp_path)
    assert unpacked(tmp_path / name) == unpacked(FIXTURES / name)
    assert capsys.readouterr().out.startswith(f"{name}: pages after")


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - set(QUICK)))
def test_the_first_minutes_of_the_longer_ones_can_be_made_again(name: str) -> None:
    scenario = SCENARIOS[name]
    world = build(scenario)
    for number in range(1, 9):
        world.clock.run(WARM_UP_S + number * scenario.interval_s)
        scrape(world, scenario.interval_s)
    made = [(s.service, s.metric, f"{s.value:.5g}") for s in world.telemetry.samples]
    rows = csv.DictReader(gzip.decompress((FIXTURES / name / "metrics.csv.gz").read_bytes()).decode().splitlines())
    kept = [(row["service"], row["metric"], row["value"]) for row in rows]
    assert made == kept[: len(made)]


def test_an_incident_that_nobody_wrote_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no incident is called 'moon-falls'; there are archive-search-fails"):
        main(["moon-falls"], tmp_path)


def test_every_incident_has_a_recording_and_the_reverse() -> None:
    assert set(SUITE.find(FIXTURES)) == set(SCENARIOS)
    assert all(scenario.name == name for name, scenario in SCENARIOS.items())


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_recording_is_small(name: str) -> None:
    assert sum(path.stat().st_size for path in (FIXTURES / name).rglob("*") if path.is_file()) < LARGEST_BYTES


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_guilty_change_is_the_one_that_broke_the_simulated_system(name: str) -> None:
    truth = case_of(name).truth
    broke = [change.id for change in SCENARIOS[name].changes if change.effect is not None]
    expected = [truth.cause] if truth.cause not in (None, "none") else []
    assert broke == expected or (truth.cause is None and len(broke) == 1)
    decoys = {change.id for change in SCENARIOS[name].changes if change.in_effect} - set(broke)
    assert set(truth.decoys) <= decoys


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_change_shows_its_diff_unless_the_installation_keeps_none(name: str) -> None:
    recording = case_of(name).recording
    committed = [change for change in recording.changes if change.kind is not ChangeKind.FLAG]
    assert len(committed) >= 3
    for change in committed:
        assert (change.diff is None) == (case_of(name).truth.cause is None)
        if change.diff:
            assert all(f"b/{file}" in change.diff for file in change.files)
