"""Where a run's results go: files, and the gate. Checked before the hours of work, written after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import CallerError
from evals.page import page
from evals.pooled import Pooled
from evals.report import Report
from evals.runner import Plan
from evals.scorecard import Scorecard, be_plain, read_scorecard, regressions


@dataclass(frozen=True)
class Outputs:
    """The files that were asked for, each None where it was not."""

    json: Path | None = None
    html: Path | None = None
    markdown: Path | None = None
    write_scorecard: Path | None = None
    gate: Path | None = None
    """A scorecard that the run is compared with."""
    stories: bool = False
    """Keep in the JSON what each answer said and rested on."""

    def check(self, plan: Plan | None = None) -> None:
        """Raise CallerError when a file could not be written or read at the end, or the plan is no norm."""
        for option, path in self._written():
            if path is not None and not path.parent.is_dir():
                raise CallerError(f"{option} {path}: there is no folder {path.parent}")
        if plan is not None and (self.gate or self.write_scorecard):
            be_plain(plan.label or "--gate", plan.analyst, plan.variant.name)
        if self.gate is not None:
            read_scorecard(self.gate)

    def write(self, reports: Sequence[Report], shown: Report | Pooled) -> None:
        """Write what was asked for: `shown` as JSON and Markdown, all reports on the page and in the scorecard."""
        if self.json is not None:
            text = shown.as_json(stories=self.stories) if isinstance(shown, Report) else shown.as_json()
            self.json.write_text(text, encoding="utf-8")
        if self.markdown is not None:
            self.markdown.write_text(shown.as_markdown(), encoding="utf-8")
        if self.html is not None:
            self.html.write_text(page(reports), encoding="utf-8")
        if self.write_scorecard is not None:
            known = read_scorecard(self.write_scorecard) if self.write_scorecard.exists() else Scorecard()
            self.write_scorecard.write_text(known.updated(reports).as_json(), encoding="utf-8")

    def regressions(self, reports: Sequence[Report]) -> tuple[str, ...]:
        """One line for each figure that fell out of the gate; empty without a gate."""
        if self.gate is None:
            return ()
        card = read_scorecard(self.gate)
        return tuple(line for report in reports for line in regressions(card, report))

    def _written(self) -> Iterator[tuple[str, Path | None]]:
        yield from (("--out", self.json), ("--html", self.html), ("--markdown", self.markdown))
        yield "--write-scorecard", self.write_scorecard
