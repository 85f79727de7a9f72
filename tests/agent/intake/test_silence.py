from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from agent.intake.silence import Matcher, Silence, covering
from tests.agent.intake.notices import notice
from tests.agent.store_samples import START

HOUR = timedelta(hours=1)
ALERT = notice("basket", "slow", severity="warning", zone="a").alert


def silence(name: str = "S1", hours: int = 1) -> Silence:
    return silence_of({"service": "basket"}, name, hours)


def silence_of(conditions: dict[str, str], name: str = "S1", hours: int = 1) -> Silence:
    matchers = tuple(Matcher(name=key, value=value) for key, value in conditions.items())
    return Silence(
        id=name,
        kind="maintenance",
        matchers=matchers,
        since=START,
        until=START + hours * HOUR,
        by="ana",
        reason="disks",
    )


@pytest.mark.parametrize(
    ("name", "value"), [("service", "basket"), ("monitor", "slow"), ("severity", "warning"), ("zone", "a")]
)
def test_a_field_or_a_label_matches(name: str, value: str) -> None:
    assert silence_of({name: value}).covers(ALERT, START)
    assert not silence_of({name: "other"}).covers(ALERT, START)


def test_every_condition_must_hold() -> None:
    assert silence_of({"service": "basket", "zone": "a"}).covers(ALERT, START)
    assert not silence_of({"service": "basket", "zone": "b"}).covers(ALERT, START)


def test_it_holds_from_its_beginning_to_just_before_its_end() -> None:
    assert not silence().covers(ALERT, START - timedelta(microseconds=1))
    assert not silence().covers(ALERT, START + HOUR)


def test_of_two_the_longer_counts() -> None:
    assert covering([silence("S1"), silence("S2", hours=2)], ALERT, START) == silence("S2", hours=2)
    assert covering([], ALERT, START) is None


def test_its_words_name_who_and_why() -> None:
    assert silence().words == "planned maintenance until 16:00 UTC by ana: disks"


def test_one_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be after since"):
        silence(hours=0)
