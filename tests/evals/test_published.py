from __future__ import annotations

import pytest

from evals.published import PUBLISHED, PublishedRow

SUITES = {"rootcausebench", "nezha", "petshop", "sockshop", "rcaeval", "recordings"}


@pytest.mark.parametrize("row", [row for rows in PUBLISHED.values() for row in rows], ids=lambda row: row.name)
def test_a_published_figure_is_a_share_of_some_cases(row: PublishedRow) -> None:
    assert 0 <= row.accuracy <= (1 if row.accuracy_at_3 is None else row.accuracy_at_3)
    assert row.metric_right is None or 0 <= row.metric_right <= row.accuracy
    assert row.cases > 0


def test_published_figures_belong_to_a_suite_and_say_on_which_data() -> None:
    assert set(PUBLISHED) <= SUITES
    assert all(row.measured_on for suite in ("nezha", "petshop", "sockshop") for row in PUBLISHED[suite])
