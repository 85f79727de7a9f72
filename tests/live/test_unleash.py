"""The same questions as in tests/tools/live/test_unleash.py, asked of a server that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.conftest import or_skip
from tests.tools.live import test_unleash as asked

pytestmark = [pytest.mark.live, pytest.mark.block_network(allowed_hosts=[r"127\.0\.0\.1"])]


@pytest.fixture(scope="module")
def access() -> Iterator[asked.Access]:
    found: asked.Access = {}
    with or_skip(lambda: asked.started_with_flags(found)):
        yield found


@pytest.mark.parametrize(
    "question",
    [
        asked.test_flags_that_were_turned,
        asked.test_another_environment_and_a_service_for_all,
        asked.test_the_window_is_half_open,
        asked.test_a_project_that_is_not_there_has_no_changes,
        asked.test_what_the_doctor_sees,
        asked.test_a_wrong_token,
    ],
)
def test_a_running_server_answers_the_same(question: object, access: asked.Access) -> None:
    question(access)  # type: ignore[operator]
