"""Arbitrary values of the vocabulary, built from the models' own field types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from inspect import isclass
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tools.evidence import TimeWindow

TEXTS = st.text(max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1970, 2200))
MOMENTS = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
DURATIONS = st.timedeltas(-timedelta(days=20_000), timedelta(days=20_000))
WINDOWS = st.builds(
    lambda since, length: TimeWindow(since=since, until=since + length),
    MOMENTS,
    st.timedeltas(timedelta(microseconds=1), timedelta(days=30)),
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: FINITE,
    datetime: MOMENTS,
    timedelta: DURATIONS,
    NoneType: st.none(),
    TimeWindow: WINDOWS,
}


def models_of(module: ModuleType) -> list[type[BaseModel]]:
    """Every value that a module defines."""
    found = [
        thing
        for thing in vars(module).values()
        if isclass(thing)
        and issubclass(thing, BaseModel)
        and thing.__module__ == module.__name__
        and thing.model_fields
    ]
    assert found
    return found


def value_of(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Any valid value of a model."""
    if model in PLAIN:
        return PLAIN[model]
    return st.builds(model, **{name: _field(field) for name, field in model.model_fields.items()})


def _field(field: FieldInfo) -> st.SearchStrategy[Any]:
    limits = {type(limit): limit for limit in field.metadata}
    if Ge in limits:
        return st.floats(limits[Ge].ge, limits[Le].le)
    if MinLen not in limits:
        return _of(field.annotation)
    if field.annotation is str:
        return st.text(min_size=1, max_size=12)
    return st.lists(_of(get_args(field.annotation)[0]), min_size=1, max_size=2).map(tuple)


def _of(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {Union, UnionType}:
        return st.one_of([_of(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(_of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_of(arguments[0]), _of(arguments[1]), max_size=2)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    return value_of(annotation)
