"""What can go wrong, in one line and with the exit code that says who must react."""

from __future__ import annotations

from pydantic import ValidationError

from agent.errors import CallerError, ConflictError, WhydownError
from tools.evidence import ToolError
from tools.recorded import RecordingError
from web.terminal.exits import ExitCode
from web.terminal.printable import printable, shortened

EXPECTED = (WhydownError, RecordingError, ToolError, ValidationError, OSError)
LONGEST = 500


def told(error: Exception) -> tuple[str, ExitCode]:
    """Return one line about the error, and the exit code."""
    return shortened(printable(_line(error)), LONGEST), _code(error)


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return f"{error.title}: {where}={first['input']!r}: {first['msg']}"
    if isinstance(error, OSError):
        return f"{error.filename or 'input or output'}: {error.strerror or error}"
    return str(error)


def _code(error: Exception) -> ExitCode:
    match error:
        case ConflictError():
            return ExitCode.CONFLICT
        case CallerError() | RecordingError() | ValidationError():
            return ExitCode.UNUSABLE
        case _:
            return ExitCode.INSTALLATION
