from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.errors import CallerError
from agent.incident import FaultKind
from evals.cases import CaseError, NamedBy
from evals.recordings import SUITE, answers
from evals.scorers import REMEDIATION_WORDS

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
NAMES = SUITE.find(FIXTURES)
SHOP = FIXTURES.parent / "shop-recordings"
OURS = [(folder, name) for folder in (FIXTURES, SHOP) for name in SUITE.find(folder)]


@pytest.mark.parametrize(("folder", "name"), OURS)
def test_our_recordings_have_answers_that_fit_them(folder: Path, name: str) -> None:
    case = SUITE.load(folder, name)
    assert case.named_by is NamedBy.CHANGE
    assert case.truth.cause not in case.truth.decoys
    assert len(case.truth.decoys) >= 3
    assert set(case.truth.kinds or ()) <= set(FaultKind)
    assert set(case.truth.remediation or ()) <= set(REMEDIATION_WORDS.values())


def test_every_answer_has_a_recording() -> None:
    assert set(answers(FIXTURES)) == set(NAMES)
    assert set(answers(SHOP)) == set(SUITE.find(SHOP))


def test_your_own_answers_stand_beside_the_recordings(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / NAMES[0], tmp_path / "mine")
    (tmp_path / "answers.json").write_text(json.dumps({"mine": {"cause": "none"}}), encoding="utf-8")
    assert SUITE.load(tmp_path, "mine").truth.cause == "none"
    assert SUITE.load(tmp_path / "mine", "mine").truth.cause == "none"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{}", "mine: no answer in"),
        ('{"mine": {}}', r"mine: the answer cannot be used \(cause: Field required\)"),
        ('{"mine": {"cause": "gremlins"}}', "mine: the answer names 'gremlins', which is no change of this recording"),
    ],
)
def test_an_answer_that_does_not_fit_costs_the_case(tmp_path: Path, written: str, told: str) -> None:
    shutil.copytree(FIXTURES / NAMES[0], tmp_path / "mine")
    (tmp_path / "answers.json").write_text(written, encoding="utf-8")
    with pytest.raises(CaseError, match=told):
        SUITE.load(tmp_path, "mine")


@pytest.mark.parametrize("written", ["{", "[]"])
def test_an_answers_file_that_is_no_object_stops_the_suite(tmp_path: Path, written: str) -> None:
    (tmp_path / "answers.json").write_text(written, encoding="utf-8")
    with pytest.raises(CallerError, match=r"answers\.json: (is not JSON|an object is needed)"):
        answers(tmp_path)


def test_a_folder_that_is_no_recording_costs_the_case(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "answers.json").write_text('{"mine": {"cause": null}}', encoding="utf-8")
    with pytest.raises(CaseError, match=r"alert\.json"):
        SUITE.load(tmp_path, "mine")
