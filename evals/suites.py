"""The suites by name."""

from __future__ import annotations

import difflib

from agent.errors import CallerError
from evals import recordings, rootcausebench
from evals.cases import Suite

SUITES: dict[str, Suite] = {suite.name: suite for suite in (rootcausebench.SUITE, recordings.SUITE)}
LATER = ("nezha", "petshop", "sockshop", "rcaeval")
"""Suites whose loaders are not part of this version."""


def suite_named(name: str) -> Suite:
    """The suite; raises CallerError, in one line, for a name that is not (yet) one."""
    if name in SUITES:
        return SUITES[name]
    if name in LATER:
        raise CallerError(f"suite {name!r} comes in a later version; today there are {', '.join(sorted(SUITES))}")
    near = difflib.get_close_matches(name, [*SUITES, *LATER], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join([*sorted(SUITES), *LATER])}"
    raise CallerError(f"suite {name!r} is unknown; {hint}")
