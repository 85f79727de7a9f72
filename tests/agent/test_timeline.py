from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import assume, given, settings, strategies as st

from agent.incident import TimelineEntry, TimelineKind
from agent.timeline import TimelineDraft, chain, verify
from tests.agent.store_samples import START
from tests.agent.values import value_of

LOOSE = st.lists(value_of(TimelineEntry), min_size=1, max_size=6)


def chained(loose: list[TimelineEntry]) -> list[TimelineEntry]:
    entries: list[TimelineEntry] = []
    for entry in loose:
        entries.append(chain(entries[-1] if entries else None, entry))
    return entries


@given(LOOSE)
def test_a_chain_stands_as_it_was_written(loose: list[TimelineEntry]) -> None:
    entries = chained(loose)
    assert verify(entries) is None
    assert [entry.seq for entry in entries] == list(range(1, len(loose) + 1))


@pytest.mark.parametrize("field", list(TimelineEntry.model_fields))
@given(loose=LOOSE, data=st.data())
@settings(max_examples=40)
def test_a_change_of_any_field_of_any_entry_shows(field: str, loose: list[TimelineEntry], data: st.DataObject) -> None:
    entries = chained(loose)
    index = data.draw(st.integers(0, len(entries) - 1))
    forged = getattr(data.draw(value_of(TimelineEntry)), field)
    assume(forged != getattr(entries[index], field))
    entries[index] = entries[index].model_copy(update={field: forged})
    assert verify(entries) == index + 1


@given(LOOSE, st.data())
def test_a_missing_entry_shows_where_it_is_missing(loose: list[TimelineEntry], data: st.DataObject) -> None:
    entries = chained([*loose, loose[0]])
    index = data.draw(st.integers(0, len(entries) - 2))
    del entries[index]
    assert verify(entries) == index + 1


@given(LOOSE, st.data())
def test_two_entries_that_changed_places_show(loose: list[TimelineEntry], data: st.DataObject) -> None:
    entries = chained([*loose, loose[0]])
    index = data.draw(st.integers(0, len(entries) - 2))
    entries[index], entries[index + 1] = entries[index + 1], entries[index]
    assert verify(entries) == index + 1


@given(LOOSE, value_of(TimelineEntry), st.data())
def test_an_entry_slipped_in_with_a_hash_of_its_own_shows_at_the_next(
    loose: list[TimelineEntry], extra: TimelineEntry, data: st.DataObject
) -> None:
    entries = chained(loose)
    index = data.draw(st.integers(0, len(entries) - 1))
    forged = chain(entries[index - 1] if index else None, extra)
    assume(forged != entries[index])
    entries.insert(index, forged)
    assert verify(entries) == index + 2


def test_nothing_is_a_whole_timeline() -> None:
    assert verify([]) is None


def test_a_draft_takes_the_moment_of_writing_unless_it_brings_its_own() -> None:
    draft = TimelineDraft(kind=TimelineKind.PROBE, text="asked", by="ana", node="probe", evidence=("E1",), key="k")
    entry = draft.entry(START)
    assert (entry.at, entry.kind, entry.text, entry.by) == (START, TimelineKind.PROBE, "asked", "ana")
    assert (entry.node, entry.evidence, entry.took) == ("probe", ("E1",), None)
    earlier = START - timedelta(hours=1)
    assert draft.model_copy(update={"at": earlier}).entry(START).at == earlier


def test_the_hash_is_what_the_contract_says() -> None:
    """Computed by hand, so that an innocent change of the canonical form does not break every stored chain."""
    first = chain(None, TimelineEntry(seq=0, at=START, kind=TimelineKind.ALERT, text="é", took=timedelta(seconds=1.5)))
    canonical = (
        '{"at":"2026-06-18T15:00:00Z","by":"whydown","evidence":[],"kind":"alert","node":"","previous":"",'
        '"seq":1,"text":"é","took":"PT1.5S"}'
    )
    assert first.hash == hashlib.sha256(canonical.encode()).hexdigest()
