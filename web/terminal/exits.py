"""What the exit code of a command means; `whydown --help` shows the same list."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Few and distinct, so that a script can act on them."""

    DONE = 0
    NO = 1
    UNUSABLE = 2
    NEEDS_A_PERSON = 3
    CONFLICT = 4
    INSTALLATION = 5
    REGRESSION = 6
    BUG = 70
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "done or answered, also while a mitigation waits for approval",
    ExitCode.NO: "no: not enough evidence, evidence that changed, a broken timeline",
    ExitCode.UNUSABLE: "the call cannot be used: an option, a path, an id",
    ExitCode.NEEDS_A_PERSON: "a person has to confirm first, and nobody could be asked",
    ExitCode.CONFLICT: "somebody else was first: already decided, or at work elsewhere",
    ExitCode.INSTALLATION: "the installation is at fault: a setting, the database, a file",
    ExitCode.REGRESSION: "a measured rate is worse than the scorecard it was compared with",
    ExitCode.BUG: "a fault of whydown itself; nothing stored is lost",
    ExitCode.INTERRUPTED: "interrupted; `whydown resume INCIDENT` goes on",
}


def exit_codes() -> str:
    """Return the list as it is shown in the help."""
    return "\n".join(f"{code:>4}  {meaning}" for code, meaning in MEANINGS.items())
