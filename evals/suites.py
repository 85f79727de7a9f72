"""The suites by name."""

from __future__ import annotations

import difflib

from agent.errors import CallerError
from evals import nezha, petshop, rcaeval, recordings, rootcausebench, sockshop
from evals.cases import Suite

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (rootcausebench.SUITE, recordings.SUITE, petshop.SUITE, sockshop.SUITE, rcaeval.SUITE, nezha.SUITE)
}


def suite_named(name: str) -> Suite:
    """The suite; raises CallerError, in one line, for a name that is none."""
    if name in SUITES:
        return SUITES[name]
    near = difflib.get_close_matches(name, SUITES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(SUITES))}"
    raise CallerError(f"suite {name!r} is unknown; {hint}")
