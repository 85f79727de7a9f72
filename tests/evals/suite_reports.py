"""Reports of made-up suites, for tests of what is made of reports."""

from __future__ import annotations

from datetime import timedelta

from evals.cases import CaseResult, Told, Truth
from evals.comparison import RowResult
from evals.one_case import Attempt, Outcome, Skipped
from evals.perturb import PLAIN, Variant
from evals.report import Report
from tests.evals.incident_folders import answered, ranked, result

CPU = Truth(cause="x", kinds=("cpu",), group="cpu_contention")
QUIET = Truth(cause=None, group="quiet")


def cases_of(right: int, wrong: int, truth: Truth = CPU) -> list[CaseResult]:
    """Answers with a confidence of 0.9 when right and 0.6 when wrong."""
    return [
        *(answered("x", 0.9, truth, id=f"right-{place}") for place in range(right)),
        *(answered("y", 0.6, truth, id=f"wrong-{place}") for place in range(wrong)),
    ]


def report_of(
    *cases: CaseResult,
    label: str = "petshop",
    analyst: str = "statistics",
    late: tuple[CaseResult, ...] = (),
    alarms: tuple[bool, ...] = (),
    variant: Variant = PLAIN,
) -> Report:
    """A report of these cases, of what `late` made of each, and of quiet stretches with or without an alarm."""
    shifted = Variant(shift=timedelta(seconds=60))
    baro = {"baro": RowResult(hit_rank=2)}
    pairs = zip(cases, late, strict=True) if late else ((case,) for case in cases)
    stretches = [
        result(f"quiet/{n}", QUIET, ranked=ranked(("y", 0.8 if loud else 0.1))) for n, loud in enumerate(alarms)
    ]
    return Report.of(
        suite="petshop",
        label=label,
        commit="c0ffee",
        analyst=analyst,
        outcomes=[
            *(Outcome(attempts=tuple(Attempt(each, rivals=baro) for each in pair)) for pair in pairs),
            Outcome(skipped=Skipped(id="torn", reason="cannot be read")),
        ],
        variants=(variant, shifted) if late else (variant,),
        stretches=[Outcome(attempts=(Attempt(each),)) for each in stretches],
    )


STORY = (
    Told(place=0, part="answer", text="cart <b>did</b> it", queries=('metric_range(service="cart")',)),
    Told(place=1, part="mechanism", text="cart uses more processor"),
    Told(place=1, part="chain", text="cpu rose", queries=('metric_range(metric="cpu")',)),
    Told(place=1, part="against", text="no change was made", queries=("changes()",)),
    Told(place=0, part="gap", text="no logs", queries=("log_lines()",)),
)
