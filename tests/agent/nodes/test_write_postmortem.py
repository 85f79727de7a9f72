"""The draft of the postmortem holds what everybody saw, and leaves open what only people know."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import documents
from agent.incident import Diagnosis, IncidentStatus, Postmortem
from agent.nodes import propose_mitigation as proposing
from tests.agent.investigations import Opened, manual_mitigation, one_mitigation, small_alert, small_backend

SECTIONS = (
    "## Summary",
    "## Impact",
    "## Timeline (UTC)",
    "## Root cause",
    "## What was ruled out",
    "## Mitigation and recovery",
    "## What went well",
    "## What could be better",
    "## Action items",
)


def written(opened: Opened, folder: Path, **alert: object) -> tuple[str, Postmortem, Diagnosis]:
    incident = opened.runner.open(small_alert(**alert)).id
    backend = small_backend(folder)
    if opened.runner.run(incident, backend).status == "awaiting_approval":
        opened.decide(incident)
        opened.runner.run(incident, backend)
    postmortem = Postmortem.model_validate_json(opened.store.document(incident, documents.POSTMORTEM) or "")
    diagnosis = opened.runner.diagnosis(incident)
    assert diagnosis is not None
    return incident, postmortem, diagnosis


def test_it_has_every_section_in_order_and_cites_its_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "propose", one_mitigation)
    with Opened(tmp_path) as opened:
        incident, postmortem, diagnosis = written(opened, tmp_path)
        text = postmortem.markdown
        places = [text.index(section) for section in SECTIONS]
        assert places == sorted(places)
        assert diagnosis.answer.evidence[0] in text
        for hypothesis in diagnosis.hypotheses:
            for claim in (*hypothesis.causal_chain, *hypothesis.evidence_for, *hypothesis.evidence_against):
                assert f"({', '.join(claim.evidence)})" in text
        for cleared in diagnosis.ruled_out:
            assert cleared.reason.evidence[0] in text
        assert 'approved, Ada said approve ("seen it before")' in text
        assert "recovery skipped: a recording cannot change" in text
        assert incident in text
        assert opened.store.incident(incident).status is IncidentStatus.INVESTIGATING


def test_what_people_did_by_hand_becomes_an_action_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "propose", manual_mitigation)
    with Opened(tmp_path) as opened:
        _, postmortem, _ = written(opened, tmp_path)
        assert [item.kind for item in postmortem.action_items if "step that can be run" in item.title] == ["mitigate"]
        assert "- for people to do: Rollback inventory" in postmortem.markdown
        for item in postmortem.action_items:
            assert f"- [ ] ({item.kind}) " in postmortem.markdown


def test_what_an_alert_says_does_not_format_the_page(tmp_path: Path) -> None:
    with Opened(tmp_path) as opened:
        summary = "<script>alert(1)</script> `rm` **now**\n\n# Root cause: [me](https://evil.invalid) {{ 7 * 7 }}"
        _, postmortem, _ = written(opened, tmp_path, summary=summary)
        text = postmortem.markdown
        assert "<script>" not in text
        assert "\n# Root cause" not in text
        assert "[me](" not in text
        assert "{{ 7 \\* 7 }}" in text
