"""What a file is, judged from its path: the language it is written in and the part it plays in the system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal


class Family(StrEnum):
    """How the text of a file is built, and so how it is read."""

    CODE = "code"
    SETTINGS = "settings"
    SQL = "sql"
    CONTRACT = "contract"
    """Interface definitions: protobuf, GraphQL, Avro, Thrift."""
    MARKUP = "markup"
    STYLESHEET = "stylesheet"
    PROSE = "prose"
    DATA = "data"


class Role(StrEnum):
    """What a file is there for. Only `PRODUCT`, `DEPENDENCIES` and `LOCKFILE` reach production."""

    PRODUCT = "product"
    DEPENDENCIES = "dependencies"
    LOCKFILE = "lockfile"
    TESTS = "tests"
    DOCUMENTATION = "documentation"
    STYLE = "style"
    BUILD = "build"


Block = Literal["", "c", "xml"]


@dataclass(frozen=True, slots=True)
class Language:
    """The little that reading a diff needs to know about a language."""

    name: str
    family: Family
    line_comments: tuple[str, ...] = ()
    block: Block = ""
    """Which block comments it has: /* */ or <!-- -->."""
    indentation: bool = False
    """Leading white space carries meaning."""
    dynamic: bool = False
    """A misspelt or renamed name is found at run time only."""
    triple: bool = False
    """Has triple-quoted strings."""
    backtick: bool = False
    """Back-quoted text is a string that may span lines."""


_CODE, _SET = Family.CODE, Family.SETTINGS
_SLASHES, _HASH = ("//",), ("#",)

_LANGUAGES = {
    language.name: language
    for language in (
        Language("go", _CODE, _SLASHES, "c", backtick=True),
        Language("java", _CODE, _SLASHES, "c", triple=True),
        Language("kotlin", _CODE, _SLASHES, "c", triple=True),
        Language("scala", _CODE, _SLASHES, "c", triple=True),
        Language("groovy", _CODE, _SLASHES, "c", triple=True, dynamic=True),
        Language("javascript", _CODE, _SLASHES, "c", backtick=True, dynamic=True),
        Language("typescript", _CODE, _SLASHES, "c", backtick=True),
        Language("csharp", _CODE, _SLASHES, "c", triple=True),
        Language("rust", _CODE, _SLASHES, "c"),
        Language("c", _CODE, _SLASHES, "c"),
        Language("swift", _CODE, _SLASHES, "c", triple=True),
        Language("dart", _CODE, _SLASHES, "c", triple=True),
        Language("php", _CODE, ("//", "#"), "c", dynamic=True),
        Language("python", _CODE, _HASH, indentation=True, dynamic=True, triple=True),
        Language("ruby", _CODE, _HASH, dynamic=True),
        Language("elixir", _CODE, _HASH, dynamic=True, triple=True),
        Language("perl", _CODE, _HASH, dynamic=True),
        Language("lua", _CODE, ("--",), dynamic=True),
        Language("shell", _CODE, _HASH, dynamic=True),
        Language("code", _CODE, _SLASHES, "c"),
        Language("sql", Family.SQL, ("--",), "c"),
        Language("yaml", _SET, _HASH, indentation=True),
        Language("toml", _SET, _HASH, triple=True),
        Language("ini", _SET, ("#", ";")),
        Language("properties", _SET, ("#", "!")),
        Language("env", _SET, _HASH),
        Language("hcl", _SET, ("#", "//"), "c"),
        Language("json", _SET, _SLASHES, "c"),
        Language("dockerfile", _SET, _HASH),
        Language("conf", _SET, _HASH),
        Language("make", _SET, _HASH, indentation=True),
        Language("cron", _SET, _HASH),
        Language("gomod", _SET, _SLASHES),
        Language("requirements", _SET, _HASH),
        Language("xml", Family.MARKUP, (), "xml"),
        Language("html", Family.MARKUP, (), "xml"),
        Language("proto", Family.CONTRACT, _SLASHES, "c"),
        Language("graphql", Family.CONTRACT, _HASH, triple=True),
        Language("css", Family.STYLESHEET, _SLASHES, "c"),
        Language("prose", Family.PROSE),
        Language("data", Family.DATA),
        Language("image", Family.STYLESHEET),
    )
}

_EXTENSIONS = {
    "go": "go",
    "java": "java",
    "kt kts": "kotlin",
    "scala sc": "scala",
    "groovy gradle": "groovy",
    "js jsx mjs cjs vue svelte": "javascript",
    "ts tsx mts cts": "typescript",
    "cs": "csharp",
    "rs": "rust",
    "c h cc cpp cxx hh hpp m mm": "c",
    "swift": "swift",
    "dart": "dart",
    "php": "php",
    "py pyi pyx": "python",
    "rb rake gemspec": "ruby",
    "ex exs": "elixir",
    "pl pm": "perl",
    "lua": "lua",
    "sh bash zsh ksh ps1 bat": "shell",
    "sql ddl": "sql",
    "yaml yml": "yaml",
    "toml": "toml",
    "ini cfg service timer socket": "ini",
    "properties": "properties",
    "env": "env",
    "tf tfvars hcl nomad": "hcl",
    "json json5 jsonc avsc webmanifest": "json",
    "conf cnf cf": "conf",
    "mk": "make",
    "xml csproj props targets config xaml plist": "xml",
    "html htm hbs ejs erb jinja j2 tmpl mustache liquid twig": "html",
    "proto thrift": "proto",
    "graphql gql": "graphql",
    "css scss sass less styl": "css",
    "md markdown mdx rst adoc asciidoc txt": "prose",
    "csv tsv ndjson jsonl": "data",
    "png jpg jpeg gif svg ico webp avif woff woff2 ttf otf eot mp3 mp4": "image",
}
_BY_EXTENSION = {ext: name for exts, name in _EXTENSIONS.items() for ext in exts.split()}

_BY_NAME = {
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "makefile": "make",
    "jenkinsfile": "groovy",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "podfile": "ruby",
    "procfile": "yaml",
    "pipfile": "toml",
    "cargo.lock": "toml",
    "poetry.lock": "toml",
    "go.mod": "gomod",
    "go.sum": "gomod",
    "go.work": "gomod",
    "crontab": "cron",
    "caddyfile": "conf",
    ".npmrc": "ini",
    ".editorconfig": "ini",
    "codeowners": "prose",
    "readme": "prose",
    "license": "prose",
    "changelog": "prose",
}

_LOCKFILES = re.compile(
    r"(^|/)(go\.(work\.)?sum|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|poetry\.lock|"
    r"uv\.lock|pdm\.lock|pipfile\.lock|cargo\.lock|gemfile\.lock|composer\.lock|packages\.lock\.json|mix\.lock|pubspec\.lock|"
    r"gradle\.lockfile|chart\.lock|\.terraform\.lock\.hcl)$",
    re.IGNORECASE,
)
_DEPENDENCIES = re.compile(
    r"(^|/)(go\.mod|package\.json|requirements[\w.-]*\.(txt|in)|constraints[\w.-]*\.txt|pyproject\.toml|pipfile|setup\.(py|cfg)|"
    r"cargo\.toml|[\w.-]*pom\.xml|[\w.-]*build\.gradle(\.kts)?|gradle\.properties|libs\.versions\.toml|build\.sbt|gemfile|"
    r"[\w.-]+\.gemspec|composer\.json|[\w.-]+\.(cs|fs|vb)proj|directory\.packages\.props|packages\.config|mix\.exs|"
    r"pubspec\.yaml|podfile|chart\.ya?ml|environment\.ya?ml|rebar\.config)$|(^|/)requirements/[\w.-]+\.(txt|in)$",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(^|/)(tests?|__tests__|__mocks__|__snapshots__|testdata|test-data|cypress|e2e|integration-tests?|"
    r"mocks?|test_?fixtures|androidTest|testFixtures|unittests?)/|(^|/)specs?/.*\.(rb|js|ts|jsx|tsx|php)$|"
    r"(^|/)(test_[^/]*|[^/]*[_.-](test|tests|spec|specs|e2e|mock|bench|unittest)|conftest|"
    r"[^/]*[a-z0-9](?<!Ab)(?<!Split)(Tests?|TestCase|IT|Spec|Specs|Mock))\.(?!ya?ml$|toml$|properties$|env$|tf$)\w+$|"
    r"(^|/)(jest|vitest|karma|playwright|cypress|phpunit|pytest)[\w.-]*\.(js|ts|mjs|cjs|json|xml|ini)$"
)
_DOCUMENTATION = re.compile(
    r"(^|/)(readme|changelog|changes|history|contributing|authors|maintainers|codeowners|owners|licen[cs]es?|notice|"
    r"copying|security|code_of_conduct|governance|roadmap|todo)(-[\w-]+)?(\.(txt|md|rst|adoc|html))?$|"
    r"\.(md|mdx|markdown|rst|adoc|asciidoc)$|(^|/)(docs?|documentation|adrs?|rfcs?|runbooks?|wiki)/.*\.(txt|png|svg|jpe?g|gif|drawio|puml|mmd)$",
    re.IGNORECASE,
)
_PROMPTS = re.compile(
    r"(^|/)(prompts?|templates?|emails?|mails?|content|posts|_posts|knowledge|resources)/", re.IGNORECASE
)
_STYLE = re.compile(
    r"\.(css|scss|sass|less|styl|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot)$|"
    r"(^|/)(i18n|l10n|locales?|translations?|lang)/.*\.(json|ya?ml|properties|po|pot|ftl|arb|xliff?|strings)$|"
    r"(^|/)messages(_\w+)?\.properties$|\.(po|pot|ftl|arb|xliff?)$",
    re.IGNORECASE,
)
_BUILD = re.compile(
    r"(^|/)\.(github|circleci|gitlab|buildkite|azure-pipelines|ci|woodpecker|drone|husky|vscode|idea|devcontainer|changeset)/|"
    r"^ci/|(^|/)ci/[^/]+\.(ya?ml|sh|groovy|toml)$|"
    r"(^|/)(jenkinsfile|\.gitlab-ci\.ya?ml|\.travis\.ya?ml|azure-pipelines[\w.-]*\.ya?ml|\.drone\.ya?ml|bitbucket-pipelines\.ya?ml|"
    r"appveyor\.ya?ml|\.?codecov\.ya?ml|\.pre-commit-config\.ya?ml|\.golangci\.(ya?ml|toml|json)|\.eslint[\w.-]*|\.prettier[\w.-]*|"
    r"\.stylelint[\w.-]*|(eslint|prettier|stylelint|commitlint)\.config\.\w+|\.editorconfig|\.gitignore|\.gitattributes|\.gitmessage|"
    r"\.git-blame-ignore-revs|\.?renovate[\w-]*\.json5?|\.?dependabot\.ya?ml|\.?ruff\.toml|\.flake8|\.?mypy\.ini|\.?pylintrc|"
    r"\.rubocop[\w.-]*\.yml|\.?biome\.jsonc?|\.clang-(format|tidy)|\.?rustfmt\.toml|\.?clippy\.toml|detekt[\w-]*\.yml|"
    r"checkstyle[\w-]*\.xml|pmd[\w-]*\.xml|spotbugs[\w-]*\.xml|sonar-project\.properties|tox\.ini|noxfile\.py|pytest\.ini|"
    r"\.coveragerc|\.nycrc[\w.-]*|lefthook\.yml|\.markdownlint[\w.-]*|\.yamllint[\w.-]*|\.hadolint\.ya?ml|\.tflint\.hcl|\.mailmap|"
    r"(dev|test|tests|lint|ci|docs?)[_-]?requirements\.(txt|in)|requirements[._-](dev|test|tests|lint|ci|docs?)\.(txt|in))$|"
    r"(^|/)requirements/(dev|tests?|lint|ci|docs?)\.(txt|in)$",
    re.IGNORECASE,
)
_SHIPS = re.compile(
    r"deploy|release|publish|rollout|promote|provision|terraform|argocd|\bcd\b|flux|prod", re.IGNORECASE
)
"""A pipeline file with such a name acts on production and is not merely a build file."""


_BY_PATTERN = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"(^|/)dockerfile[^/]*$", "dockerfile"),
        (r"(^|/)\.env[^/]*$", "env"),
        (r"(^|/)jenkinsfile[^/]*$", "groovy"),
        (r"(^|/)(requirements|constraints)[\w.-]*\.(txt|in)$|(^|/)requirements/", "requirements"),
        (r"(^|/)cron(\.d|tabs?)?/", "cron"),
        (r"(^|/)(nginx|haproxy|conf\.d|sites-(available|enabled))/[^/.]+$", "conf"),
    )
)


@lru_cache(maxsize=4096)
def language_of(path: str) -> Language:
    """The language of a file, from its name; "code" (C-like) when nothing tells."""
    name = path.rsplit("/", 1)[-1].lower()
    known = _BY_NAME.get(name) or next((language for pattern, language in _BY_PATTERN if pattern.search(path)), None)
    if known:
        return _LANGUAGES[known]
    stem, dot, extension = name.rpartition(".")
    if extension in {"tmpl", "tpl", "j2", "erb", "gotmpl"} and "." in stem:
        return language_of(stem)
    return _LANGUAGES[_BY_EXTENSION.get(extension if dot else "", "code" if dot else "prose")]


def is_file_name(path: str) -> bool:
    """Whether the last part of a path is a name that a file of a known kind has."""
    name = path.rsplit("/", 1)[-1].lower()
    return (
        name in _BY_NAME or name.startswith("dockerfile") or ("." in name and name.rsplit(".", 1)[-1] in _BY_EXTENSION)
    )


@lru_cache(maxsize=4096)
def role_of(path: str) -> Role:
    """The part a file plays, from its path alone. In doubt it is part of the product."""
    role = next((role for pattern, role in _ROLES if pattern.search(path)), Role.PRODUCT)
    if role is Role.BUILD and _SHIPS.search(path):
        return Role.PRODUCT
    in_docs = re.match(r"(docs?|documentation)/", path, re.IGNORECASE)
    if role is Role.DOCUMENTATION and not in_docs and _PROMPTS.search(path):
        return Role.PRODUCT
    return role


_ROLES = (
    (_LOCKFILES, Role.LOCKFILE),
    (_TESTS, Role.TESTS),
    (_BUILD, Role.BUILD),
    (_DEPENDENCIES, Role.DEPENDENCIES),
    (_STYLE, Role.STYLE),
    (_DOCUMENTATION, Role.DOCUMENTATION),
)
"""First match wins."""
