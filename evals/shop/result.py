"""What came of one run, as it is kept and as it is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, TypeAdapter

from evals.cases import CaseResult
from evals.shop.faults import FAULTS, fault_named
from tools.evidence import Frozen, UtcDatetime

COMMAND = "python -m evals.shop all --out DIR"
HEAD = (
    "| what people saw | what was done | alert | s to the alert | s to the answer | right | place | answer |",
    "|---|---|---|---|---|---|---|---|",
)


class Run(Frozen):
    """One fault, run once."""

    fault: str
    """Name of the fault."""
    broke_at: UtcDatetime
    alert: str | None = None
    """Name of the rule that paged; None where none did in time."""
    alerted_at: UtcDatetime | None = None
    """When the page came in."""
    early_alerts: tuple[str, ...] = ()
    """Rules that paged before anything was wrong."""
    answer_seconds: float | None = None
    """From the page to the ranked answer."""
    parts: dict[str, float] = Field(default_factory=dict[str, float])
    """Working seconds by part of the investigation."""
    result: CaseResult | None = None
    trouble: str | None = None
    """Why there is no answer, in one line."""

    @property
    def alert_seconds(self) -> float | None:
        return None if self.alerted_at is None else (self.alerted_at - self.broke_at).total_seconds()

    @property
    def right(self) -> bool:
        return self.result is not None and self.result.right


RUNS = TypeAdapter(tuple[Run, ...])


def keep(runs: Sequence[Run], file: Path) -> None:
    """Write the runs as JSON, without their stories' length in mind: they are for whoever asks why."""
    file.write_bytes(RUNS.dump_json(tuple(runs), indent=1))


def table(runs: Sequence[Run]) -> str:
    """The runs as a Markdown table, in the order of the faults."""
    order = [fault.name for fault in FAULTS]
    rows = [_row(run) for run in sorted(runs, key=lambda run: order.index(run.fault))]
    right = sum(run.right for run in runs)
    return "\n".join([*HEAD, *rows, "", f"{right} of {len(runs)} right. Made by `{COMMAND}`."]) + "\n"


def answer_of(run: Run) -> str:
    """The answer in a few words."""
    if run.result is None:
        return run.trouble or "none"
    leading = run.result.ranked[0] if run.result.ranked else None
    said = run.result.verdict.replace("_", " ") if run.result.abstained else ""
    if leading is None:
        return said
    place = f"{leading.kind.replace('_', ' ')} in {leading.service}, {leading.confidence:.2f}"
    return f"{said}{': ' if said else ''}{leading.cause} ({place})"


def _row(run: Run) -> str:
    fault = fault_named(run.fault)
    leading = run.result.ranked[0] if run.result and run.result.ranked else None
    cells = (
        run.fault,
        fault.title if fault else "",
        run.alert or "none came",
        "" if run.alert_seconds is None else f"{run.alert_seconds:.0f}",
        "" if run.answer_seconds is None else f"{run.answer_seconds:.1f}",
        _word(run.right),
        "" if fault is None or not fault.service else _word(leading is not None and leading.service == fault.service),
        answer_of(run),
    )
    return f"| {' | '.join(cells)} |"


def _word(yes: bool) -> str:
    return "yes" if yes else "no"
