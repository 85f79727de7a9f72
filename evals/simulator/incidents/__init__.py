"""Our own incidents, by the name of their recording."""

from __future__ import annotations

from evals.simulator.incidents import (
    archive_search_fails,
    comments_missing,
    front_page_slow,
    readers_wait,
    sign_in_codes_late,
    story_page_slow,
    story_reads_time_out,
)
from evals.simulator.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.NAME: module.SCENARIO
    for module in (
        archive_search_fails,
        comments_missing,
        front_page_slow,
        readers_wait,
        sign_in_codes_late,
        story_page_slow,
        story_reads_time_out,
    )
}
