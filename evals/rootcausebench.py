"""Reads incidents in the layout of RootCauseBench (Apache-2.0): alert, telemetry, `context/` and `truth.json`.

An incident is first written as a recording into a temporary folder, file by file, and that is what is read. What is not
copied cannot leak: the truth, the task description and the folder's name, which tends to tell the cause, stay outside.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from agent.errors import CallerError
from evals.cases import Case, CaseError, NamedBy, Suite, Truth
from tools.evidence import JsonObject, Source
from tools.recorded import Recording, RecordingError, read_recording

_TELEMETRY = ("metrics.csv", "logs.ndjson")
"""Files that are a recording's own layout already; their columns have synonyms that the reader knows."""
_READ = {
    *("alert.json", *_TELEMETRY, "traces.json", "status_feed.json"),
    *("context/commits.json", "context/deploys.json", "context/flags.json", "context/status_feed.json"),
}
_LEFT_OUT = {"truth.json", "task.toml", "patterns.json"}
"""The answer, the benchmark's own task description, and counts that can be had from the log itself."""
_COMMIT_KEYS = {"sha", "author", "timestamp", "message", "files_changed", "diff"}
_DEPLOY_KEYS = {"timestamp", "service", "commit_sha", "version"}
_FLAG_KEYS = {"timestamp", "flag", "service", "change", "actor"}


def find(data: Path) -> tuple[str, ...]:
    """Names of the incident folders inside `data`, or of `data` itself when it is one."""
    if not data.is_dir():
        raise CallerError(f"--data {data}: there is no such folder")
    if (data / "alert.json").is_file():
        return (data.resolve().name,)
    seen = (folder for folder in data.iterdir() if not folder.name.startswith("."))  # a hidden one is being written
    names = sorted(folder.name for folder in seen if (folder / "alert.json").is_file())
    if not names:
        raise CallerError(f"--data {data}: no folder in it holds an alert.json")
    return tuple(names)


def load(data: Path, name: str) -> Case:
    """Read one incident; raises CaseError when its alert or its truth cannot be used."""
    folder = data if (data / "alert.json").is_file() else data / name
    truth = read_truth(folder)
    try:
        recording = read_incident(folder)
    except (RecordingError, OSError) as error:
        raise CaseError(f"{name}: {error}") from error
    return Case(id=name, recording=recording, truth=truth, named_by=NamedBy.COMMIT)


def read_truth(folder: Path) -> Truth:
    """Read `truth.json`; raises CaseError."""
    try:
        raw = orjson.loads((folder / "truth.json").read_bytes())
        return Truth(
            cause=raw["root_cause_commit"],
            decoys=tuple(raw.get("decoy_deploy_commits") or ()),
            first_failing_service=raw.get("first_failing_service"),
            blast_radius=_texts(raw.get("blast_radius")),
            remediation=_texts(raw.get("remediation")),
        )
    except OSError as error:
        raise CaseError(f"{folder.name}: truth.json cannot be read ({error.strerror})") from error
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise CaseError(f"{folder.name}: truth.json holds no root_cause_commit that can be used") from error


def read_incident(folder: Path) -> Recording:
    """The incident as a recording, by a name that tells nothing. Raises RecordingError or OSError."""
    incident = _Incident(folder)
    with tempfile.TemporaryDirectory(prefix="whydown-eval-") as scratch:
        # Named after the alert: two runs agree on it, and nobody can read the cause from it.
        digest = hashlib.sha256(incident.bytes_of("alert.json") or b"").hexdigest()
        into = Path(scratch) / f"incident-{digest[:8]}"
        into.mkdir()
        incident.write(into)
        recording = read_recording(into)
    return replace(recording, notes=(*recording.notes, *incident.notes))


def _texts(value: str | list[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass
class _Incident:
    """The folder of one incident, and what was odd about it."""

    folder: Path
    notes: list[tuple[Source, str]] = field(default_factory=list[tuple[Source, str]])

    def write(self, into: Path) -> None:
        """Write it as a recording; alert and telemetry go over as they are, the rest is translated."""
        for name in ("alert.json", *_TELEMETRY):
            for packed in ("", ".gz"):
                if (self.folder / f"{name}{packed}").is_file():
                    shutil.copyfile(self.folder / f"{name}{packed}", into / f"{name}{packed}")
        # The order of the file matters for the trace ids, and only for them.
        spans = self._objects("traces.json", Source.TRACES, "spans")
        if spans is not None:
            by_time = sorted(_with_trace_ids(spans), key=lambda span: str(span.get("start")))
            lines = b"\n".join(map(orjson.dumps, by_time))
            (into / "traces.ndjson").write_bytes(lines)
        changes = self._changes()
        if changes is not None:
            (into / "changes.json").write_text(json.dumps(changes), encoding="utf-8")
        feed = self._status_events()
        if feed is not None:
            (into / "status_feed.json").write_text(json.dumps(feed), encoding="utf-8")
        self._note_strangers()

    def bytes_of(self, name: str) -> bytes | None:
        """The file's bytes, None when there is no such file; raises OSError when it cannot be read."""
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def _document(self, name: str, source: Source) -> Any:  # noqa: ANN401 - JSON
        content = self.bytes_of(name)
        if content is None:
            return None
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            self.notes.append((source, f"{name}: is not JSON ({error.msg})"))
            return None

    def _objects(self, name: str, source: Source, key: str) -> list[JsonObject] | None:
        """The objects of a list, which may stand under `key`; None when there is no such list."""
        document = self._document(name, source)
        items = document.get(key) if isinstance(document, dict) else document
        if not isinstance(items, list):
            if document is not None:
                self.notes.append((source, f"{name}: holds no list of {key}"))
            return None
        objects = [item for item in items if isinstance(item, dict)]
        if len(objects) < len(items):
            self.notes.append((source, f"{name}: {len(items) - len(objects)} entries are no objects and were left out"))
        return objects

    def _changes(self) -> list[JsonObject] | None:
        commits = self._objects("context/commits.json", Source.CHANGES, "commits")
        deploys = self._objects("context/deploys.json", Source.CHANGES, "deploys")
        flags = self._objects("context/flags.json", Source.CHANGES, "flags")
        if commits is None and deploys is None and flags is None:
            return None
        for name, items, known in (
            ("commits", commits, _COMMIT_KEYS),
            ("deploys", deploys, _DEPLOY_KEYS),
            ("flags", flags, _FLAG_KEYS),
        ):
            strange = sorted({str(key) for item in items or () for key in item} - known)
            if strange:
                self.notes.append((Source.CHANGES, f"context/{name}.json: unknown keys {', '.join(strange[:8])}"))
        known_commits = {str(commit.get("sha")): commit for commit in commits or ()}
        carried = {str(deploy.get("commit_sha")) for deploy in deploys or ()}
        nameless = sorted(carried - known_commits.keys())
        if nameless:
            self.notes.append((Source.CHANGES, f"deploys of {len(nameless)} commits that are not in commits.json"))
        changes = [_deploy(deploy, known_commits.get(str(deploy.get("commit_sha")), {})) for deploy in deploys or ()]
        changes += [_merged(commit) for sha, commit in known_commits.items() if sha not in carried]
        changes += [_flag(flag) for flag in flags or ()]
        return list(_with_unique_ids(changes))

    def _status_events(self) -> list[JsonObject] | None:
        for name in ("status_feed.json", "context/status_feed.json"):
            feed = self._document(name, Source.STATUS)
            if feed is None:
                continue
            about = feed if isinstance(feed, dict) else {}
            common = {"provider": about.get("source"), "region": about.get("region")}
            events = self._objects(name, Source.STATUS, "events")
            return None if events is None else [{**common, **event} for event in events]
        return None

    def _note_strangers(self) -> None:
        """Name the files that nobody reads, so that a new kind of telemetry does not go unnoticed."""
        found = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}
        strange = sorted(name for name in found if name.removesuffix(".gz") not in _READ | _LEFT_OUT)
        for name in strange:
            source = Source.CHANGES if name.startswith("context/") else Source.ALERT
            self.notes.append((source, f"{name}: is no part of this layout and was not read"))


def _with_trace_ids(spans: list[JsonObject]) -> Iterator[JsonObject]:
    """Spans with the literal trace id "same" belong to the trace of the last span that names one."""
    current = ""
    for span in spans:
        if span.get("trace_id") == "same":
            yield {**span, "trace_id": current}
        else:
            current = str(span.get("trace_id") or "")
            yield span


def _deploy(deploy: JsonObject, commit: JsonObject) -> JsonObject:
    sha = str(deploy.get("commit_sha") or "")
    version = deploy.get("version")
    return {
        "id": f"{deploy.get('service')}@{version or 'unversioned'}+{sha[:8]}",
        "kind": "deploy",
        "at": deploy.get("timestamp"),
        "service": deploy.get("service"),
        "commit": sha,
        "version": version,
        "merged_at": commit.get("timestamp"),
        **_written(commit),
    }


def _merged(commit: JsonObject) -> JsonObject:
    sha = str(commit.get("sha") or "")
    return {
        "id": f"commit-{sha[:8]}",
        "kind": "deploy",
        "at": commit.get("timestamp"),
        "merged_at": commit.get("timestamp"),
        "commit": sha,
        "in_effect": False,
        **_written(commit),
    }


def _written(commit: JsonObject) -> JsonObject:
    return {
        "title": commit.get("message"),
        "author": commit.get("author"),
        "files": commit.get("files_changed") or [],
        "diff": commit.get("diff"),
    }


def _flag(flag: JsonObject) -> JsonObject:
    before, arrow, after = str(flag.get("change") or "").partition("->")
    return {
        "id": f"flag-{flag.get('flag')}",
        "kind": "flag",
        "at": flag.get("timestamp"),
        "service": flag.get("service"),
        "title": flag.get("flag"),
        "author": flag.get("actor"),
        "before": before.strip() if arrow else None,
        "after": after.strip() if arrow else before.strip(),
    }


def _with_unique_ids(changes: list[JsonObject]) -> Iterator[JsonObject]:
    """A change that was made twice (deployed, taken back, deployed again) is two changes, the later one numbered."""
    seen: dict[str, int] = {}
    for change in changes:
        name = str(change["id"])
        seen[name] = seen.get(name, 0) + 1
        yield change if seen[name] == 1 else {**change, "id": f"{name}#{seen[name]}"}


SUITE = Suite(name="rootcausebench", named_by=NamedBy.COMMIT, find=find, load=load)
