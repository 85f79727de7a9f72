"""Commits, tags and diffs of a git repository, read along first parents and bounded in time and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.evidence import TimeWindow, ToolError
from tools.live.git_command import GitCommand
from tools.words import clean_name, clean_text

MAX_LISTING = 8 * 2**20
"""Bytes of a list of commits, tags or paths: some ten thousand of them."""
MAX_DIFF = 100_000
"""Bytes kept of one diff; a longer one is generated or vendored code."""
MAX_FILES = 500
MAX_TITLE = 300
SKEW = timedelta(days=2)
"""Git stops at the first older commit that it meets; this much may the clocks of two authors be apart."""
_COMMIT = "--format=%H%x00%P%x00%ct%x00%an%x00%s"
_TAG = (
    "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)%00%(taggername)%00%(subject)%00"
)
_COMMIT_FIELDS, _TAG_FIELDS = 5, 6
_DIFF = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "-M",
)


@dataclass(frozen=True)
class Commit:
    """A commit on the branch, or the merge that brought a branch; `at` is when it was committed there."""

    sha: str
    parents: tuple[str, ...]
    at: datetime
    author: str
    title: str


@dataclass(frozen=True)
class Tag:
    """A tag and the commit it names; `at` is when it was set, for one without a message when its commit was made."""

    name: str
    sha: str
    at: datetime
    by: str
    title: str


@dataclass(frozen=True)
class Diff:
    """What changed between two commits: paths and a unified diff, None where there is none to be had."""

    text: str | None = None
    files: tuple[str, ...] = ()
    cut: bool = False


class GitHistory:
    """The history below some paths of a repository; every question is given its deadline (monotonic seconds).

    Raises ToolError, and OutOfTime when the deadline has passed.
    """

    def __init__(self, git: GitCommand, paths: Sequence[str]) -> None:
        self._git = git
        self._paths = paths

    def resolved(self, name: str, deadline: float) -> str:
        """The commit that a branch names."""
        try:
            arguments = ["rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"]
            return self._git.output(arguments, deadline, 200).text().strip()
        except ToolError as error:
            if "Needed a single revision" not in error.message:
                raise
            raise self._git.error(f"branch={name!r}: there is no such branch, or no commit on it yet") from error

    def merged(self, revisions: Sequence[str], window: TimeWindow, deadline: float) -> list[Commit]:
        """Commits of the window that the revisions (`X`, `^Y`) reach along first parents, newest first."""
        since, until = window.since - SKEW, window.until + SKEW
        bounds = [f"--since={since.isoformat()}", f"--until={until.isoformat()}"]
        return [commit for commit in self.listed([*bounds], revisions, deadline) if window.contains(commit.at)]

    def listed(self, options: Sequence[str], revisions: Sequence[str], deadline: float) -> list[Commit]:
        """Commits that the revisions reach along first parents, newest first."""
        arguments = ["log", "-z", "--first-parent", "--no-color", "--encoding=UTF-8", _COMMIT, *options]
        arguments += ["--end-of-options", *revisions, "--", *self._paths]
        found = self._git.output(arguments, deadline, MAX_LISTING)
        return [
            Commit(sha, tuple(parents.split()), _moment(at), clean_name(author), clean_text(title, MAX_TITLE))
            for sha, parents, at, author, title in _records(found.text(), _COMMIT_FIELDS)
        ]

    def tags(self, until: datetime, deadline: float) -> list[Tag]:
        """Tags of commits that were set before `until`, newest first."""
        arguments = ["for-each-ref", "--sort=-creatordate", _TAG, "refs/tags"]
        found = self._git.output(arguments, deadline, MAX_LISTING).text()
        tags = [
            Tag(name.lstrip("\n"), peeled or sha, _moment(at), clean_name(by), clean_text(title, MAX_TITLE))
            for name, sha, peeled, at, by, title in _records(found, _TAG_FIELDS)
            if at  # a tag of a file or a folder has no date
        ]
        return [tag for tag in tags if tag.at < until]

    def brought_by(self, commit: Commit, deadline: float) -> Diff:
        """What the commit changed on its branch. Where the clone ends, that cannot be known."""
        if commit.parents:
            return self.between(commit.parents[0], commit.sha, deadline)
        shallow = self._git.output(["rev-parse", "--is-shallow-repository"], deadline, 20).text()
        return Diff() if shallow.strip() == "true" else self._diff(["--root", "--no-commit-id", commit.sha], deadline)

    def between(self, before: str, after: str, deadline: float) -> Diff:
        """What changed from one commit to another."""
        return self._diff([before, after], deadline)

    def _diff(self, trees: Sequence[str], deadline: float) -> Diff:
        asked = ["diff-tree", "-r", *_DIFF]
        rest = [*trees, "--", *self._paths]
        names = self._git.output([*asked, "--name-only", "-z", *rest], deadline, MAX_LISTING)
        if not names.content:
            return Diff()
        patch = self._git.output([*asked, "--patch", *rest], deadline, MAX_DIFF)
        text = patch.text()
        if patch.cut:
            text = text[: text.rfind("\n") + 1]
        files = [clean_text(name, MAX_TITLE) for name in names.text().split("\0") if name]
        return Diff(clean_text(text, MAX_DIFF) or None, tuple(files[:MAX_FILES]), patch.cut)


def _records(text: str, fields: int) -> Iterator[list[str]]:
    """Records of so many fields, each field ended by NUL, which neither names nor titles can hold."""
    parts = text.split("\0")
    for start in range(0, len(parts) - fields + 1, fields):
        yield parts[start : start + fields]


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
