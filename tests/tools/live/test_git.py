from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.tools.live.git_repository import GitRepository
from tools.evidence import ChangeEvent, ChangeKind, TimeWindow, ToolError
from tools.live import git
from tools.live.git import GitChanges, GitConfig
from tools.live.git_history import MAX_DIFF
from tools.live.notebook import Notebook

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = TimeWindow(since=NOON - timedelta(hours=2), until=NOON)


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    made = GitRepository(tmp_path / "shop")
    made.commit(NOON - timedelta(days=3), "begin", basket__items_py="LIMIT = 40\n", price__price_py="TAX = 19\n")
    return made


def told(
    repository: GitRepository, window: TimeWindow = WINDOW, **config: object
) -> tuple[list[ChangeEvent], Notebook]:
    notes = Notebook()
    chosen = GitConfig.model_validate({"path": repository.folder} | config)
    return GitChanges(chosen, notes).changes(window), notes


def test_a_commit_is_merged_and_not_known_to_be_deployed(repository: GitRepository) -> None:
    sha = repository.commit(NOON - 30 * MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    [change], notes = told(repository, service="basket")
    assert (change.id, change.commit, change.kind) == (sha[:12], sha, ChangeKind.DEPLOY)
    assert (change.at, change.merged_at) == (NOON - 30 * MINUTE, NOON - 30 * MINUTE)
    assert (change.title, change.author, change.version) == ("smaller pages", "Mia Vogel", None)
    assert (change.in_effect, change.service) == (False, None)
    assert change.files == ("basket/items.py",)
    assert change.diff is not None
    assert change.diff.startswith("diff --git a/basket/items.py b/basket/items.py\n")
    assert change.diff.endswith("@@ -1 +1 @@\n-LIMIT = 40\n+LIMIT = 20\n")
    assert len(notes) == 0


def test_a_branch_that_is_deployed_on_merge(repository: GitRepository) -> None:
    repository.commit(NOON - 30 * MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    [change], _ = told(repository, service="basket", deployed_on_merge=True)
    assert (change.in_effect, change.service) == (True, "basket")


def test_a_merged_branch_is_one_change_with_all_it_brought(repository: GitRepository) -> None:
    repository.run("checkout", "--quiet", "-b", "pages")
    repository.commit(NOON - timedelta(days=2), "first try", basket__items_py="LIMIT = 30\n")
    repository.commit(NOON - 90 * MINUTE, "second try", basket__items_py="LIMIT = 20\n")
    repository.run("checkout", "--quiet", "main")
    merge = repository.merge(NOON - 10 * MINUTE, "pages")
    [change], _ = told(repository)
    assert (change.commit, change.title, change.at) == (merge, "Merge pages", NOON - 10 * MINUTE)
    assert change.diff is not None
    assert change.diff.endswith("-LIMIT = 40\n+LIMIT = 20\n")


def test_the_window_is_half_open_and_its_changes_come_oldest_first(repository: GitRepository) -> None:
    for minutes, title in ((-121, "before"), (-120, "since"), (-60, "inside"), (0, "until"), (5, "after")):
        repository.commit(NOON + minutes * MINUTE, title, price__price_py=f"TAX = {minutes}\n")
    assert [change.title for change in told(repository)[0]] == ["since", "inside"]


def test_only_some_paths_of_a_repository_of_many_services(repository: GitRepository) -> None:
    repository.commit(NOON - 50 * MINUTE, "both", basket__items_py="LIMIT = 20\n", price__price_py="TAX = 7\n")
    repository.commit(NOON - 40 * MINUTE, "price only", price__price_py="TAX = 9\n")
    [change], _ = told(repository, service="basket", paths=("basket",))
    assert (change.title, change.files) == ("both", ("basket/items.py",))
    assert change.diff is not None
    assert "price" not in change.diff


def test_a_path_is_no_pattern_and_no_option(repository: GitRepository) -> None:
    repository.commit(NOON - 40 * MINUTE, "price", price__price_py="TAX = 9\n")
    assert told(repository, paths=("*",))[0] == []
    assert told(repository, paths=("--output=stolen",))[0] == []
    assert not (repository.folder / "stolen").exists()


def test_a_deploy_tag_carries_the_commits_since_the_one_before(repository: GitRepository) -> None:
    repository.tag(NOON - timedelta(days=2), "v1")
    first = repository.commit(NOON - timedelta(hours=20), "smaller pages", basket__items_py="LIMIT = 20\n")
    second = repository.commit(NOON - 100 * MINUTE, "tax", price__price_py="TAX = 7\n")
    repository.tag(NOON - 30 * MINUTE, "v2")
    repository.run("tag", "nightly")
    third = repository.commit(NOON - 10 * MINUTE, "not yet", price__price_py="TAX = 8\n")
    found, _ = told(repository, service="shop", deploy_tags="v*")
    assert [(c.version, c.commit, c.at, c.in_effect, c.service) for c in found] == [
        ("v2", sha, NOON - 30 * MINUTE, True, "shop") for sha in sorted((first, second))
    ] + [(None, third, NOON - 10 * MINUTE, False, None)]
    assert {c.merged_at for c in found[:2]} == {NOON - timedelta(hours=20), NOON - 100 * MINUTE}
    assert all(c.id == f"v2:{str(c.commit)[:12]}" for c in found[:2])


def test_going_back_to_an_older_version_is_a_deploy_with_the_way_back(repository: GitRepository) -> None:
    old = repository.run("rev-parse", "HEAD")
    repository.commit(NOON - timedelta(days=1), "smaller pages", basket__items_py="LIMIT = 20\n")
    repository.tag(NOON - timedelta(hours=5), "prod-2")
    repository.tag(NOON - 20 * MINUTE, "prod-3", old)
    [change], _ = told(repository, deploy_tags="prod-*", service="shop")
    assert (change.version, change.commit, change.title) == ("prod-3", old, "Release prod-3")
    assert change.diff is not None
    assert change.diff.endswith("-LIMIT = 20\n+LIMIT = 40\n")


def test_the_first_tag_of_all_carries_its_own_commit(repository: GitRepository) -> None:
    repository.commit(NOON - timedelta(days=1), "smaller pages", basket__items_py="LIMIT = 20\n")
    repository.tag(NOON - 20 * MINUTE, "v1")
    [change], _ = told(repository, deploy_tags="v*")
    assert (change.version, change.title) == ("v1", "smaller pages")


def test_what_a_later_deploy_carried_was_not_yet_in_effect(repository: GitRepository) -> None:
    repository.commit(NOON - 30 * MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    repository.tag(NOON + 30 * MINUTE, "v1")
    [change], _ = told(repository, deploy_tags="v*")
    assert (change.version, change.in_effect) == (None, False)


def test_a_repository_of_settings(repository: GitRepository) -> None:
    repository.commit(NOON - 30 * MINUTE, "flag on", flags_json='{"new-basket": true}\n')
    [change], _ = told(repository, deployed_on_merge=True, change_kind="flag")
    assert change.kind is ChangeKind.FLAG


def test_a_bare_clone_and_a_shallow_one(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit(NOON - 30 * MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    whole, _ = told(repository)
    repository.run("clone", "--quiet", "--bare", str(repository.folder), str(tmp_path / "bare"))
    repository.run("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(tmp_path / "shallow"))
    for folder, diff in (("bare", whole[0].diff), ("shallow", None)):
        notes = Notebook()
        [change] = GitChanges(GitConfig(path=tmp_path / folder), notes).changes(WINDOW)
        assert (change.commit, change.diff) == (whole[0].commit, diff)


def test_the_very_first_commit_shows_what_it_began_with(tmp_path: Path) -> None:
    made = GitRepository(tmp_path / "new")
    made.commit(NOON - MINUTE, "begin", a_py="x = 1\n")
    [change], _ = told(made)
    assert change.diff is not None
    assert change.diff.endswith("+x = 1\n")


def test_strange_names_and_contents(repository: GitRepository) -> None:
    repository.write('a "b"\n\té.py', "x = 1\n")
    repository.commit(NOON - MINUTE, "\x1b[31mred\x1b[0m", latin_py=b"name = '\xe9'\n", image_bin=bytes(range(256)))
    [change], _ = told(repository)
    assert change.title == "red"
    assert 'a "b"\n\té.py' in change.files
    assert change.diff is not None
    assert "name = '\ufffd'" in change.diff
    assert "Binary files /dev/null and b/image.bin differ" in change.diff


def test_a_huge_diff_is_cut_at_a_line_and_noted(repository: GitRepository) -> None:
    repository.commit(NOON - MINUTE, "generated", big_py="".join(f"line {n}\n" for n in range(200_000)))
    [change], notes = told(repository)
    assert change.diff is not None
    assert MAX_DIFF - 100 < len(change.diff) <= MAX_DIFF
    assert change.diff.endswith("\n")
    assert [text for _, text in notes] == [f"git repository {repository.folder}: 1 diff of more than 100 kB is cut"]


def test_too_many_changes_are_cut_and_noted(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "MAX_CHANGES", 2)
    for minutes in (30, 20, 10):
        repository.commit(NOON - minutes * MINUTE, f"{minutes} before")
    found, notes = told(repository)
    assert [change.title for change in found] == ["20 before", "10 before"]
    assert "2 of 3 changes are told; those before 2026-06-18T11:40:00Z are left out" in notes[0][1]


def test_diffs_that_take_too_long_are_a_note_and_read_the_next_time(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(NOON - MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    notes = Notebook()
    changes = GitChanges(GitConfig(path=repository.folder), notes)
    patient = changes._history.brought_by

    def late(*_: object) -> None:
        raise git.OutOfTime

    monkeypatch.setattr(changes._history, "brought_by", late)
    assert [change.diff for change in changes.changes(WINDOW)] == [None]
    assert "the diffs of 1 change could not be read within 20 s" in notes[0][1]
    monkeypatch.setattr(changes._history, "brought_by", patient)
    assert changes.changes(WINDOW)[0].diff is not None


def test_a_git_that_hangs_is_given_up(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"gave no answer within 0\.2 s"):
        told(repository, timeout_seconds=0.2)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"branch": "release"}, "branch='release': there is no such branch"),
        ({"path": "/nowhere"}, "there is no repository"),
    ],
)
def test_what_cannot_be_read_is_one_line(repository: GitRepository, config: dict[str, object], words: str) -> None:
    with pytest.raises(ToolError) as refused:
        told(repository, **config)
    assert words in refused.value.message
    assert refused.value.message.isprintable()


def test_an_empty_and_a_damaged_repository(tmp_path: Path) -> None:
    empty = GitRepository(tmp_path / "empty")
    with pytest.raises(ToolError, match="no commit on it yet"):
        told(empty)
    empty.commit(NOON - MINUTE, "begin", a_py="x = 1\n")
    for file in (empty.folder / ".git" / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"rubbish")
    with pytest.raises(ToolError, match="failed: ") as refused:
        told(empty)
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("branch", ["", "--output=x", "a b", "a\nb"])
def test_a_branch_is_no_option(branch: str) -> None:
    with pytest.raises(ValidationError, match="branch"):
        GitConfig(path=Path("x"), branch=branch)


def test_nothing_that_the_repository_names_is_run(repository: GitRepository, tmp_path: Path) -> None:
    """A clone may come from anybody: its settings name programs, and none of them may start."""
    trap, mark = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\necho sprung >> {mark}\ncat\n")
    trap.chmod(0o755)
    for key in ("core.pager", "pager.log", "core.fsmonitor", "core.sshCommand", "diff.external", "gpg.program"):
        repository.run("config", key, str(trap))
    repository.run("config", "diff.trap.textconv", str(trap))
    repository.run("config", "diff.trap.command", str(trap))
    repository.run("config", "log.showSignature", "true")
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        (repository.folder / ".git" / "hooks").mkdir(exist_ok=True)
        (repository.folder / ".git" / "hooks" / hook).symlink_to(trap)
    (repository.folder / ".git" / "info").mkdir(exist_ok=True)
    (repository.folder / ".git" / "info" / "attributes").write_text("*.py diff=trap\n")
    repository.write("basket/items.py", "LIMIT = 20\n")
    GitRepository.commit(repository, NOON - MINUTE, "trap")
    mark.unlink(missing_ok=True)  # making the commit may have sprung it; reading must not
    [change], _ = told(repository)
    assert change.diff is not None
    assert change.diff.endswith("-LIMIT = 40\n+LIMIT = 20\n")
    assert not mark.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_clone_that_somebody_else_owns_is_read(repository: GitRepository) -> None:
    repository.commit(NOON - MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    for path in (repository.folder, *repository.folder.rglob("*")):
        os.chown(path, 65534, 65534)
    assert len(told(repository)[0]) == 1


def test_what_the_doctor_sees(repository: GitRepository) -> None:
    repository.commit(NOON - MINUTE, "smaller pages", basket__items_py="LIMIT = 20\n")
    changes = GitChanges(GitConfig(path=repository.folder, service="basket", deployed_on_merge=True), Notebook())
    seen = changes.look(WINDOW)
    assert seen.facts == ("1 change in the window, 1 of them known to be deployed",)
    assert (seen.services, seen.newest, seen.troubles) == (("basket",), NOON - MINUTE, ())
    later = TimeWindow(since=NOON + timedelta(days=30), until=NOON + timedelta(days=31))
    assert "whydown never does" in changes.look(later).troubles[0]
