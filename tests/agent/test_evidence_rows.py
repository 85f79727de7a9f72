from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pydantic import JsonValue

from agent.errors import CallerError, OperatorError
from agent.evidence_rows import pack, unpack
from agent.store import Store
from tests.agent.store_samples import Clock, evidence, incident_in, plain, url_of
from tests.agent.test_timeline_rows import forge

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), Clock()) as opened:
        yield opened


@pytest.fixture
def incident(store: Store) -> str:
    return incident_in(store)


@given(st.lists(JSON, max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_result_comes_back_as_it_was(store: Store, incident: str, result: list[JsonValue]) -> None:
    value = evidence(result).model_copy(update={"id": evidence(result).digest[:12]})
    store.put_evidence(incident, value, result)
    assert store.evidence(incident, value.id) == (value, result)


def test_the_same_evidence_again_changes_nothing(store: Store, incident: str) -> None:
    value = evidence([1, 2])
    store.put_evidence(incident, value, [1, 2])
    store.put_evidence(incident, value, [1, 2])
    assert store.evidence_list(incident) == [value]
    assert store.reruns(incident, value.id) == []


def test_another_answer_to_the_same_question_is_noted_and_the_first_one_stays(store: Store, incident: str) -> None:
    first, second, third = evidence([1, 2]), evidence([1, 3]), evidence([1, 4])
    assert first.id == second.id == third.id
    store.put_evidence(incident, first, [1, 2])
    for _ in range(2):
        store.put_evidence(incident, second, [1, 3])
        store.put_evidence(incident, third, [1, 4])
    assert store.evidence(incident, first.id) == (first, [1, 2])
    assert sorted(store.reruns(incident, first.id)) == sorted([second.digest, third.digest])


def test_evidence_belongs_to_its_incident(store: Store, incident: str) -> None:
    other = incident_in(store, "web")
    store.put_evidence(incident, evidence([1]), [1])
    store.put_evidence(other, evidence([2]), [2])
    assert store.evidence(other, evidence().id)[1] == [2]
    assert store.reruns(other, evidence().id) == []


def test_evidence_is_listed_in_the_order_it_came(tmp_path: Path) -> None:
    clock = Clock()
    with Store.open(url_of(tmp_path), clock) as store:
        incident = incident_in(store)
        values = [evidence([n], service) for n, service in enumerate(["web", "basket", "price"])]
        for n, value in enumerate(values):
            clock.forward(timedelta(seconds=1))
            store.put_evidence(incident, value, [n])
        assert store.evidence_list(incident) == values


def test_a_digest_that_is_not_the_results_is_refused(store: Store, incident: str) -> None:
    with pytest.raises(CallerError, match="is not that of its result"):
        store.put_evidence(incident, evidence([1]), [2])


def test_unknown_evidence_is_the_callers_error(store: Store, incident: str) -> None:
    with pytest.raises(CallerError, match="has no evidence 'E0'"):
        store.evidence(incident, "E0")


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("result = ?", pack("[1,3]")),
        ("result = ?", pack("[1,")),
        ("result = ?", b"no zlib"),
        ("value = replace(value, 'rose', ?)", "fell"),
        ("value = replace(value, 'basket', ?)", "web"),
        ("value = ?", "{}"),
        ("id = ?", "E00000000"),
    ],
)
def test_evidence_changed_behind_our_back_is_never_shown(
    store: Store, incident: str, tmp_path: Path, change: str, value: object
) -> None:
    store.put_evidence(incident, evidence([1, 2]), [1, 2])
    forge(tmp_path, f"UPDATE evidence SET {change}", value)
    name = value if change == "id = ?" else evidence().id
    with pytest.raises(OperatorError, match=rf"^evidence {name} was changed outside whydown: [^\n]+$"):
        store.evidence(incident, str(name))


def test_a_changed_row_is_not_listed_either(store: Store, incident: str, tmp_path: Path) -> None:
    store.put_evidence(incident, evidence([1, 2]), [1, 2])
    forge(tmp_path, "UPDATE evidence SET value = replace(value, 'rose', 'fell')")
    with pytest.raises(OperatorError, match="was changed outside whydown"):
        store.evidence_list(incident)


def test_a_large_result_is_kept_small(store: Store, incident: str, tmp_path: Path) -> None:
    result: list[JsonValue] = [{"timestamp": f"2026-06-18T15:{n % 60:02}:00Z", "value": n} for n in range(20_000)]
    store.put_evidence(incident, evidence(result), result)
    assert store.evidence(incident, evidence(result).id)[1] == result
    connection = plain(tmp_path)
    (size,) = connection.execute("SELECT length(result) FROM evidence").fetchone()
    connection.close()
    assert size < 200_000  # 900 kB as JSON


def test_a_document_is_what_was_last_put(store: Store, incident: str) -> None:
    assert store.document(incident, "ranking") is None
    for text in ('{"a": 1}', '{"a": 2}', '{"a": 2}'):
        store.put_document(incident, "ranking", text)
        assert store.document(incident, "ranking") == text
    store.put_document(incident, "é", "ü")
    assert (store.document(incident, "ranking"), store.document(incident, "é")) == ('{"a": 2}', "ü")
    assert store.document(incident_in(store, "web"), "ranking") is None


def test_a_spoiled_document_is_one_line_for_the_operator(store: Store, incident: str, tmp_path: Path) -> None:
    store.put_document(incident, "ranking", "{}")
    forge(tmp_path, "UPDATE documents SET value = x'00'")
    with pytest.raises(OperatorError, match=rf"^document 'ranking' of {incident} cannot be read: [^\n]+$"):
        store.document(incident, "ranking")


@given(st.text())
def test_packing_loses_nothing(text: str) -> None:
    assert unpack(pack(text)) == text
