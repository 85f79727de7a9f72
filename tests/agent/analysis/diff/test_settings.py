"""Named values in settings of all formats."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent.analysis.diff.hunks import Side
from agent.analysis.diff.settings import read_settings
from tests.agent.analysis.diff.named_languages import named


def read(source: str, language: str, section: str = "") -> dict[str, str]:
    return {b.name: b.value for b in read_settings(Side(source.split("\n"), named(language), section))}


@pytest.mark.parametrize(
    ("source", "language", "section", "expected"),
    [
        ("a:\n  b: 5\n  c: [x, y]", "yaml", "", {"a.b": "5", "a.c": "[x, y]"}),
        ("  b: 5", "yaml", "hikari:", {"hikari.b": "5"}),
        ("hikari:\n  b: 5", "yaml", "hikari:", {"hikari.b": "5"}),
        ("env:\n  - name: POOL\n    value: '5'", "yaml", "", {"env.name": "POOL", "env.POOL": "5"}),
        ("args:\n  - --max=5\n  - serve", "yaml", "", {"args.--max": "5", "args": "serve"}),
        ("r: {limits: {cpu: 500m}, x: 1}", "yaml", "", {"r.limits.cpu": "500m", "r.x": "1"}),
        ('"a": {\n  "b": 5,\n  "c": "x"\n}', "json", "", {"a.b": "5", "a.c": "x"}),
        ("[pool]\nsize = 5", "toml", "", {"pool.size": "5"}),
        ("stats = 60", "ini", "[bouncer]", {"bouncer.stats": "60"}),
        ("a.b.c=5\nd: e", "properties", "", {"a.b.c": "5", "d": "e"}),
        ("export A=5", "env", "", {"A": "5"}),
        (
            'resource "x" "y" {\n  n = 5\n  parameter {\n    name = "t"\n    value = "9"\n  }\n}',
            "hcl",
            "",
            {"x.y.n": "5", "x.y.parameter.t": "9"},
        ),
        ("http {\n  timeout 30s;\n}", "conf", "", {"http.timeout": "30s"}),
        ("maxmemory 2gb", "conf", "", {"maxmemory": "2gb"}),
        ("  port: 1", "conf", "net:", {"net.port": "1"}),
        ("FROM a:b\nENV A=5 B=6\nENV C 7", "dockerfile", "", {"FROM": "a:b", "A": "5", "B": "6", "C": "7"}),
        ('<p name="max" value="9"/>\n<t>5</t>', "xml", "", {"p.max": "9", "t": "5"}),
        ("*/5 * * * * /bin/x", "cron", "", {"schedule": "*/5 * * * *", "command": "/bin/x"}),
    ],
)
def test_settings(source: str, language: str, section: str, expected: dict[str, str]) -> None:
    found = read(source, language, section)
    assert expected.items() <= found.items()


def test_elements_of_a_list_are_told_apart() -> None:
    rows = ["- name: a", "  weight: 90", "- name: b", "  weight: 10"]
    found = [(b.identity, b.value) for b in read_settings(Side(rows, named("yaml"), "")) if b.key == "weight"]
    assert found == [("a", "90"), ("b", "10")]


@given(
    st.lists(st.text("ab:-={}[]<>/\"' #.", max_size=20), max_size=12),
    st.sampled_from("yaml json toml ini properties env hcl conf dockerfile xml cron".split()),
)
def test_any_text(rows: list[str], language: str) -> None:
    for binding in read_settings(Side(rows, named(language), "")):
        assert 0 <= binding.line < len(rows)
