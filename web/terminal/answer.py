"""The answer on one screen: symptom, why, what to do; then hypotheses, ruled out, data gaps, blast radius."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.figures import counted, quantity, roughly
from agent.incident import Severity, Verdict
from web.report import Report
from web.terminal.claims import LABEL, QUIET, Detail, cited_rows, inline_ids
from web.terminal.hypotheses import ranked, share
from web.terminal.mitigations import what_to_do
from web.terminal.printable import printable, styled
from web.terminal.times import Day, beside

LABEL_WIDTH = 5
SCREEN_ROWS = 40
"""What an answer must fit, at 100 columns: the window of a laptop beside a chat."""
FULL = Detail(hypotheses=99, claims_of_first=99, claims_of_others=99, ruled_out=99, data_gaps=99, mitigations=99)
TERSE = Detail(
    hypotheses=2,
    claims_of_first=2,
    claims_of_others=1,
    ruled_out=2,
    data_gaps=1,
    mitigations=1,
    whole_claims=False,
)
WISHES = (
    "claims_of_first",
    "hypotheses",
    "claims_of_first",
    "claims_of_others",
    "ruled_out",
    "mitigations",
    "ruled_out",
    "data_gaps",
    "claims_of_first",
    "ruled_out",
    "data_gaps",
    "claims_of_first",
    "claims_of_others",
    "hypotheses",
    "ruled_out",
    "mitigations",
)
"""What a tired reader misses first, in this order: each grows by one entry as long as the answer still fits."""
ALARMING = {Severity.SEV1: "bold red", Severity.SEV2: "bold red", Severity.SEV3: "bold yellow", Severity.SEV4: "bold"}
BAR = 10


def fitted(report: Report, console: Console, rows: int = SCREEN_ROWS) -> RenderableType:
    """Return the answer in as much detail as fits `rows` lines at the console's width; the tersest if none does."""

    def fits(detail: Detail) -> bool:
        return len(console.render_lines(answer(report, detail), pad=False)) <= rows

    if fits(FULL):
        return answer(report, FULL)
    detail = TERSE
    for wish in WISHES:
        more = replace(detail, **{wish: getattr(detail, wish) + 1})
        detail = more if fits(more) else detail
    unbroken = replace(detail, whole_claims=True)
    return answer(report, unbroken if fits(unbroken) else detail)


def answer(report: Report, detail: Detail = FULL) -> Group:
    """Return the whole answer in reading order, with as much of each part as `detail` allows."""
    day = Day.of(report.alert.fired_at)
    parts: list[RenderableType] = [symptom(report, day), Text()]
    head = Table.grid(padding=(0, 1, 0, 0), expand=True)
    head.add_column(width=LABEL_WIDTH)
    head.add_column(ratio=1, overflow="fold")
    head.add_row(Text("Why", LABEL), Group(*why(report, day)))
    head.add_row()
    head.add_row(Text("Do", LABEL), Group(*what_to_do(report, day, detail)))
    parts += [head, *_below(report, day, detail)]
    return Group(*parts)


def symptom(report: Report, day: Day) -> Text:
    """Return one line: severity, what users feel where, how bad against which limit, and when it was noticed."""
    alert, felt = report.alert, report.symptom
    metric = alert.metric or felt.metric
    line = Text()
    line.append(report.severity or "SEV?", ALARMING.get(report.severity, LABEL) if report.severity else LABEL)
    line.append(f"  {printable(felt.service)} {felt.signal}", LABEL)
    line.append(f" ({printable(metric)})" if metric else "")
    if alert.observed is not None:
        line.append(f" {quantity(alert.observed, metric=metric)}", LABEL)
    if alert.threshold is not None:
        line.append(f", threshold {quantity(alert.threshold, metric=metric)}")
    line.append(f" · alert {day.clock(alert.fired_at)} UTC, {day}", QUIET)
    return line


def why(report: Report, day: Day) -> Iterator[RenderableType]:
    """Yield the answer, how sure it is and what that means, its chain to the symptom, and when and where it began."""
    yield Text.assemble(styled(report.answer.text, LABEL), " ", (inline_ids(report.answer), QUIET))
    if report.verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        yield Text("The candidates below are leads, not answers.")
    elif report.leading:
        yield confidence(report.leading.confidence)
    if report.leading and report.leading.causal_chain and report.verdict is not Verdict.NOT_ENOUGH_EVIDENCE:
        yield Text.assemble(("chain  ", QUIET), styled(" → ".join(link.text for link in report.leading.causal_chain)))
    yield began(report, day)


def confidence(value: float) -> Text:
    """Return the figure, a bar, and what the figure means."""
    full = round(value * BAR)
    meaning = "answers this sure were right at least that often on recorded incidents"
    return Text.assemble((f"{share(value)} ", LABEL), "▓" * full, "░" * (BAR - full), (f"  {meaning}", QUIET))


def began(report: Report, day: Day) -> Text:
    first = f", first in {report.first_failing_service}" if report.first_failing_service else ""
    return Text.assemble(
        ("began  ", QUIET),
        f"{day.clock(report.onset)} ±{roughly(report.onset_uncertainty)}, "
        f"{beside(report.onset, report.alert.fired_at, 'the alert')}{printable(first)}",
    )


def _below(report: Report, day: Day, detail: Detail) -> Iterator[RenderableType]:
    whole = detail.whole_claims
    if report.hypotheses:
        title = _counted("Hypotheses", len(report.hypotheses), detail.hypotheses)
        yield from (Text(), title, *ranked(report, day, detail))
    if report.ruled_out:
        cleared = report.ruled_out[: detail.ruled_out]
        rows = [("×", Text.assemble(styled(c.title), ": ", styled(c.reason.text)), c.reason) for c in cleared]
        title = _counted("Ruled out", len(report.ruled_out), detail.ruled_out)
        yield from (Text(), title, cited_rows(rows, whole=whole))
    if report.data_gaps:
        gaps = [("?", styled(gap.claim.text), gap.claim) for gap in report.data_gaps[: detail.data_gaps]]
        title = _counted("Data gaps", len(report.data_gaps), detail.data_gaps)
        yield from (Text(), title, cited_rows(gaps, whole=whole))
    radius = report.blast_radius
    if radius.services or radius.users:
        named = f"{counted(len(radius.services), 'service')}: {', '.join(radius.services)}" if radius.services else ""
        told = "; ".join(part for part in (radius.users, named) if part)
        yield from (Text(), Text.assemble(("Blast radius  ", LABEL), styled(told)))
    yield from (Text(), _where_more(report, detail))


def _counted(title: str, total: int, limit: int) -> Text:
    """Return a heading with how many there are, and how many of them are shown when that is fewer."""
    return Text(f"{title} ({total})" if total <= limit else f"{title} ({limit} of {total})", LABEL)


def _where_more(report: Report, detail: Detail) -> Text:
    everything = "" if detail == FULL else f"Everything: whydown incidents {report.incident} · "
    return Text(f"{everything}Evidence: whydown evidence {report.incident} ID", QUIET)
