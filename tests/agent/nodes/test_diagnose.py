"""Diagnose: nothing is said that cannot be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import documents
from agent.analysis.ranking import Ranking, rank
from agent.citations import cited_by
from agent.incident import Claim, Diagnosis, TimelineKind, Verdict
from agent.nodes import diagnose as diagnose_module
from agent.nodes.diagnose import diagnose
from tests.agent.investigations import Opened, gathered, small_backend


def test_what_it_stores_cites_what_is_stored(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        step = diagnose(gathered(desk), desk)
        diagnosis = desk.get(documents.DIAGNOSIS, Diagnosis)
        assert cited_by(diagnosis) <= desk.known_evidence()
        assert step.entries[0].kind is TimelineKind.DIAGNOSIS
        assert step.entries[0].text.startswith(diagnosis.answer.text)
        assert len([e for e in step.entries if e.text.startswith("ruled out: ")]) == min(5, len(diagnosis.ruled_out))


def test_an_invented_citation_is_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def inventive(*arguments: object) -> Ranking:
        ranking = rank(*arguments)  # type: ignore[arg-type]
        invented = Claim(text="it was the moon", evidence=("Emoon",))
        moon = ranking.diagnosis.model_copy(update={"answer": invented, "verdict": Verdict.NO_CHANGE})
        return ranking.model_copy(update={"diagnosis": moon})

    monkeypatch.setattr(diagnose_module, "rank", inventive)
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        state = gathered(desk)
        step = diagnose(state, desk)
        diagnosis = desk.get(documents.DIAGNOSIS, Diagnosis)
        assert diagnosis.verdict is Verdict.NOT_ENOUGH_EVIDENCE
        assert diagnosis.answer.evidence == (state.evidence[0],)
        assert "moon" not in "".join(entry.text for entry in step.entries)


def test_a_claim_of_a_hypothesis_that_cites_nothing_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def inventive(*arguments: object) -> Ranking:
        ranking = rank(*arguments)  # type: ignore[arg-type]
        first, *others = ranking.diagnosis.hypotheses
        invented = Claim(text="it was the moon", evidence=("Emoon",))
        first = first.model_copy(update={"evidence_for": (*first.evidence_for, invented)})
        moon = ranking.diagnosis.model_copy(update={"hypotheses": (first, *others)})
        return ranking.model_copy(update={"diagnosis": moon})

    monkeypatch.setattr(diagnose_module, "rank", inventive)
    with Opened(tmp_path) as opened:
        desk = opened.desk(small_backend(tmp_path))
        step = diagnose(gathered(desk), desk)
        assert step.entries[-1].text == "left out: 1 claim that cites what could not be fetched"
        assert "moon" not in desk.get(documents.DIAGNOSIS, Diagnosis).model_dump_json()
