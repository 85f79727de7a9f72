"""The catalogue is data; these tests keep it readable, complete and free of contradictions."""

from __future__ import annotations

import pytest

from agent.analysis.catalogue import Mechanism, Trait, mechanisms, traits
from agent.analysis.edits import EditKind


def test_it_is_broad() -> None:
    assert len(mechanisms()) >= 60
    assert sum(m.condition for m in mechanisms().values()) >= 10


@pytest.mark.parametrize("mechanism", mechanisms().values(), ids=lambda m: m.id)
def test_every_mechanism_is_whole(mechanism: Mechanism) -> None:
    named = set(mechanism.produces) | set(mechanism.refutes) | set(mechanism.needs)
    assert named <= set(traits()), named - set(traits())
    assert not set(mechanism.produces) & set(mechanism.refutes)
    assert all(0 < typical <= 1 for typical in mechanism.produces.values())
    assert mechanism.verify
    assert mechanism.prevent
    if mechanism.condition:
        assert mechanism.needs
        assert not mechanism.edits
    elif mechanism.located:  # it stands where it was seen
        assert not mechanism.edits
        assert not mechanism.where
    else:
        assert mechanism.where
        assert mechanism.edits or mechanism.shown_by


@pytest.mark.parametrize("mechanism", mechanisms().values(), ids=lambda m: m.id)
def test_every_mechanism_has_a_typical_sign_unless_it_is_generic(mechanism: Mechanism) -> None:
    if not (mechanism.generic or mechanism.shown_by):
        assert max(mechanism.produces.values()) >= 0.6


def test_every_kind_of_behaving_edit_is_used() -> None:
    used = {kind for m in mechanisms().values() for rule in m.edits for kind in rule.kind}
    unused = set(EditKind) - used - {EditKind.ERROR_HANDLING_ADDED, EditKind.TEXT, EditKind.STYLE}
    assert not unused


@pytest.mark.parametrize("trait", traits().values(), ids=lambda t: t.id)
def test_every_trait_is_used_and_says_something(trait: Trait) -> None:
    assert trait.says
    assert any(trait.id in m.produces or trait.id in m.refutes or trait.id in m.needs for m in mechanisms().values())
