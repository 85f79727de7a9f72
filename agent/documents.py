"""The names under which nodes leave their results in the store, for the next node, the page and the postmortem."""

from __future__ import annotations

from tools.evidence import Source

TRIAGE = "triage"
"""`Triage`."""
ONSET = "onset"
"""`Onset` of the alert's own series; absent when it cannot be seen."""
OBSERVATIONS = "observations"
"""`Observations`: everything gathered and probed, merged. The branches' parts are `observations.<source>`."""
RANKING = "ranking"
"""`Ranking`, preliminary until the diagnosis stands."""
DIAGNOSIS = "diagnosis"
"""`Diagnosis`."""
RECOVERY = "recovery"
"""`Recovery`."""
POSTMORTEM = "postmortem"
"""`Postmortem`."""


def observed_by(source: Source) -> str:
    """Name of the observations of one branch."""
    return f"{OBSERVATIONS}.{source.value}"
