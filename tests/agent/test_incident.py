from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import BaseModel, ValidationError

import agent.incident
import tools.evidence
from agent.incident import Alert, Claim, Incident
from tests.agent.values import models_of, value_of

MODELS = models_of(agent.incident) + models_of(tools.evidence)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_every_value_survives_json(model: type[BaseModel], data: st.DataObject) -> None:
    value = data.draw(value_of(model))
    assert model.model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_value_refuses_a_field_it_does_not_know(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="colour"):
        model.model_validate({"colour": "blue"})


@given(value_of(Incident))
@settings(max_examples=5)
def test_a_value_cannot_be_changed(incident: Incident) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        incident.title = "other"


def test_a_claim_without_evidence_cannot_be_built() -> None:
    with pytest.raises(ValidationError, match="evidence"):
        Claim(text="the database is slow", evidence=())


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        Alert.model_validate({"service": "web", "fired_at": "2026-06-18T15:00:00"})


def test_a_moment_in_another_zone_is_kept_in_utc() -> None:
    alert = Alert.model_validate({"service": "web", "fired_at": "2026-06-18T17:00:00+02:00"})
    assert alert.fired_at.isoformat() == "2026-06-18T15:00:00+00:00"
