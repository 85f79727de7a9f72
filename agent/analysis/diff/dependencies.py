"""Versions of third-party packages in the files that list them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.languages import Role
from agent.analysis.diff.values import Place, is_version
from agent.analysis.edits import Edit, EditKind

_VERSION = r"[~^>=<! ]*v?\d+(?:\.(?:\d+|x|\*))*(?:[.+-][\w.+-]+)?"
_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        # go.mod: require and replace lines, with or without the verb
        r"(?:require\s+|replace\s+.*=>\s*)?(?P<name>[a-z0-9][\w.-]*\.[a-z]+/\S+)\s+(?P<version>v\d\S*)",
        r"(?P<name>go|toolchain)\s+(?:go)?(?P<version>\d[\w.]*)$",
        # JSON and TOML tables: "name": "1.2", name = "1.2", name = { version = "1.2" }
        rf"\"?(?P<name>@?[\w./-]+)\"?\s*[:=]\s*\"(?P<version>{_VERSION}|\*|latest|workspace:\S*)\"",
        rf"\"?(?P<name>[\w.-]+)\"?\s*=\s*\{{.*\bversion\s*=\s*\"(?P<version>{_VERSION})\"",
        # requirements and lists in pyproject
        r"\"?(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,. -]+\])?\s*(?P<version>(?:[=~><!]=?=?|"
        r"===)\s*\d[^;#\"',]*(?:,\s*[=~><!]=?\s*\d[^;#\"',]*)*)",
        # group:artifact:version of Gradle, Maven shorthand and sbt
        r".*?['\"]?(?P<name>[\w.-]+(?::[\w.-]+)+|[\w-]+):(?P<version>\d[\w.+-]*)['\")]*",
        r".*\"(?P<group>[\w.-]+)\"\s*%%?%?\s*\"(?P<name>[\w.-]+)\"\s*%\s*\"(?P<version>[\w.+-]+)\"",
        r".*\b(?:id|kotlin|alias)\s*\(?['\"](?P<name>[\w.-]+)['\"]\)?\s*version\s*['\"](?P<version>[\w.+-]+)['\"]",
        # Ruby, Elixir, CocoaPods
        rf".*\b(?:gem|pod|add_\w*dependency)\s*\(?\s*['\"](?P<name>[\w./-]+)['\"]\s*,\s*['\"](?P<version>{_VERSION})['\"]",
        rf"\{{:(?P<name>\w+),\s*\"(?P<version>{_VERSION})\"",
        # .NET
        rf".*(?:PackageReference|PackageVersion|package)\s+(?:Include|Update|id)=\"(?P<name>[\w.-]+)\".*?[vV]ersion=\"(?P<version>{_VERSION})\"",
        # YAML
        rf"(?P<name>[\w-]+):\s*\"?(?P<version>{_VERSION})\"?\s*$",
        # Java properties: jackson.version=2.17.1
        r"(?P<name>[\w.-]+)\s*=\s*(?P<version>\d[\w.+-]*)$",
    )
)
_XML_VERSION = re.compile(r"<(?P<tag>[\w.-]*[vV]ersion)>\s*(?P<version>[\w.+-]+)\s*</")
_XML_NAME = re.compile(r"<(?:artifactId|id|PackageId)>\s*([\w.-]+)\s*</")
_YAML_VERSION = re.compile(rf"(?:- )?version:\s*\"?(?P<version>{_VERSION})\"?\s*$")
_YAML_NAME = re.compile(r"(?:- )?name:\s*\"?([\w./-]+)\"?\s*$")
_HCL_VERSION = re.compile(rf"(?:required_)?version\s*=\s*\"(?P<version>{_VERSION}(?:,\s*{_VERSION})*)\"")
_OWN = frozenset({"version", "appversion", "modelversion", "name", "sdk", "schema"})
"""Names that stand for the file's own version."""

_NOT_RUNTIME = re.compile(
    r"@types/|(^|[/@:._-])(eslint|prettier|stylelint|jest|vitest|mocha|chai|karma|cypress|storybook|testing-library|"
    r"husky|"
    r"lint-staged|commitlint|pytest|tox|nox|ruff|flake8|pylint|mypy|black|isort|coverage|hypothesis|faker|vcrpy|"
    r"pre-commit|junit|"
    r"testng|mockito|assertj|hamcrest|wiremock|testcontainers|spock|jacoco|checkstyle|spotbugs|pmd|spotless|ktlint|"
    r"detekt|kotest|"
    r"mockk|scalatest|testify|gomega|ginkgo|go-cmp|gomock|mockery|golangci|rspec|rubocop|minitest|capybara|"
    r"simplecov|xunit|nunit|"
    r"moq|fluentassertions|coverlet|criterion|proptest|mockall|phpunit|phpstan|psalm|sonar|sonarqube|"
    r"renovate)([/:._-]|$)",
    re.IGNORECASE,
)


def runs_in_production(package: str) -> bool:
    """False for packages that only test, lint or format."""
    return not _NOT_RUNTIME.search(package)


def dependency_edits(hunk: Hunk) -> Iterator[Edit]:
    """One DEPENDENCY per package whose version moved, appeared or went; `section` is the size of the move."""
    if hunk.role is not Role.DEPENDENCIES and hunk.language.name != "requirements" and not _pins_providers(hunk):
        return
    before, after = _versions(hunk.before), _versions(hunk.after)
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old and new and old[0] == new[0]:
            continue
        version_before, version_after = (old[0] if old else None), (new[0] if new else None)
        line = (new or old or ("", ""))[1]
        place = Place(hunk.path, hunk.language, bump(version_before, version_after), line)
        yield Edit(
            kind=EditKind.DEPENDENCY, path=place.path, name=name, section=place.section,
            before=version_before, after=version_after, line=line.strip()[:200],
        )  # fmt: skip


def _pins_providers(hunk: Hunk) -> bool:
    return hunk.language.name == "hcl" and any("version" in line.text for side in hunk.sides for line in side.lines)


def _versions(side: Side) -> dict[str, tuple[str, str]]:
    """Package -> (version, line) on the changed lines, the nearest name above for a version on a line of its own."""
    found: dict[str, tuple[str, str]] = {}
    for index, line in enumerate(side.lines):
        if not line.changed:
            continue
        name, version = _named(side, index)
        if name and version and name.lower() not in _OWN:
            found.setdefault(name, (version.strip(), line.text))
    return found


def _named(side: Side, index: int) -> tuple[str, str]:
    text = side.lines[index].stripped.rstrip(",")
    xml = _XML_VERSION.search(text)
    if xml:
        tag = xml["tag"].removesuffix(".version").removesuffix("Version").removesuffix("-version")
        return (_near(side, index, _XML_NAME) if tag in {"", "version"} else tag), xml["version"]
    for pattern, names in ((_YAML_VERSION, _YAML_NAME), (_HCL_VERSION, _HCL_NAME)):
        lone = pattern.match(text)
        if lone:
            return _near(side, index, names), lone["version"]
    if side.language.name == "hcl":
        return "", ""
    for pattern in _LINES:
        match = pattern.match(text.removeprefix("- "))
        if match and (side.language.name != "groovy" or is_version(match["version"])):
            return match["name"], match["version"]
    return "", ""


_HCL_NAME = re.compile(r"(?:source\s*=\s*\"([\w./-]+)\"|([\w-]+)\s*=\s*\{)")


def _near(side: Side, index: int, pattern: re.Pattern[str]) -> str:
    """The name in the same block: above first, then just below; "?" when the hunk shows none."""
    for at in (*range(index - 1, max(-1, index - 6), -1), *range(index + 1, min(len(side.lines), index + 4))):
        match = pattern.search(side.lines[at].stripped)
        if match:
            return next(g for g in match.groups() if g)
    return "?"


def bump(before: str | None, after: str | None) -> str:
    """The first part in which two versions differ: major, minor or patch; added or removed for one alone."""
    if before is None or after is None:
        return "added" if before is None else "removed"
    old, new = _parts(before), _parts(after)
    for name, x, y in zip(("major", "minor", "patch"), old, new, strict=False):
        if x != y:
            return name
    return "patch"


def _parts(version: str) -> list[int]:
    numbers = [int(n[:9]) for n in re.findall(r"\d+", re.split(r"[+,]", version.strip())[0])[:3]]
    return numbers + [0] * (3 - len(numbers))
