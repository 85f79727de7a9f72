from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from agent.incident import Alert, IncidentStatus
from agent.intake.grouping import RELATED_WITHIN, REOPEN_WITHIN, STORM_LASTS, TOGETHER_WITHIN, Candidate, place, shared
from tests.agent.store_samples import START

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def alert(service: str = "web", **labels: str) -> Alert:
    return Alert(service=service, fired_at=START, labels=labels)


def candidate(name: str = "inc-1", ago: timedelta = 5 * MINUTE, **changes: object) -> Candidate:
    values = {
        "incident": name,
        "status": IncidentStatus.INVESTIGATING,
        "detected_at": START - ago,
        "last_alert_at": START - ago,
        "services": frozenset({"basket"}),
    }
    return Candidate.model_validate(values | changes)


def test_an_alert_that_nothing_explains_opens_an_incident() -> None:
    placement = place(alert(), START, [candidate()])
    assert (placement.incident, placement.how) == (None, "opened")


def test_the_same_service_joins() -> None:
    placement = place(alert("basket"), START, [candidate()])
    assert (placement.incident, placement.because) == ("inc-1", "basket is part of it")


def test_a_neighbour_joins() -> None:
    placement = place(alert("web"), START, [candidate()], neighbours={"basket", "search"})
    assert placement.because == "web and basket call each other"


@pytest.mark.parametrize("label", ["node", "instance", "zone"])
def test_the_same_machine_joins(label: str) -> None:
    placement = place(alert(**{label: "a7"}), START, [candidate(labels={label: "a7"})])
    assert placement.because == f"same {label} a7"


def test_related_alerts_are_too_late_after_a_while() -> None:
    late = candidate(ago=RELATED_WITHIN + MINUTE)
    assert place(alert("basket"), START, [late]).how == "opened"


def test_time_alone_puts_together_what_comes_within_a_minute() -> None:
    assert place(alert(), START, [candidate(ago=TOGETHER_WITHIN)]).incident == "inc-1"
    assert place(alert(), START, [candidate(ago=TOGETHER_WITHIN * 2)]).incident is None


def test_time_alone_does_not_make_one_incident_of_a_noisy_day() -> None:
    old = candidate(last_alert_at=START, detected_at=START - STORM_LASTS - MINUTE)
    assert place(alert(), START, [old]).how == "opened"


@pytest.mark.parametrize("label", ["cluster", "region", "env"])
def test_alerts_of_two_environments_are_never_put_together(label: str) -> None:
    other = candidate(ago=timedelta(0), labels={label: "eu"}, services={"web"})
    assert place(alert(**{label: "us"}), START, [other], last_incident="inc-1").how == "opened"
    assert place(alert(**{label: "eu"}), START, [other]).incident == "inc-1"
    assert place(alert(), START, [other]).incident == "inc-1"


def test_what_an_alert_is_about_counts_for_more_than_time() -> None:
    near_in_time = candidate("inc-time", ago=timedelta(seconds=1), services={"mail"})
    assert place(alert("basket"), START, [near_in_time, candidate("inc-same")]).incident == "inc-same"


def test_of_two_that_fit_the_latest_is_taken() -> None:
    older, newer = candidate("inc-old", ago=9 * MINUTE), candidate("inc-new", ago=3 * MINUTE)
    assert place(alert("basket"), START, [older, newer]).incident == "inc-new"


@pytest.mark.parametrize("status", [IncidentStatus.STABLE, IncidentStatus.CLOSED, IncidentStatus.DISMISSED])
def test_an_alert_that_comes_back_brings_its_incident_back(status: IncidentStatus) -> None:
    over = candidate(status=status, over_at=START - 12 * MINUTE)
    placement = place(alert("basket"), START, [over], last_incident="inc-1")
    assert (placement.how, placement.because) == ("reopened", "it came back 12 min after it was over")
    assert place(alert("basket"), START, [over]).how == "opened"
    long_over = over.model_copy(update={"over_at": START - REOPEN_WITHIN - MINUTE})
    assert place(alert("basket"), START, [long_over], last_incident="inc-1").how == "opened"


def test_the_same_alert_stays_in_an_incident_that_goes_on_for_hours() -> None:
    assert place(alert("basket"), START, [candidate(ago=9 * HOUR)], last_incident="inc-1").how == "joined"


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"))


@given(LABELS, LABELS)
def test_shared_labels_are_those_of_both(one: dict[str, str], other: dict[str, str]) -> None:
    assert set(shared(one, other).items()) == set(one.items()) & set(other.items())


@given(st.lists(st.integers(0, 2000), max_size=6), st.randoms())
def test_the_order_in_which_incidents_are_listed_does_not_matter(seconds: list[int], shuffle: object) -> None:
    listed = [candidate(f"inc-{n}", ago=timedelta(seconds=s + n / 10)) for n, s in enumerate(seconds)]
    mixed = listed.copy()
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert place(alert("basket"), START, listed) == place(alert("basket"), START, mixed)
