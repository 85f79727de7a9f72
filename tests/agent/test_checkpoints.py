from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from enum import Enum, StrEnum
from inspect import isclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings, strategies as st
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde import jsonplus
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

import agent.incident
import agent.leases
import tools.evidence
from agent.checkpoints import FencedSqliteSaver, checkpoint_types, open_checkpoints, serializer
from agent.errors import ConflictError, OperatorError
from agent.incident import Alert, Incident, Severity
from agent.leases import Lease
from agent.store import Store
from tests.agent.store_samples import Clock, alert, incident_in, plain, url_of
from tests.agent.values import models_of, value_of

TTL = timedelta(seconds=30)
MODELS = models_of(agent.incident) + models_of(tools.evidence)
STRICT = serializer(checkpoint_types())


def round_trip(value: object, strict: Any = STRICT) -> Any:
    return strict.loads_typed(strict.dumps_typed(value))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(url_of(tmp_path), clock) as opened:
        yield opened


@pytest.fixture
def lease(store: Store) -> Lease:
    return taken(store, incident_in(store), "one")


@pytest.fixture
def saver(tmp_path: Path, lease: Lease) -> Iterator[FencedSqliteSaver]:
    with open_checkpoints(url_of(tmp_path), lease) as opened:
        yield opened


def taken(store: Store, incident: str, holder: str) -> Lease:
    lease = store.acquire(incident, holder, TTL)
    assert lease is not None
    return lease


def thread(lease: Lease) -> dict[str, Any]:
    return {"configurable": {"thread_id": lease.incident, "checkpoint_ns": ""}}


# What a checkpoint may contain


def test_the_allow_list_is_every_value_and_closed_set_of_the_vocabulary() -> None:
    listed = set(checkpoint_types())
    for module in (agent.incident, tools.evidence):
        for name, thing in vars(module).items():
            if isclass(thing) and issubclass(thing, BaseModel | Enum) and thing not in (BaseModel, Enum, StrEnum):
                assert thing in listed, name
    assert all(found.__module__ in {"agent.incident", "tools.evidence"} for found in listed)


def test_the_allow_list_of_other_modules_is_theirs() -> None:
    assert Incident not in checkpoint_types(tools.evidence)
    assert Lease in checkpoint_types(agent.leases)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=20)
def test_every_value_survives_a_checkpoint(model: type[BaseModel], data: st.DataObject) -> None:
    value = data.draw(value_of(model))
    found = round_trip({"one": value, "many": [value]})
    assert found == {"one": value, "many": [value]}
    assert type(found["one"]) is model


@pytest.mark.parametrize(
    "member", [member for kind in checkpoint_types() if issubclass(kind, Enum) for member in kind], ids=str
)
def test_every_member_of_a_closed_set_survives_a_checkpoint(member: Enum) -> None:
    assert round_trip(member) is member


class Unlisted(BaseModel):
    text: str


class UnlistedWord(StrEnum):
    HELLO = "hello"


def test_a_type_that_is_not_listed_is_not_built() -> None:
    assert round_trip(Unlisted(text="hello")) == {"text": "hello"}
    assert type(round_trip(UnlistedWord.HELLO)) is str
    listed = serializer([Unlisted])
    assert round_trip(Unlisted(text="hello"), listed) == Unlisted(text="hello")
    assert type(round_trip(alert(), listed)) is dict


def test_an_empty_list_allows_nothing() -> None:
    assert type(round_trip(alert(), serializer([]))) is dict


def test_a_file_cannot_have_anything_else_built_or_called() -> None:
    """What a writer of the file would try: a constructor with a side effect, stored under its own name."""
    harmful = jsonplus.ormsgpack.Ext(
        jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, jsonplus.ormsgpack.packb(("builtins", "exit", 7))
    )
    assert STRICT.loads_typed(("msgpack", jsonplus.ormsgpack.packb(harmful))) == 7


# The fence


WRITES: dict[str, Callable[[FencedSqliteSaver, dict[str, Any]], object]] = {
    "put": lambda saver, config: saver.put(config, empty_checkpoint(), {}, {}),
    "put_writes": lambda saver, config: saver.put_writes(
        {"configurable": {**config["configurable"], "checkpoint_id": "1"}}, [("channel", "value")], "task"
    ),
    "delete_thread": lambda saver, config: saver.delete_thread(config["configurable"]["thread_id"]),
}


def contents(folder: Path) -> list[object]:
    with closing(plain(folder)) as connection:
        return [connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("checkpoints", "writes")]


@pytest.mark.parametrize("write", WRITES)
def test_a_process_that_lost_its_lease_writes_no_checkpoint(
    store: Store, saver: FencedSqliteSaver, clock: Clock, tmp_path: Path, write: str
) -> None:
    config = thread(saver.lease)
    WRITES["put"](saver, config)
    WRITES["put_writes"](saver, config)
    before = contents(tmp_path)
    assert all(before)
    clock.forward(TTL)
    taken(store, saver.lease.incident, "two")
    with pytest.raises(ConflictError, match=r"^one lost the lease of [^\n]+ \(token 1\); it may not write$"):
        WRITES[write](saver, config)
    assert contents(tmp_path) == before
    assert saver.get_tuple(config) is not None


@pytest.mark.parametrize("write", WRITES)
def test_a_lease_given_back_writes_no_checkpoint(store: Store, saver: FencedSqliteSaver, write: str) -> None:
    store.release(saver.lease)
    with pytest.raises(ConflictError, match="lost the lease"):
        WRITES[write](saver, thread(saver.lease))


@pytest.mark.parametrize("write", WRITES)
def test_a_lease_covers_the_thread_of_its_incident_only(saver: FencedSqliteSaver, write: str) -> None:
    with pytest.raises(ConflictError, match="does not cover thread 'other'"):
        WRITES[write](saver, {"configurable": {"thread_id": "other", "checkpoint_ns": ""}})


def test_a_renewed_lease_goes_on(store: Store, saver: FencedSqliteSaver, clock: Clock) -> None:
    clock.forward(TTL / 2)
    store.renew(saver.lease, TTL)
    clock.forward(TTL * 0.75)
    assert store.acquire(saver.lease.incident, "two", TTL) is None
    WRITES["put"](saver, thread(saver.lease))


def test_a_write_that_fails_half_way_leaves_nothing(saver: FencedSqliteSaver, tmp_path: Path) -> None:
    WRITES["put"](saver, thread(saver.lease))
    before = contents(tmp_path)

    def fail() -> None:
        with saver.cursor() as cursor:
            cursor.execute("DELETE FROM checkpoints")
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        fail()
    assert contents(tmp_path) == before
    WRITES["put"](saver, thread(saver.lease))


# Trouble with the file


def test_a_locked_file_is_one_line(lease: Lease, tmp_path: Path) -> None:
    with open_checkpoints(url_of(tmp_path) + "?timeout=0.05", lease) as saver, closing(plain(tmp_path)) as other:
        WRITES["put"](saver, thread(lease))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperatorError, match=r"^checkpoints of inc-[^\n]+: database is locked$"):
            WRITES["put"](saver, thread(lease))
        other.execute("ROLLBACK")
        WRITES["put"](saver, thread(lease))


def test_a_file_without_a_store_is_one_line(tmp_path: Path, clock: Clock) -> None:
    lease = Lease(incident="inc-1", holder="one", token=1, expires_at=clock.at)
    with (
        open_checkpoints(url_of(tmp_path), lease) as saver,
        pytest.raises(OperatorError, match=r"^checkpoints of inc-1: no such table: leases$"),
    ):
        WRITES["put"](saver, thread(lease))


def test_a_folder_that_is_missing_is_one_line(tmp_path: Path, clock: Clock) -> None:
    lease = Lease(incident="inc-1", holder="one", token=1, expires_at=clock.at)
    with (
        pytest.raises(OperatorError, match=r"^checkpoints of inc-1: unable to open database file$"),
        open_checkpoints(url_of(tmp_path / "none"), lease),
    ):
        pass


def test_only_a_sqlite_store_has_its_checkpoints_here(clock: Clock) -> None:
    lease = Lease(incident="inc-1", holder="one", token=1, expires_at=clock.at)
    with (
        pytest.raises(OperatorError, match="only sqlite:///FILE"),
        open_checkpoints("postgresql://db.example/whydown", lease),
    ):
        pass


def test_the_file_is_closed_and_every_checkpoint_is_on_disk(lease: Lease, tmp_path: Path) -> None:
    with open_checkpoints(url_of(tmp_path), lease) as saver:
        assert saver.conn.execute("PRAGMA synchronous").fetchone() == (2,)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        saver.conn.execute("SELECT 1")


# A whole graph


class Walk(BaseModel):
    alert: Alert
    seen: Annotated[list[str], operator.add] = []
    severity: Severity | None = None
    word: str = ""


def graph(saver: FencedSqliteSaver, between: Callable[[], object] = lambda: None) -> Any:
    def first(state: Walk) -> dict[str, Any]:
        between()
        return {"seen": ["first"], "severity": Severity.SEV2}

    def fan(state: Walk) -> list[Send]:
        return [Send("look", {"name": name, "alert": state.alert}) for name in ("logs", "metrics", "traces")]

    def look(part: dict[str, Any]) -> dict[str, Any]:
        assert type(part["alert"]) is Alert
        return {"seen": [part["name"]]}

    def ask(state: Walk) -> dict[str, Any]:
        assert type(state.severity) is Severity
        return {"word": interrupt("may I?")}

    wiring = StateGraph(Walk)
    wiring.add_node("first", first)
    wiring.add_node("look", look)
    wiring.add_node("ask", ask)
    wiring.add_edge(START, "first")
    wiring.add_conditional_edges("first", fan, ["look"])
    wiring.add_edge("look", "ask")
    wiring.add_edge("ask", END)
    return wiring.compile(checkpointer=saver)


def test_an_investigation_goes_on_in_another_process_where_it_stood(store: Store, tmp_path: Path) -> None:
    incident = incident_in(store)
    one = taken(store, incident, "one")
    with open_checkpoints(url_of(tmp_path), one) as saver:
        waiting = graph(saver).invoke({"alert": alert()}, thread(one), durability="sync")
        assert waiting["__interrupt__"][0].value == "may I?"
    store.release(one)
    two = taken(store, incident, "two")
    with open_checkpoints(url_of(tmp_path), two) as saver:
        ended = graph(saver).invoke(Command(resume="yes"), thread(two), durability="sync")
    assert ended["word"] == "yes"
    assert sorted(ended["seen"]) == ["first", "logs", "metrics", "traces"]
    assert ended["alert"] == alert()


def lose_on_the_way(store: Store, clock: Clock, folder: Path, durability: str) -> Lease:
    """Run a graph that loses its lease during its first step, and return the lease of the process that took over."""
    incident = incident_in(store)
    one = taken(store, incident, "one")
    successor: list[Lease] = []

    def lose() -> None:
        clock.forward(TTL)
        successor.append(taken(store, incident, "two"))

    with open_checkpoints(url_of(folder), one) as saver, pytest.raises(ConflictError, match="one lost the lease"):
        graph(saver, between=lose).invoke({"alert": alert()}, thread(one), durability=durability)
    return successor[0]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_run_that_loses_its_lease_stops(store: Store, clock: Clock, tmp_path: Path, durability: str) -> None:
    two = lose_on_the_way(store, clock, tmp_path, durability)
    with open_checkpoints(url_of(tmp_path), two) as saver:
        assert "severity" not in graph(saver).get_state(thread(two)).values


def test_its_successor_repeats_only_the_lost_step(store: Store, clock: Clock, tmp_path: Path) -> None:
    """Only with durability `sync`: with `async` even the first checkpoint may still have been on its way."""
    two = lose_on_the_way(store, clock, tmp_path, "sync")
    with open_checkpoints(url_of(tmp_path), two) as saver:
        assert graph(saver).get_state(thread(two)).next == ("first",)
        ended = graph(saver).invoke(None, thread(two), durability="sync")
    assert sorted(ended["seen"]) == ["first", "logs", "metrics", "traces"]
