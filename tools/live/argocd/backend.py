"""One Argo CD as a source of changes: the history of its applications (`status.history`, the last ten syncs of each)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue, ValidationError

from tools.evidence import ChangeEvent, ChangeKind, Source, TimeWindow, ToolError, UtcDatetime
from tools.live.access import Access
from tools.live.argocd.clones import COMMIT, Clones
from tools.live.argocd.syncs import Application, Sync
from tools.live.git_command import OutOfTime
from tools.live.http import Http
from tools.live.manifests import difference
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import clean_name, clean_text, counted

NAME = "Argo CD"
PATH = "/api/v1/applications"
FIELDS = ",".join(
    f"items.{field}"
    for field in (
        "metadata.name",
        "metadata.namespace",
        "metadata.labels",
        "status.resources",
        "status.operationState.startedAt",
        "status.operationState.finishedAt",
    )
)
"""The list of all applications with these only; the history is not among what it can be cut down to."""
MAX_APPLICATIONS = 200
"""Applications whose history is read, those that were synced last: each is a call."""
MAX_METADATA = 30
"""Commits whose author and title Argo CD is asked for, the latest: it looks each up in the repository."""
MAX_SERVICES = 8
"""Services that one sync is told for; one of more of them is told once, for none."""
MAX_TITLE = 300
SHORT = 8
"""Characters of a commit id in a text."""


class ArgoCDConfig(Access):
    """One Argo CD; `bearer_token` is that of an account with the capability apiKey and the role readonly."""

    kind: Literal["argocd"] = "argocd"
    projects: tuple[str, ...] = ()
    """Only applications of these projects; all without them."""
    service_label: str | None = Field(default=None, min_length=1)
    """Label of the applications that holds a service's name; else the workloads that an application deploys."""


class _Commit(BaseModel):
    """What is known of a commit, from a clone or from Argo CD."""

    title: str = Field(default="", alias="message")
    author: str = ""
    date: UtcDatetime | None = None


class ArgoCD:
    """Which revision was synced when and by whom, with what it brought where a clone of its repository is at hand."""

    def __init__(self, config: ArgoCDConfig, notes: Notebook, clones: Sequence[Path] = ()) -> None:
        self._config = config
        self._notes = notes
        self._http = Http(config, Source.CHANGES, NAME)
        self._clones = Clones(clones)
        self._commits: dict[str, _Commit] = {}
        """A commit stays what it is, and a question about one change reads all of them."""

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Syncs that began inside the window, oldest first. Raises ToolError."""
        deadline = self._http.deadline()
        found: list[tuple[Application, Sync | None, Sync]] = []
        for application in self._read(self._synced_since(self._listed(deadline), window), deadline):
            self._note_unfinished(application, window)
            for before, sync in pairwise([None, *application.syncs]):
                if sync is not None and window.contains(sync.at):
                    found.append((application, before, sync))
        found.sort(key=lambda each: (each[2].at, each[0].name, each[2].id))
        self._read_commits([(application, sync) for application, _, sync in found], deadline)
        return [change for each in found for change in self._told(*each, deadline)]

    def look(self, window: TimeWindow) -> Sighting:
        """How many applications there are, and how often they were synced. Raises ToolError."""
        reply = self._http.get_json("/api/version")
        applications = self._listed(self._http.deadline())
        version = str(reply.get("Version", "")) if isinstance(reply, dict) else ""
        nothing = "no application is to be seen; give the account the role readonly, or correct projects"
        return Sighting(
            source=Source.CHANGES,
            name=" ".join([NAME, *([clean_name(version)] if version else []), f"at {self._config.url}"]),
            facts=(
                counted(len(applications), "application"),
                f"{counted(len(self.changes(window)), 'sync')} in the window",
            ),
            services=tuple(
                sorted({name for each in applications for name in each.services(self._config.service_label)})
            ),
            troubles=() if applications else (nothing,),
        )

    def _listed(self, deadline: float) -> list[Application]:
        answer = self._http.get_json(PATH, {"fields": FIELDS, "projects": list(self._config.projects)}, deadline)
        items = answer.get("items", ()) if isinstance(answer, dict) else ()
        if not isinstance(items, list | None):  # of none they are null
            raise self._http.error("answered without a list of applications; is this the address of Argo CD?")
        return [each for item in items or [] if (each := self._valid(item)) is not None]

    def _valid(self, item: JsonValue) -> Application | None:
        try:
            return Application.model_validate(item)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            self._note(f"an application was left out: {where}: {first['msg']}")
            return None

    def _synced_since(self, listed: Sequence[Application], window: TimeWindow) -> list[Application]:
        """Those whose last sync did not end before the window, the latest first. One without a last sync may tell."""

        def ended(application: Application) -> UtcDatetime:
            last = application.status.operationState
            return (last.finishedAt if last else None) or window.until

        found = sorted((each for each in listed if ended(each) >= window.since), key=ended, reverse=True)
        if len(found) > MAX_APPLICATIONS:
            self._note(f"the syncs of {MAX_APPLICATIONS} of {len(found)} applications are told, those synced last")
        return found[:MAX_APPLICATIONS]

    def _read(self, listed: Sequence[Application], deadline: float) -> Iterator[Application]:
        for rank, each in enumerate(listed):
            place = {"appNamespace": each.metadata.namespace} if each.metadata.namespace else {}
            try:
                answer = self._http.get_json(f"{PATH}/{quote(each.name, safe='')}", place, deadline)
            except ToolError as error:
                if not rank:
                    raise
                self._note(
                    f"the syncs of {len(listed) - rank} of {len(listed)} applications are unknown: {error.message}"
                )
                return
            whole = self._valid(answer)
            if whole is not None:
                yield whole

    def _note_unfinished(self, application: Application, window: TimeWindow) -> None:
        """The history holds successful syncs only; what another one has applied of its resources is not known."""
        last = application.status.operationState
        if last is None or last.startedAt is None or not window.contains(last.startedAt) or last.phase == "Succeeded":
            return
        said = f" ({last.message})" if last.message else ""
        self._note(
            f"the sync of {application.name} begun at {iso(last.startedAt)} is {last.phase}{said}; "
            "what of it was applied is not told"
        )

    def _read_commits(self, found: Sequence[tuple[Application, Sync]], deadline: float) -> None:
        """Author and title of what was synced, the latest first; syncs are told without them too."""
        asked = 0
        for application, sync in reversed(found):
            source, revision = sync.parts[0]
            if not COMMIT.fullmatch(revision) or revision in self._commits:
                continue
            try:
                git = self._clones.of(source.repoURL, deadline)
                if git is not None:
                    known = self._clones.commit(git, revision, deadline)
                    self._commits[revision] = _Commit(message=known.title, author=known.author, date=known.at)
                elif asked < MAX_METADATA:
                    asked += 1
                    self._commits[revision] = self._asked_for(application, revision, deadline)
            except OutOfTime:
                return self._note(f"what was synced could not be looked up within {self._config.timeout_seconds:g} s")
            except ToolError as error:
                self._note(f"authors and titles of commits are unknown: {error.message}")
                asked = MAX_METADATA
        return None

    def _asked_for(self, application: Application, revision: str, deadline: float) -> _Commit:
        place = {"appNamespace": application.metadata.namespace} if application.metadata.namespace else {}
        path = f"{PATH}/{quote(application.name, safe='')}/revisions/{revision}/metadata"
        answer = self._http.get_json(path, place, deadline)
        try:
            return _Commit.model_validate(answer)
        except ValidationError as error:
            raise self._http.error(
                f"{path} tells of no commit: {error.errors(include_input=False)[0]['msg']}"
            ) from error

    def _told(
        self, application: Application, before: Sync | None, sync: Sync, deadline: float
    ) -> Iterator[ChangeEvent]:
        source, revision = sync.parts[0]
        commit = self._commits.get(revision, _Commit())
        diff, files = self._brought(before, sync, deadline)
        services = application.services(self._config.service_label)
        named = services if len(services) <= MAX_SERVICES else [None]
        unchanged = before is not None and (before.synced, diff) == (sync.synced, None)
        change = ChangeEvent(
            id=f"argocd:{application.metadata.namespace}/{application.name}:{sync.id}",
            kind=ChangeKind.INFRA if unchanged else ChangeKind.DEPLOY,
            at=sync.at,
            title=clean_text(_title(application, before, sync, commit.title), MAX_TITLE),
            author=clean_name(sync.initiatedBy.username or commit.author) or None,
            commit=revision if COMMIT.fullmatch(revision) else None,
            merged_at=commit.date,
            version=clean_name(_short(revision) if source.chart is None else f"{source.chart} {revision}") or None,
            files=files,
            diff=diff,
            before=", ".join(_short(each) for each in before.synced) if before else None,
            after=", ".join(_short(each) for each in sync.synced),
        )
        for service in named:
            suffix = f":{service}" if len(named) > 1 else ""
            yield change.model_copy(update={"service": service, "id": change.id + suffix})

    def _brought(self, before: Sync | None, sync: Sync, deadline: float) -> tuple[str | None, tuple[str, ...]]:
        """What changed from one sync to the next: in the repositories, and in the parameters."""
        if before is None or len(before.parts) != len(sync.parts):
            return None, ()
        texts: list[str] = []
        files: list[str] = []
        for (old, was), (new, now) in zip(before.parts, sync.parts, strict=True):
            texts.append(difference(old.parameters, new.parameters, "application/source.yaml") or "")
            if was == now or not (COMMIT.fullmatch(was) and COMMIT.fullmatch(now)):
                continue
            try:
                git = self._clones.of(new.repoURL, deadline)
                found = None if git is None else self._clones.between(git, was, now, new.path, deadline)
            except OutOfTime:
                self._note(f"not every diff could be read within {self._config.timeout_seconds:g} s")
                continue
            except ToolError as error:
                self._note(f"{_short(was)} to {_short(now)} is not in the clone, fetch it: {error.message}")
                continue
            if found is not None:
                texts.append(found.text or "")
                files += found.files
        return "".join(texts) or None, tuple(files)

    def _note(self, text: str) -> None:
        self._notes.add(Source.CHANGES, f"{NAME} at {self._config.url}: {text}")


def _title(application: Application, before: Sync | None, sync: Sync, commit: str) -> str:
    what = f"synced to {', '.join(_short(each) for each in sync.synced)}"
    if before is None:
        what += ", the one before it is not kept" if sync.id else ""
    elif before.synced == sync.synced:
        what = "synced again to the same revision"
    elif any(each.synced == sync.synced for each in application.syncs if each.id < before.id):
        what = f"went back to {', '.join(_short(each) for each in sync.synced)}"
    by = " automatically" if sync.initiatedBy.automated else ""
    subject = f": {commit.splitlines()[0]}" if commit else ""
    return f"{application.name} {what}{by}{subject}"


def _short(revision: str) -> str:
    return revision[:SHORT] if COMMIT.fullmatch(revision) else revision
