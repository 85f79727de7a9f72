"""Suite `recordings`: recordings in our own layout, ours or yours, with the answers in a file beside them.

`docs/recordings.md` says how to label your own. An answer is never inside a recording.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import orjson
from pydantic import ValidationError

from agent.errors import CallerError
from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from evals.rootcausebench import find
from tools.recorded import RecordingError, read_recording

ANSWERS = "answers.json"
"""Beside the recordings' folders; without it the answers that ship with whydown are used."""
SHIPPED = {"recordings": "recordings.json", "shop-recordings": "shop.json"}
"""Files of `evals/answers/` by the folder of `fixtures/` that they belong to; the first is that of any other folder."""


def load(data: Path, name: str) -> Case:
    """Read one recording and its answer; raises CaseError."""
    alone = (data / "alert.json").is_file()
    truth = _answer(data.resolve().parent if alone else data, name)
    try:
        recording = read_recording(data if alone else data / name)
    except RecordingError as error:
        raise CaseError(str(error)) from error
    known = {change.id for change in recording.changes}
    strange = [cause for cause in (truth.cause, *truth.decoys) if cause not in (None, "none") and cause not in known]
    if strange:
        raise CaseError(f"{name}: the answer names {strange[0]!r}, which is no change of this recording")
    return Case(id=name, recording=recording, truth=truth, named_by=NamedBy.CHANGE)


def answers(folder: Path) -> dict[str, object]:
    """The answers that go with a folder of recordings, by name. Raises CallerError when the file is no JSON object."""
    beside = folder / ANSWERS
    content = beside.read_bytes() if beside.is_file() else _shipped(folder.name)
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CallerError(f"{beside}: is not JSON ({error.msg})") from error
    if not isinstance(found, dict):
        raise CallerError(f"{beside}: an object is needed, with a recording's name as key")
    return found


def _shipped(folder: str) -> bytes:
    return files("evals").joinpath("answers", SHIPPED.get(folder, "recordings.json")).read_bytes()


def _answer(folder: Path, name: str) -> Truth:
    known = answers(folder)
    if name not in known:
        raise CaseError(f"{name}: no answer in {folder / ANSWERS}")
    try:
        return Truth.model_validate(known[name])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise CaseError(f"{name}: the answer cannot be used ({where}: {first['msg']})") from error


SUITE = Suite(name="recordings", named_by=NamedBy.CHANGE, find=find, load=load)
