"""What can go wrong, in one line and with the exit code that says who must react."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

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


def of_ours(error: Exception) -> tuple[str, ExitCode]:
    """Return one line about an error that nobody raised on purpose: what, and where in the code."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    what = shortened(printable(f"{type(error).__name__}: {error}"), LONGEST)
    return f"a fault of whydown itself ({what}{where}); nothing stored is lost, please report it", ExitCode.BUG
