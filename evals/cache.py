"""Keeps what was parsed from a benchmark's files, so that only the first run pays for parsing.

A cached set of frames is one `.npz` file without pickle: numbers and times as arrays, texts as codes into a list of the
different texts, which is JSON. The folder may be deleted at any time. Nothing that answers a case belongs in it.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from agent.settings import cache_folder

_FORMAT = "1"
_MANIFEST = "manifest"
_TIME = "datetime64[us, UTC]"
_DAMAGE = (OSError, EOFError, BadZipFile, ValueError, KeyError, IndexError, TypeError, AttributeError)
"""What numpy, the zip reader and JSON raise over a file that was cut, overwritten or written by something else."""

Frames = Mapping[str, pd.DataFrame]


def cached(
    key_files: Sequence[Path], version: str, build: Callable[[], dict[str, pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    """The frames that `build` makes of the files, from the cache when the same bytes were parsed before.

    The key is the SHA-256 of the files' bytes, their number and order, and `version`, which names the parser and has to
    change with it; names and places of the files do not matter. Columns are texts (`str`, or `category` of texts),
    times (`datetime64[us, UTC]`) or numpy's numbers and booleans, over a plain index, and come back with the same type.
    A damaged cache file is made anew; a folder that cannot be written costs only time. Raises TypeError for another
    type of column, OSError when a key file cannot be read, and whatever `build` raises.
    """
    path = cache_folder() / "evals" / f"{_key(key_files, version)}.npz"
    try:
        return _unpacked(path)
    except _DAMAGE:
        frames = build()
    content = _packed(frames)
    # A home that cannot be written is no reason to fail: the frames are there.
    with suppress(OSError):
        _write(path, content)
    return frames


def _key(files: Sequence[Path], version: str) -> str:
    stamps = ((path.resolve(), path.stat()) for path in files)
    digests = [_digest(path, stat.st_size, stat.st_mtime_ns) for path, stat in stamps]
    return hashlib.sha256("\n".join([_FORMAT, version, *digests]).encode()).hexdigest()


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, changed: int) -> str:
    """Of the file's bytes, read once per process for each size and time of change."""
    del size, changed
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under its name only when it is whole: another process may be reading, and this one may be killed.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.stem[:16]}-", delete=False) as scratch:
        try:
            scratch.write(content)
            scratch.close()
            Path(scratch.name).replace(path)
        except OSError:
            Path(scratch.name).unlink(missing_ok=True)
            raise


def _packed(frames: Frames) -> bytes:
    arrays: dict[str, NDArray[Any]] = {}
    manifest: dict[str, object] = {}
    for name, frame in frames.items():
        kinds: list[tuple[str, str]] = []
        for place, column in enumerate(frame.columns):
            kind, parts = _column_parts(frame[column], f"{name}.{column}")
            kinds.append((str(column), kind))
            arrays |= {f"{name}/{place}/{part}": values for part, values in parts.items()}
        manifest[name] = {"columns": kinds, "rows": len(frame)}
    arrays[_MANIFEST] = _as_bytes(manifest)
    into = io.BytesIO()
    np.savez(into, allow_pickle=False, **arrays)
    return into.getvalue()


def _column_parts(column: pd.Series, shown: str) -> tuple[str, dict[str, NDArray[Any]]]:
    """The kind of a column and the arrays that hold it. Raises TypeError for a kind that cannot be kept."""
    kind = str(column.dtype)
    if kind in ("category", "str"):
        codes, texts = (column.cat.codes, column.cat.categories) if kind == "category" else pd.factorize(column)
        return kind, {"codes": np.asarray(codes, dtype=np.int32), "texts": _as_bytes(list(texts))}
    if kind == _TIME:
        return kind, {"values": column.to_numpy(dtype="datetime64[us]").view(np.int64)}
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return kind, {"values": column.to_numpy()}
    raise TypeError(f"{shown} is {kind}, which the cache cannot keep")


def _as_bytes(value: object) -> NDArray[np.uint8]:
    return np.frombuffer(orjson.dumps(value), dtype=np.uint8)


def _unpacked(path: Path) -> dict[str, pd.DataFrame]:
    # Opened here: numpy leaves a file open that turns out to be no archive.
    with path.open("rb") as content, np.load(content, allow_pickle=False) as arrays:
        manifest = orjson.loads(arrays[_MANIFEST].tobytes())
        return {
            name: pd.DataFrame(
                {
                    column: _column(arrays, f"{name}/{place}", kind, about["rows"])
                    for place, (column, kind) in enumerate(about["columns"])
                },
                index=pd.RangeIndex(about["rows"]),
            )
            for name, about in manifest.items()
        }


def _column(arrays: Mapping[str, NDArray[Any]], at: str, kind: str, rows: int) -> pd.Series:
    if kind in ("category", "str"):
        texts = orjson.loads(arrays[f"{at}/texts"].tobytes())
        codes = arrays[f"{at}/codes"]
        if kind == "category":
            column = pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype="str")))
        else:
            # Texts of the same code are one object; the last place is for code -1, a missing text.
            column = pd.Series(np.array([*texts, None], dtype=object)[codes], dtype="str")
    elif kind == _TIME:
        column = pd.Series(pd.to_datetime(arrays[f"{at}/values"], unit="us", utc=True))
    else:
        column = pd.Series(arrays[f"{at}/values"])
    if len(column) != rows:
        raise ValueError(f"{at} holds {len(column)} of {rows} rows")
    return column
