"""Changes from a git repository on disk: what was merged, and what a deploy tag carried.

The history is read along first parents, so that a merged branch is one change with the diff it brought, and a squashed
or rebased one as well (https://git-scm.com/docs/git-log, --first-parent). whydown never fetches: whoever keeps the
clone does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from time import monotonic
from typing import Literal

from pydantic import Field, field_validator

from tools.evidence import ChangeEvent, ChangeKind, Frozen, Source, TimeWindow, ToolError
from tools.live.git_command import GitCommand, OutOfTime
from tools.live.git_history import MAX_DIFF, Commit, Diff, GitHistory, Tag
from tools.live.notebook import Notebook
from tools.live.sighting import Sighting
from tools.moments import iso
from tools.words import counted

MAX_CHANGES = 300
"""Changes of one answer: a busy team merges that many in the days that are looked at."""
MAX_TAGS = 100
"""Deploys of one answer."""
STALE = timedelta(days=14)
"""A branch on which nothing happened for longer is more often a clone that nobody fetches."""


class GitConfig(Frozen):
    """A clone whose history tells of changes."""

    kind: Literal["git"] = "git"
    path: Path
    """Folder of the repository: its working tree, or the repository itself where it is bare."""
    branch: str = Field(default="HEAD", min_length=1)
    """Branch that is deployed, such as `origin/main`; what is checked out without it."""
    service: str | None = None
    """Service that the repository, or `paths` of it, becomes."""
    paths: tuple[str, ...] = ()
    """Only changes below these folders or files; everything without them."""
    deploy_tags: str | None = None
    """Pattern (`v*`, `checkout-*`) of tags that are set when a version is deployed."""
    deployed_on_merge: bool = False
    """Every merge is deployed at once. Without this and without tags, commits are known to be merged, not deployed."""
    change_kind: ChangeKind = ChangeKind.DEPLOY
    """What a commit changes: `config` or `flag` for a repository of settings, `infra` for one of machines."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)
    """How long one question may take."""

    @field_validator("branch")
    @classmethod
    def _no_option(cls, branch: str) -> str:
        if branch.startswith("-") or not branch.isprintable() or " " in branch:
            raise ValueError("the name of a branch is needed")
        return branch


@dataclass(frozen=True)
class _Found:
    """A change, and the commit whose diff is its own."""

    change: ChangeEvent
    commit: Commit


class GitChanges:
    """What the history of one repository tells."""

    def __init__(self, config: GitConfig, notes: Notebook) -> None:
        self._config = config
        self._notes = notes
        self._git = GitCommand(config.path)
        self._history = GitHistory(self._git, config.paths)
        self._diffs: dict[str, Diff] = {}
        """By change. What a commit changed stays, and a question about one change reads all of them."""

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """Commits merged and versions deployed in the window, oldest first, with bounded diffs. Raises ToolError."""
        deadline = monotonic() + self._config.timeout_seconds
        try:
            told = self._told(window, deadline)
        except OutOfTime:
            raise self._late() from None
        return self._with_diffs(self._latest(told), deadline)

    def look(self, window: TimeWindow) -> Sighting:
        """How many changes the window has, and how old the clone is. Raises ToolError."""
        found = self.changes(window)
        deadline = monotonic() + self._config.timeout_seconds
        try:
            [newest] = self._history.listed(["-1"], [self._history.resolved(self._config.branch, deadline)], deadline)
        except OutOfTime:
            raise self._late() from None
        deployed = sum(change.in_effect for change in found)
        old = f"its newest commit is of {newest.at:%Y-%m-%d}; let something fetch it regularly, whydown never does"
        return Sighting(
            source=Source.CHANGES,
            name=f"git repository {self._config.path} ({self._config.branch})",
            facts=(f"{counted(len(found), 'change')} in the window, {deployed} of them known to be deployed",),
            services=(self._config.service,) if self._config.service else (),
            newest=newest.at,
            troubles=(old,) if window.until - newest.at > STALE else (),
        )

    def _told(self, window: TimeWindow, deadline: float) -> list[_Found]:
        head = self._history.resolved(self._config.branch, deadline)
        tags = self._deploy_tags(window, deadline)
        carried: list[_Found] = []
        for tag, before in zip_longest(tags, tags[1:]):
            if window.contains(tag.at):
                carried += self._carried(tag, before, deadline)
        # What a deploy carried is told with the deploy, even where that was before the window.
        waiting = self._history.merged([head, *(f"^{tag.sha}" for tag in tags)], window, deadline)
        return carried + [_Found(self._merged(commit), commit) for commit in waiting]

    def _deploy_tags(self, window: TimeWindow, deadline: float) -> list[Tag]:
        """Deploys up to the end of the window and the last one before it, newest first."""
        pattern = self._config.deploy_tags
        if pattern is None:
            return []
        tags = [tag for tag in self._history.tags(window.until, deadline) if fnmatchcase(tag.name, pattern)]
        inside = sum(window.contains(tag.at) for tag in tags)
        if inside > MAX_TAGS:
            self._note(f"{MAX_TAGS} of {inside} deploys of the window are told, the latest")
        return tags[: min(inside, MAX_TAGS) + 1]

    def _merged(self, commit: Commit) -> ChangeEvent:
        live = self._config.deployed_on_merge
        return ChangeEvent(
            id=commit.sha[:12],
            kind=self._config.change_kind,
            at=commit.at,
            service=self._config.service if live else None,
            title=commit.title,
            author=commit.author or None,
            commit=commit.sha,
            merged_at=commit.at,
            in_effect=live,
        )

    def _carried(self, tag: Tag, before: Tag | None, deadline: float) -> list[_Found]:
        """The commits that a version brought; where it brought none, as when going back, the version itself."""
        revisions = [tag.sha, f"^{before.sha}"] if before else [tag.sha]
        commits = self._history.listed([f"--max-count={MAX_CHANGES if before else 1}"], revisions, deadline)
        version = {"at": tag.at, "version": tag.name, "service": self._config.service, "in_effect": True}
        found = [_Found(self._merged(commit), commit) for commit in commits]
        if not found:
            moved = Commit(tag.sha, (before.sha,) if before else (), tag.at, tag.by, tag.title)
            found = [_Found(self._merged(moved).model_copy(update={"merged_at": None}), moved)]
        return [
            _Found(each.change.model_copy(update=version | {"id": f"{tag.name}:{each.change.id}"}), each.commit)
            for each in found
        ]

    def _latest(self, found: list[_Found]) -> list[_Found]:
        found = sorted(found, key=lambda each: (each.change.at, each.change.id))
        if len(found) > MAX_CHANGES:
            first = found[-MAX_CHANGES].change.at
            self._note(f"{MAX_CHANGES} of {len(found)} changes are told; those before {iso(first)} are left out")
        return found[-MAX_CHANGES:]

    def _with_diffs(self, found: list[_Found], deadline: float) -> list[ChangeEvent]:
        """The changes with what they changed, as far as the time goes, the latest first."""
        cut = late = 0
        for each in reversed(found):
            if each.change.id not in self._diffs:
                try:
                    self._diffs[each.change.id] = self._history.brought_by(each.commit, deadline)
                except OutOfTime:
                    late += 1
                    continue
            cut += self._diffs[each.change.id].cut
        if cut:
            self._note(f"{counted(cut, 'diff')} of more than {MAX_DIFF // 1000} kB {'is' if cut == 1 else 'are'} cut")
        if late:
            seconds = self._config.timeout_seconds
            self._note(f"the diffs of {counted(late, 'change')} could not be read within {seconds:g} s")
        return [self._with_diff(each.change) for each in found]

    def _with_diff(self, change: ChangeEvent) -> ChangeEvent:
        diff = self._diffs.get(change.id, Diff())
        return change.model_copy(update={"diff": diff.text, "files": diff.files})

    def _note(self, text: str) -> None:
        self._notes.add(Source.CHANGES, f"git repository {self._config.path}: {text}")

    def _late(self) -> ToolError:
        return self._git.error(f"gave no answer within {self._config.timeout_seconds:g} s")
