"""What people wrote down in files: dependencies in TOML or JSON, runbooks in Markdown.

The files are read whenever they are asked for, so that a correction counts at once.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tools.evidence import Edge, Frozen, Runbook, Source, TimeWindow, ToolError
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.reading import Notes, Part, json_kind, shown
from tools.recorded_facts import read_runbook
from tools.words import MAX_NAME, clean_name, counted, did_you_mean

MAX_BYTES = 4 * 2**20
"""A larger file of dependencies was not written by hand."""
MAX_PAGES = 500
"""Pages that are read; a wiki export of thousands would bury the few that matter."""
EDGE_KEYS = tuple(Edge.model_fields)
EDGE_KINDS = ("call", "data", "host")


class TopologyFile(Frozen):
    """A file of dependencies: `[[edges]]` with caller, callee and, if it is no call, a kind (call, data, host)."""

    kind: Literal["file"] = "file"
    path: Path
    """TOML, or JSON where the name ends in .json."""


class RunbookFolder(Frozen):
    """A folder of Markdown pages, with those in the folders below."""

    kind: Literal["folder"] = "folder"
    path: Path


class WrittenTopology:
    """Dependencies from a file that somebody keeps by hand. One mistake in it is told and nothing is guessed."""

    def __init__(self, config: TopologyFile, notes: Notebook) -> None:
        self._path = config.path

    def edges(self) -> list[Edge]:
        """All dependencies, each once, in the order of the file. Raises ToolError that names file and key."""
        document = self._parsed(self._text())
        for key in document:
            if key != "edges":
                raise self._refusal(f"there is no key {shown(key)}{did_you_mean(key, ['edges'])}")
        listed = document.get("edges", [])
        if not isinstance(listed, list):
            raise self._refusal("edges is no list; write [[edges]] in TOML, [...] in JSON")
        return list(dict.fromkeys(self._edge(number, item) for number, item in enumerate(listed, start=1)))

    def look(self, window: TimeWindow) -> Sighting:
        """How many dependencies of which services. Raises ToolError."""
        edges = self.edges()
        services = sorted({edge.caller for edge in edges} | {edge.callee for edge in edges})
        facts = f"{counted(len(edges), 'dependency', 'dependencies')} between {counted(len(services), 'service')}"
        return Sighting(
            source=Source.TOPOLOGY,
            name=f"file {self._path}",
            facts=(facts,),
            services=tuple(services),
            newest=_changed_at([self._path]),
            troubles=() if edges else ("it holds no dependency; add [[edges]] with caller and callee",),
        )

    def _text(self) -> str:
        try:
            with self._path.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            raise self._refusal(f"cannot be read: {error.strerror or error}") from error
        if len(content) > MAX_BYTES:
            raise self._refusal(f"is larger than {MAX_BYTES // 2**20} MB")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._refusal(f"is not UTF-8 at byte {error.start}") from error

    def _parsed(self, text: str) -> dict[str, object]:
        is_json = self._path.suffix == ".json"
        try:
            document: object = json.loads(text) if is_json else tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._refusal(f"is no {'JSON' if is_json else 'TOML'}: {error}") from error
        if not isinstance(document, dict):
            raise self._refusal(f"holds a {json_kind(document)}; an object with edges is needed")
        return document

    def _edge(self, number: int, item: object) -> Edge:
        if not isinstance(item, dict):
            raise self._refusal(f"edge {number} is a {json_kind(item)}; caller and callee are needed")
        for key in item:
            if key not in EDGE_KEYS:
                raise self._refusal(f"edge {number}: there is no key {shown(key)}{did_you_mean(key, EDGE_KEYS)}")
        caller, callee = (self._name(number, key, item.get(key)) for key in ("caller", "callee"))
        kind = item.get("kind", "call")
        if kind not in EDGE_KINDS:
            raise self._refusal(f"edge {number}: kind is {shown(kind)}{did_you_mean(kind, EDGE_KINDS)}")
        if caller == callee:
            raise self._refusal(f"edge {number}: caller and callee are both {shown(caller)}")
        return Edge(caller=caller, callee=callee, kind=kind)

    def _name(self, number: int, key: str, value: object) -> str:
        name = clean_name(value) if isinstance(value, str) and len(value) <= MAX_NAME else ""
        if not name:
            raise self._refusal(f"edge {number}: {key} is {shown(value)}; the name of a service is needed")
        return name

    def _refusal(self, why: str) -> ToolError:
        return ToolError(Source.TOPOLOGY, f"topology file {self._path}: {why}")


class WrittenRunbooks:
    """Runbooks from a folder of Markdown; `service:` in a page's front matter says whose it is."""

    def __init__(self, config: RunbookFolder, notes: Notebook) -> None:
        self._path = config.path
        self._notes = notes

    def runbooks(self) -> list[Runbook]:
        """All pages, by their path. What could not be read is a note; raises ToolError without a folder."""
        files = self._files()
        if len(files) > MAX_PAGES:
            self._notes.add(Source.RUNBOOKS, f"{self._path}: {MAX_PAGES} of {len(files)} pages were read")
        troubles = Notes()
        pages = [self._page(file, troubles) for file in files[:MAX_PAGES]]
        for source, text in troubles.lines():
            self._notes.add(source, f"{self._path}: {text}")
        return [page for page in pages if page is not None]

    def look(self, window: TimeWindow) -> Sighting:
        """How many pages for which services. Raises ToolError."""
        pages = self.runbooks()
        owned = sum(page.service is not None for page in pages)
        return Sighting(
            source=Source.RUNBOOKS,
            name=f"folder {self._path}",
            facts=(f"{counted(len(pages), 'page')}, {owned} of them for a service",),
            services=tuple(sorted({page.service for page in pages if page.service})),
            newest=_changed_at(self._files()),
            troubles=() if pages else ("it holds no Markdown; runbooks are files that end in .md",),
        )

    def _files(self) -> list[Path]:
        if not self._path.is_dir():
            raise ToolError(Source.RUNBOOKS, f"runbooks: there is no folder {self._path}")
        return sorted(self._walk())

    def _walk(self) -> Iterator[Path]:
        """Pages of the folder and those below; links to folders and hidden folders, as .git, are not followed."""
        for folder, below, names in os.walk(self._path):
            below[:] = [name for name in below if not name.startswith(".")]
            yield from (Path(folder, name) for name in names if name.endswith(".md"))

    def _page(self, file: Path, troubles: Notes) -> Runbook | None:
        part = Part(Source.RUNBOOKS, file, troubles)
        if not file.resolve().is_relative_to(self._path.resolve()):
            part.note("is a link that leads out of the folder and was not followed")
            return None
        page = read_runbook(part)
        name = file.relative_to(self._path).with_suffix("").as_posix()
        return None if page is None else page.model_copy(update={"id": clean_name(name)})


def _changed_at(files: list[Path]) -> datetime | None:
    """When the newest of the files was written; None without any."""
    times = [file.stat().st_mtime for file in files if file.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None
