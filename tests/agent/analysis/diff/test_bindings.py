"""Named values in programs."""

from __future__ import annotations

import pytest

from agent.analysis.diff.bindings import find_bindings, is_plain
from agent.analysis.diff.hunks import Side
from tests.agent.analysis.diff.named_languages import named


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("cfg.MaxConns = 40", "go", {"cfg.MaxConns": "40"}),
        ("const d time.Duration = 5*time.Second", "go", {"d": "5*time.Second"}),
        (
            "p := Policy{Tries: 8, Wait: 5 * time.Millisecond}",
            "go",
            {"Policy.Tries": "8", "Policy.Wait": "5 * time.Millisecond"},
        ),
        ("q := make(chan Job, 100)", "go", {"q.channel": "100"}),
        ("x: int = 30", "python", {"x": "30"}),
        ("get(url, timeout=4)", "python", {"get.timeout": "4"}),
        ("n = os.getenv('POOL', '10')", "python", {"POOL": "'10'"}),
        ("def f(a, limit=5): pass", "python", {"limit": "5"}),
        ("private static final int MAX = 5;", "java", {"MAX": "5"}),
        ("pool.setMaxTotal(8);", "java", {"pool.setMaxTotal": "8"}),
        ("lock.tryLock(5, TimeUnit.SECONDS);", "java", {"lock.tryLock": "5, TimeUnit.SECONDS"}),
        ("use(k, { ttl: 60, max: 5 })", "typescript", {"use.ttl": "60", "use.max": "5"}),
        ("let t: Duration = Duration::from_secs(5);", "rust", {"t": "Duration::from_secs(5)"}),
        ("#define MAX 5", "c", {"MAX": "5"}),
        ("var c = new Http { Timeout = TimeSpan.FromSeconds(3) };", "csharp", {"Timeout": "TimeSpan.FromSeconds(3)"}),
        ("$x = ['timeout' => 5];", "php", {"timeout": "5"}),
        ("Redis.new(timeout: 5)", "ruby", {"Redis.new.timeout": "5"}),
    ],
)
def test_plain_values(source: str, language: str, expected: dict[str, str]) -> None:
    found = {b.name: b.value for b in find_bindings(Side(source.split("\n"), named(language), "")) if b.plain}
    assert expected.items() <= found.items()


def test_names_beside_values() -> None:
    rows = ["{", "  name: 'POOL',", "  value: 5,", "}"]
    assert [b.name for b in find_bindings(Side(rows, named("typescript"), "")) if b.value == "5"] == ["POOL"]


def test_ternaries_match_arms_and_types_are_no_values() -> None:
    for source, language in (
        ("x = a ? b : 5", "typescript"),
        ("  7 => Kind::A,", "rust"),
        ("function f(a: number) {", "typescript"),
    ):
        names = {b.name for b in find_bindings(Side([source], named(language), ""))}
        assert names <= {"x"}


@pytest.mark.parametrize(
    ("value", "constant"),
    [
        ("5", True),
        ("'x'", True),
        ("MAX", True),
        ("Status.OPEN", True),
        ("[1, 2]", True),
        ("x", False),
        ("a.b", False),
        ("[x]", False),
        ("f(5)", False),
        ("`${a}`", False),
    ],
)
def test_constants(value: str, constant: bool) -> None:
    assert is_plain(value, constants_only=True) is constant
