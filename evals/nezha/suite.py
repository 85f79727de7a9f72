"""Suite `nezha`: a recording per fault of a Nezha export, and some of the stretches between faults.

A recording holds its own minute files, an hour of metrics, and as history the quiet parts of earlier minute files of the
same day; nothing that was recorded after its end. The fault list and the labels stay outside, but for the moment of the
alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from agent.errors import CallerError
from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from evals.nezha.days import Day, Fault, Minutes, day_named, find_days
from evals.nezha.recordings import Plan, record

BEFORE = timedelta(seconds=90)
"""Minute files reach back about a minute before their name; more than this is another incident's."""
AFTER = timedelta(minutes=3)
"""As far as a fault's minute files go."""
METRICS_AFTER = timedelta(minutes=4)
"""One sample a minute: the fourth is the first that is wholly after the last span."""
HISTORY_STRETCHES = 10
"""Quiet stretches behind a recording: enough calls of rare operations, and still few enough for a person's laptop."""
QUIET_MARGIN = timedelta(seconds=45)
"""A fault can be at work before the moment that is noted for it: a changed service is rolled out first, and the statement
that it no longer reaches falls silent up to a minute early. A quiet stretch ends so long before that moment."""
QUIET_ALERT_LEAD = timedelta(seconds=30)
"""An alert of a quiet stretch fires so long before its end, as long as spans go on after it at least."""
_QUIET = "quiet/"
_CONSTRUCT = "construct"


def find(data: Path) -> tuple[str, ...]:
    """Ids such as `2024-05-01/07`, the place of the fault among those of its day. Raises CallerError."""
    found = [f"{day.date}/{number:02d}" for day in _days(data) for number in range(len(_faults(data, day)))]
    if not found:
        raise CallerError(f"--data {data}: the fault lists in it are empty")
    return tuple(found)


def find_quiet(data: Path) -> tuple[str, ...]:
    """Ids such as `quiet/2024-05-01/construct` (the minute without a fault) and `quiet/2024-05-01/07` (before fault 07).

    The first fault of a day has no quiet past to compare with. Before a fault that was injected earlier that day already
    nothing is surely quiet: some were never taken back in between.
    """
    found: list[str] = []
    for day in _days(data):
        if day.quiet_minute() is not None:
            found.append(f"{_QUIET}{day.date}/{_CONSTRUCT}")
        faults = _faults(data, day)
        found += [f"{_QUIET}{day.date}/{number:02d}" for number in range(1, len(faults)) if _is_new(faults, number)]
    return tuple(found)


def load(data: Path, name: str) -> Case:
    """Read one case or quiet stretch; raises CaseError."""
    quiet = name.startswith(_QUIET)
    date, _, which = name.removeprefix(_QUIET).partition("/")
    day = day_named(data, date)
    if day is None:
        raise CaseError(f"{name}: there is no folder rca_data/{date}")
    faults = day.faults()
    if quiet and which == _CONSTRUCT:
        plan, truth = _without_fault(name, day), _no_fault()
    elif which.isascii() and which.isdigit() and int(which) < len(faults):
        fault = faults[int(which)]
        plan = _before_fault(day, fault) if quiet else _around_fault(day, fault)
        truth = _no_fault() if quiet else day.truth(fault)
    else:
        raise CaseError(f"{name}: the fault list of {date} has {len(faults)} faults")
    try:
        recording = record(day, plan)
    except OSError as error:
        raise CaseError(f"{name}: {error.filename}: cannot be read ({error.strerror})") from error
    return Case(id=name, recording=recording, truth=truth, named_by=NamedBy.SERVICE)


def _days(data: Path) -> tuple[Day, ...]:
    days = find_days(data)
    if not days:
        raise CallerError(f"--data {data}: no folder rca_data/<date> in it")
    return days


def _faults(data: Path, day: Day) -> tuple[Fault, ...]:
    try:
        return day.faults()
    except CaseError as error:
        raise CallerError(f"--data {data}: {error}") from error


def _is_new(faults: Sequence[Fault], number: int) -> bool:
    """Whether nothing like it was injected into the service before."""
    fault = faults[number]
    if faults[number - 1].service == fault.service:
        return False  # what was injected before is not always over
    return all((earlier.service, earlier.type) != (fault.service, fault.type) for earlier in faults[:number])


def _no_fault() -> Truth:
    return Truth(cause=None, group="quiet")


def _around_fault(day: Day, fault: Fault) -> Plan:
    return Plan(
        fired_at=fault.at,
        own=day.minutes_of(fault),
        since=fault.at - BEFORE,
        until=fault.at + AFTER,
        metrics_until=fault.at + METRICS_AFTER,
        history=_history(day, fault),
    )


def _before_fault(day: Day, fault: Fault) -> Plan:
    until = fault.at - QUIET_MARGIN
    return Plan(
        fired_at=until - QUIET_ALERT_LEAD,
        own=day.minutes_of(fault),
        since=until - BEFORE,
        until=until,
        metrics_until=until,
        history=_history(day, fault),
    )


def _without_fault(name: str, day: Day) -> Plan:
    own = day.quiet_minute()
    if own is None:
        raise CaseError(f"{name}: the minute without a fault was not recorded")
    frames = own.read()
    times = frames["spans"]["start"] if len(frames["spans"]) else frames["logs"]["timestamp"]
    if not len(times):
        raise CaseError(f"{name}: the minute without a fault holds nothing")
    # The middle by what was served, not by the clock: a few long requests reach far out.
    middle = _datetime(times.iloc[len(times) // 2]).replace(microsecond=0)
    end = _datetime(times.iloc[-1]) + timedelta(microseconds=1)
    return Plan(fired_at=middle, own=own, since=_datetime(times.iloc[0]), until=end, metrics_until=end, history=())


def _datetime(moment: pd.Timestamp) -> datetime:
    return moment.to_pydatetime()


def _history(day: Day, fault: Fault) -> tuple[tuple[Minutes, datetime], ...]:
    """The latest quiet stretches before a fault, each with the moment at which it ends."""
    earlier = [(day.minutes_of(each), each.at) for each in day.faults() if each.at < fault.at]
    quiet = day.quiet_minute()
    if quiet is not None and quiet.name < fault.at:
        earlier.append((quiet, fault.at))
    return tuple(sorted(earlier, key=lambda stretch: stretch[0].name)[-HISTORY_STRETCHES:])


SUITE = Suite(name="nezha", named_by=NamedBy.SERVICE, find=find, load=load, find_quiet=find_quiet)
