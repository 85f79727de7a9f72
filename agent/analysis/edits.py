"""What a diff does, as a list of small facts that a mechanism can be matched against.

`agent/analysis/diffs.py` reads a diff into a `DiffReading`; `mechanisms.toml` names the facts each mechanism needs.
"""

from __future__ import annotations

from enum import StrEnum

from tools.evidence import Frozen


class EditKind(StrEnum):
    """The closed list of facts that reading a diff can yield."""

    VALUE = "value"
    """A setting, constant, argument or attribute kept its name and got another value."""
    CALL_ADDED = "call_added"
    CALL_REMOVED = "call_removed"
    GUARD_ADDED = "guard_added"
    """A check (nil, null, bounds, permission, emptiness) that was not there."""
    GUARD_REMOVED = "guard_removed"
    ERROR_HANDLING_REMOVED = "error_handling_removed"
    """A catch, rescue, except, recover, `if err` or fallback that is gone while the call it guarded stays."""
    ERROR_HANDLING_ADDED = "error_handling_added"
    RELEASE_REMOVED = "release_removed"
    """A close, release, unlock, cancel, rollback, `defer`, `finally` or `with` that no longer covers every path."""
    QUERY_ADDED = "query_added"
    QUERY_CHANGED = "query_changed"
    QUERY_REMOVED = "query_removed"
    BATCH_REMOVED = "batch_removed"
    """One call for many became many calls for one, or a limit/page was dropped before a fetch."""
    LOCK_ADDED = "lock_added"
    TRANSACTION_WIDENED = "transaction_widened"
    """A call now runs inside a transaction, lock or held connection that it used to run outside of."""
    SLEEP_ADDED = "sleep_added"
    BACKOFF_REMOVED = "backoff_removed"
    CACHE_ADDED = "cache_added"
    CACHE_REMOVED = "cache_removed"
    KEY_CHANGED = "key_changed"
    """How a cache key, partition key, topic, queue, label or selector is built changed."""
    FIELD_ADDED = "field_added"
    FIELD_REMOVED = "field_removed"
    FIELD_RENAMED = "field_renamed"
    ENUM_VALUE_ADDED = "enum_value_added"
    ENUM_VALUE_REMOVED = "enum_value_removed"
    TYPE_CHANGED = "type_changed"
    REFERENCE_CHANGED = "reference_changed"
    """A path, host, URL, secret, image, port, regex, selector or metric query now points elsewhere."""
    CONDITION_CHANGED = "condition_changed"
    DEPENDENCY = "dependency"
    """A third-party version moved; `before` and `after` are the versions, `name` the package."""
    SCHEMA = "schema"
    """DDL; `name` is the statement (CREATE INDEX, DROP COLUMN...), `after` the statement text."""
    RULE_REMOVED = "rule_removed"
    """A network, access or routing rule, permission or resource is gone or narrower."""
    LOG = "log"
    METRIC = "metric"
    TEXT = "text"
    """A string a person reads."""
    STYLE = "style"
    OTHER = "other"
    """Code that was added, removed or changed and fits none of the above."""


class Edit(Frozen):
    """One fact of a diff."""

    kind: EditKind
    path: str
    name: str = ""
    """What was touched: the setting, callee, field, package, table, dotted where the diff shows it (`cfg.MaxConns`)."""
    section: str = ""
    """The function, resource or YAML parent the hunk lies in, as far as the diff shows it."""
    before: str | None = None
    after: str | None = None
    number_before: float | None = None
    """Numeric value in base units: seconds for durations, bytes for sizes, else the plain number."""
    number_after: float | None = None
    unit: str = ""
    """"s", "bytes", "ratio" or ""."""
    in_loop: bool = False
    """The added code runs once per element of a collection (for, while, map, forEach, Promise.all, comprehension)."""
    line: str = ""
    """The changed line that shows it, stripped, at most 200 characters."""

    @property
    def lowered(self) -> bool:
        return (
            self.number_before is not None and self.number_after is not None and self.number_after < self.number_before
        )

    @property
    def raised(self) -> bool:
        return (
            self.number_before is not None and self.number_after is not None and self.number_after > self.number_before
        )


class Inert(StrEnum):
    """Why a diff cannot change what the system does."""

    MOVED = "it only moves code"
    RENAMED = "it only renames"
    REFORMATTED = "it only reformats"
    COMMENTS = "it only touches comments"
    DOCUMENTATION = "it only touches documentation"
    TESTS = "it only touches tests"
    STYLE = "it only touches styling or copy"
    BUILD = "it only touches build, lint or CI files"
    LOGGING = "it only touches log lines or metrics"


class DiffReading(Frozen):
    """Everything read from one diff (or, without a diff, from its list of files)."""

    edits: tuple[Edit, ...] = ()
    inert: Inert | None = None
    identifiers: frozenset[str] = frozenset()
    """Names in the changed lines that carry meaning: lower-cased identifiers of four letters or more, without language
    keywords and very common words; camelCase and snake_case names whole and not split."""
    literals: frozenset[str] = frozenset()
    """String literals, routes, table names, hosts, topics in the changed lines, as written."""
    numbers: frozenset[float] = frozenset()
    """Plain numbers in the changed lines (ports, limits), small ones (-1, 0, 1, 2) left out."""
    functions: frozenset[str] = frozenset()
    """Functions, methods or resources the hunks lie in or define, as written."""
    problem: str | None = None
    """Why the diff could not be read; the reading then rests on the list of files only."""
