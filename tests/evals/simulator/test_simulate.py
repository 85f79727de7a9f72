from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evals.simulator.scenario import Change, Happening, Monitor, Part, Scenario, Traffic
from evals.simulator.simulate import NoAlert, simulate
from evals.simulator.steps import Compute, Refuse
from evals.simulator.system import Operation, Sizing, World
from evals.simulator.writing import write_recording
from tools.evidence import ChangeKind, Edge
from tools.recorded import read_recording


def break_it(world: World) -> None:
    world.services["shop"].operations["buy"] = Operation((Refuse(0.5, "sold out"),))


SCENARIO = Scenario(
    name="shop-fails",
    seed=3,
    started_at=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
    parts={"shop": Part(Sizing(workers=4, cores=2), {"buy": Operation((Compute(5.0),), "bought in {ms}ms", 0.2)})},
    traffic=(Traffic("shop", "buy", lambda minute: 5.0),),
    monitor=Monitor("shop errors", "shop", "http_request_error_ratio", 0.2, 2, "shop fails"),
    changes=(
        Change("shop-1", ChangeKind.DEPLOY, 4, "one", "ann", "shop", "1", ("a.py",), diff="-x\n+y", effect=break_it),
        Change("merged", ChangeKind.DEPLOY, 3, "two", "bob", in_effect=False, effect=break_it),
        Change("flag-f", ChangeKind.FLAG, -20, "f", "bob", "shop", before="off", after="on"),
        Change("later", ChangeKind.DEPLOY, 90, "three", "bob", "shop", "2"),
    ),
    edges=(Edge(caller="web", callee="shop"),),
    status_feed={"source": "skyhost", "events": []},
    runbooks={"shop": "# shop\n\nTurn it off and on.\n"},
    minutes_after_alert=1.0,
    longest_minutes=15.0,
    traces_per_minute=20.0,
)


def test_the_monitor_pages_after_the_change_and_not_before(tmp_path: Path) -> None:
    simulated = simulate(SCENARIO)
    assert simulated.fired_at == 5 * 60
    assert simulated.observed > 0.2
    write_recording(SCENARIO, simulated, tmp_path / "shop-fails")
    recording = read_recording(tmp_path / "shop-fails")
    assert recording.notes == ()
    assert recording.alert["fired_at"] == "2026-01-01T12:05:00.000Z"
    assert [change.id for change in recording.changes] == ["flag-f", "merged", "shop-1"]
    guilty = recording.changes[-1]
    assert guilty.at == datetime(2026, 1, 1, 12, 4, tzinfo=UTC)
    assert guilty.commit is not None
    assert recording.changes[0].commit is None
    assert recording.edges == SCENARIO.edges
    assert recording.runbooks[0].title == "shop"
    assert recording.logs is not None
    assert "shop 1 started" in set(recording.logs["body"])
    assert recording.spans is not None
    assert recording.spans["start"].min() >= SCENARIO.started_at


def test_what_is_withheld_is_not_there(tmp_path: Path) -> None:
    everything = frozenset({"logs", "traces", "topology", "diffs", "metrics:shop"})
    scenario = replace(SCENARIO, withheld=everything, status_feed=None, runbooks={})
    write_recording(scenario, simulate(scenario), tmp_path / "r")
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"alert.json", "changes.json", "metrics.csv.gz"}
    recording = read_recording(tmp_path / "r")
    assert recording.metrics is None
    assert all(change.diff is None for change in recording.changes)


def test_the_same_scenario_gives_the_same_bytes_and_leaves_nothing_old_behind(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"old-{name}.json").write_text("{}", encoding="utf-8")
        write_recording(SCENARIO, simulate(SCENARIO), tmp_path / name)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir() if p.is_file()} for n in "ab")
    assert first == second


def test_a_scenario_without_an_alert_is_no_incident() -> None:
    with pytest.raises(NoAlert, match="did not page within 6 minutes"):
        simulate(replace(SCENARIO, changes=(), longest_minutes=6))


def test_a_monitor_may_watch_for_too_little() -> None:
    def nobody_comes(world: World) -> None:
        world.services["shop"].finished.clear()

    silent = Monitor("shop traffic", "shop", "http_request_rate", 3.0, 1, "nobody buys", wrong_side="below")
    happenings = tuple(Happening(4 + step / 10, nobody_comes) for step in range(30))
    simulated = simulate(replace(SCENARIO, changes=(), monitor=silent, happenings=happenings))
    assert 4 * 60 < simulated.fired_at <= 6 * 60
    assert simulated.observed < 3.0
