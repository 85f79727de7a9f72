from __future__ import annotations

import pytest

from agent.errors import CallerError
from agent.incident import Verdict
from evals.analysts import ANALYSTS, Investigated, analyst_named, scored
from evals.cases import Case, NamedBy, Truth
from evals.recordings import SUITE as CHANGES
from tests.evals.answers_for_tests import diagnosis, hypothesis
from tests.evals.incident_folders import ranked
from tests.evals.service_recordings import SUITE as SERVICES, risen


@pytest.mark.parametrize("name", ANALYSTS)
def test_every_analyst_answers_where_causes_are_services(name: str) -> None:
    assert analyst_named(name, SERVICES) is ANALYSTS[name]


def test_a_method_that_ranks_services_names_no_change() -> None:
    with pytest.raises(CallerError, match="it ranks services, and causes of recordings are a change"):
        analyst_named("baro", CHANGES)


def test_an_unknown_analyst_is_told_who_there_is() -> None:
    with pytest.raises(CallerError, match="--analyst oracle: there are statistics, n-sigma, baro"):
        analyst_named("oracle", SERVICES)


def test_every_kind_of_answer_is_scored() -> None:
    case = Case("c", risen("cart"), Truth(cause="cart"), NamedBy.SERVICE)
    found = diagnosis(case.recording, Verdict.NO_CHANGE, hypothesis(1, 0.6, None, service="cart"))
    plain, with_queries, ranking = (
        scored(case, found),
        scored(case, Investigated(found, {"Etest": "changes()"})),
        scored(case, ranked(("stock", 1.0), ("cart", 0.5))),
    )
    assert (plain.hit_rank, plain.story) == (1, ())
    assert with_queries.story[0].queries == ("changes()",)
    assert ranking.hit_rank == 2
