"""The lexer."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent.analysis.diff.tokens import lex
from tests.agent.analysis.diff.named_languages import named

ALL = "go java kotlin typescript csharp rust c php python ruby sql yaml toml ini properties hcl json dockerfile xml proto css".split()


def texts(source: str, language: str) -> list[str]:
    return [t.text for t in lex(source, named(language)).tokens]


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("a := b.c(5) // note", "go", ["a", ":=", "b", ".", "c", "(", "5", ")"]),
        ("x = 'it\\'s' # note", "python", ["x", "=", "'it\\'s'"]),
        ('s = """a\nb"""', "python", ["s", "=", '"""a\nb"""']),
        ("const t = `a ${b}`;", "typescript", ["const", "t", "=", "`a ${b}`", ";"]),
        ("info!(\"x\", 'a')", "rust", ["info!", "(", '"x"', ",", "'a'", ")"]),
        ("fn f<'a>(x: &'a str)", "rust", ["fn", "f", "<", "'", "a", ">", "(", "x", ":", "&", "'", "a", "str", ")"]),
        ("max-age: 40m # short", "yaml", ["max-age", ":", "40m"]),
        ("url: http://x#y", "yaml", ["url", ":", "http", ":", "/", "/", "x", "#", "y"]),
        ("a /* b */ c", "java", ["a", "c"]),
        ("SELECT 1 -- one", "sql", ["SELECT", "1"]),
        ("return x.empty?", "ruby", ["return", "x", ".", "empty?"]),
        ("a?.b ?? c", "typescript", ["a", "?.", "b", "??", "c"]),
    ],
)
def test_tokens(source: str, language: str, expected: list[str]) -> None:
    assert texts(source, language) == expected


def test_a_hunk_that_begins_inside_of_a_comment() -> None:
    lexed = lex(" * Returns x.\n * @since 3\n */\nint f();", named("java"))
    assert [t.text for t in lexed.tokens] == ["int", "f", "(", ")", ";"]
    assert [line for line, _ in lexed.comments] == [0, 1, 2]


def test_docstrings_are_comments_and_queries_are_not() -> None:
    assert texts('def f():\n    """Do it."""\n', "python") == ["def", "f", "(", ")", ":"]
    assert '"""SELECT 1"""' in texts('def f():\n    """SELECT 1"""\n', "python")


def test_comments_of_whole_lines_only() -> None:
    assert texts("a=1 #2", "properties") == ["a", "=", "1", "#", "2"]
    assert texts("  # a=1\nb=2", "properties") == ["b", "=", "2"]


def test_lines_and_offsets() -> None:
    source = "a\n\n  b 'c'"
    for token in lex(source, named("go")).tokens:
        assert source[token.start : token.start + len(token.text)] == token.text
        assert token.line == source.count("\n", 0, token.start)


@pytest.mark.parametrize(("text", "content"), [('f"a{b}"', "a{b}"), ("r'x'", "x"), ('x = """q"""', "q"), ('""', "")])
def test_content_of_strings(text: str, content: str) -> None:
    token = lex(text, named("python")).tokens[-1]
    assert token.kind == "string"
    assert token.string == content


def test_what_is_no_string_has_no_content() -> None:
    assert [t.string for t in lex("x = 'open", named("python")).tokens] == ["", "", "", ""]


@given(st.text(max_size=200), st.sampled_from(ALL))
def test_nothing_is_lost_and_nothing_fails(source: str, language: str) -> None:
    lexed = lex(source, named(language))
    starts = [t.start for t in lexed.tokens]
    assert starts == sorted(starts)
    assert all(t.text for t in lexed.tokens)
