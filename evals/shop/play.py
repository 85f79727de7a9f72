"""Plays one fault: health, innocent changes, the fault, the page, the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from agent.errors import WhydownError
from agent.settings import Settings
from evals.cases import Case, NamedBy
from evals.recordings import ANSWERS
from evals.scorers import score
from evals.shop.alarms import Alarm
from evals.shop.asking import Asked, NoDiagnosis, ask, record, settings_of
from evals.shop.plan import Fault, Step, Stop, said
from evals.shop.result import Run, answer_of
from evals.shop.stage import Stage
from evals.shop.truth import truth_of
from tools.evidence import ChangeEvent, TimeWindow
from tools.recorded import Recording

PAGES_WITHIN = timedelta(seconds=110)
"""After it broke; what has not paged by then is not felt."""
SEEN_AFTER = timedelta(seconds=30)
"""How long the shop is watched after the page, so that a recording also holds what came of it."""

SETTLED_AFTER = timedelta(seconds=20)
"""After the first visitor; before, caches were cold and rates had no past."""

Tell = Callable[[str], None]


@dataclass
class Play:
    """One fault on its stage."""

    fault: Fault
    stage: Stage
    tell: Tell
    opened: datetime
    early: list[str] = field(default_factory=list[str])
    broke_at: datetime | None = None

    def until_paged(self) -> Alarm | None:
        """Do the steps at their times until somebody is paged for the fault, or nobody was in time."""
        for step in sorted(self.fault.steps, key=lambda step: step.at):
            alarm = self._wait(self.opened + timedelta(seconds=step.at))
            if alarm is not None:
                return alarm
            self._do(step)
        assert self.broke_at is not None
        return self._wait(self.broke_at + PAGES_WITHIN)

    def _do(self, step: Step) -> None:
        guilty = step.at == self.fault.begins
        started = datetime.now(UTC)
        self.stage.do(step.action)
        if guilty:
            self.broke_at = started if isinstance(step.action, Stop) else datetime.now(UTC)
        self.tell(f"{self._clock()} {'the fault: ' if guilty else ''}{said(step.action)}")

    def _wait(self, until: datetime) -> Alarm | None:
        """The first page for the fault before `until`; earlier pages are remembered."""
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0:
            alarm = self.stage.bell.wait(left)
            if alarm is not None and self.broke_at is not None:
                self.tell(f"{self._clock()} {alarm.name} pages")
                return alarm
            if alarm is not None:
                self.early.append(alarm.name)
        return None

    def _clock(self) -> str:
        return f"{(datetime.now(UTC) - self.opened).total_seconds():6.1f} s "


def play(fault: Fault, tell: Tell, recorded: Path | None = None, *, asks: bool = True) -> Run:
    """Run the fault on a new shop; what the shop left behind is saved as the recording `recorded`."""
    tell(f"{fault.name}: {fault.title}")
    with Stage(fault) as stage:
        opened = stage.open()
        this = Play(fault, stage, tell, opened)
        alarm = this.until_paged()
        run = Run(fault=fault.name, broke_at=this.broke_at or opened, early_alerts=tuple(this.early))
        if alarm is None:
            tell(f"  nobody was paged; answers: {dict(stage.visitors.answers)}")
            return run.model_copy(update={"trouble": "nobody was paged"})
        run = run.model_copy(update={"alert": alarm.name, "alerted_at": alarm.came_at})
        settings = settings_of(stage.store, stage.tables())
        if asks:
            run = _answered(run, fault, settings, alarm, _window(opened))
            tell(f"  answer: {answer_of(run)}; {'right' if run.right else 'wrong'}")
        time.sleep(max(0.0, (alarm.came_at + SEEN_AFTER - datetime.now(UTC)).total_seconds()))
        tell(f"  visitors got {dict(stage.visitors.answers)}; started again: {stage.restarts() or 'nothing'}")
        if recorded is not None:
            _keep_answer(fault, record(settings, alarm.sent, _window(opened), recorded), recorded)
    return run


def _window(opened: datetime) -> TimeWindow:
    """From when the shop had warmed up until now, whole seconds."""
    since, until = opened + SETTLED_AFTER, datetime.now(UTC) + timedelta(seconds=1)
    return TimeWindow(since=since.replace(microsecond=0), until=until.replace(microsecond=0))


def _keep_answer(fault: Fault, changes: Sequence[ChangeEvent], recorded: Path) -> None:
    """Write the answer beside the recording, never into it."""
    file = recorded.parent / ANSWERS
    known = orjson.loads(file.read_bytes()) if file.exists() else {}
    known[recorded.name] = truth_of(fault, changes).model_dump(mode="json", exclude_defaults=True)
    known[recorded.name].setdefault("cause", None)
    file.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


def _answered(run: Run, fault: Fault, settings: Settings, alarm: Alarm, window: TimeWindow) -> Run:
    try:
        asked = ask(settings, alarm.sent, window)
    except (WhydownError, NoDiagnosis) as error:
        return run.model_copy(update={"trouble": str(error)})
    case = Case(fault.name, _changes_alone(asked, alarm), truth_of(fault, asked.changes), NamedBy.CHANGE)
    result = score(case, asked.diagnosis, asked.queries)
    seconds = (datetime.now(UTC) - alarm.came_at).total_seconds()
    return run.model_copy(update={"result": result, "answer_seconds": seconds, "parts": asked.parts})


def _changes_alone(asked: Asked, alarm: Alarm) -> Recording:
    """What scoring needs of a recording: its changes."""
    changes: tuple[ChangeEvent, ...] = asked.changes
    window = TimeWindow(since=alarm.came_at - timedelta(hours=1), until=alarm.came_at + timedelta(hours=1))
    return Recording(name="live", alert=alarm.sent, window=window, changes=changes)
