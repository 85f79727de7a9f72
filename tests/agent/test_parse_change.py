"""A reported change is normalised at the border, or refused in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.errors import CallerError
from agent.parse_change import DIFF_LIMIT, MOST_FILES, TEXT_LIMIT, parse_change
from tools.evidence import ChangeEvent, ChangeKind

REPORT: dict[str, Any] = {
    "id": "basket-2.14.0",
    "kind": "deploy",
    "at": "2026-06-18T17:02:00+02:00",
    "service": "basket",
    "title": "one query for all line items",
    "author": "mia",
    "commit": "5f1c0de",
    "merged_at": "2026-06-18T14:40:00Z",
    "version": "2.14.0",
    "files": ["basket/items.py"],
    "diff": "@@ -1 +1 @@\n-a\n+b\n",
}


def test_a_deploy() -> None:
    change = parse_change(REPORT)
    assert change.at == datetime(2026, 6, 18, 15, 2, tzinfo=UTC)
    assert change == ChangeEvent.model_validate(REPORT)
    assert change.in_effect


def test_a_flag_may_have_any_plain_value() -> None:
    change = parse_change({"kind": "flag", "at": "2026-06-18T15:00:00Z", "title": "f", "before": False, "after": 25})
    assert (change.kind, change.before, change.after) == (ChangeKind.FLAG, "false", "25")


def test_what_was_merged_and_nothing_more_is_not_in_effect() -> None:
    change = parse_change({"kind": "deploy", "merged_at": "2026-06-18T15:00:00Z", "commit": "5f1c0de"})
    assert (change.at, change.in_effect) == (datetime(2026, 6, 18, 15, tzinfo=UTC), False)


def test_an_id_that_is_not_given_follows_from_the_content() -> None:
    report = {"kind": "config", "at": "2026-06-18T15:00:00Z", "title": "pool size"}
    first, same = parse_change(report), parse_change({**report, "at": "2026-06-18T17:00:00+02:00"})
    assert first == same
    assert first.id.startswith("config-")
    assert parse_change({**report, "title": "pool"}).id != first.id


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ([REPORT], ("change: [", "an object is needed")),
        (None, ("change: null",)),
        ({**REPORT, "sevice": "x"}, ('there is no "sevice"', "did you mean 'service'?")),
        ({**REPORT, "kind": None}, ("kind is null", "deploy")),
        ({**REPORT, "kind": "deployment"}, ('kind is "deployment"', "did you mean 'deploy'?")),
        ({**REPORT, "kind": ["deploy"]}, ('kind is ["deploy"]',)),
        ({"kind": "deploy"}, ("at is null", "zone")),
        ({**REPORT, "at": None, "in_effect": True}, ("at is null", "zone")),
        ({**REPORT, "at": "2026-06-18T15:02:00"}, ('at is "2026-06-18T15:02:00"', "zone")),
        ({**REPORT, "at": 1781794920}, ("at is 1781794920", "zone")),
        ({**REPORT, "at": "0001-01-01T00:00:00+14:00"}, ("at is", "zone")),
        ({**REPORT, "merged_at": "yesterday"}, ('merged_at is "yesterday"',)),
        ({**REPORT, "in_effect": "no"}, ('in_effect is "no"', "true or false")),
        ({**REPORT, "service": {"name": "basket"}}, ('service is {"name": "basket"}', "a text")),
        ({**REPORT, "files": "basket.py"}, ('files is "basket.py"', "a list of paths")),
        ({**REPORT, "files": ["a", 7]}, ("files is", "a list of paths")),
        ({**REPORT, "id": "x" * 201}, ("id is", "at most 200 characters")),
    ],
)
def test_a_refusal_is_one_line_with_key_and_value(report: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(CallerError) as refused:
        parse_change(report)
    message = str(refused.value)
    assert message.isprintable()
    assert len(message) < 350
    for word in words:
        assert word in message


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(CallerError) as refused:
        parse_change({**REPORT, "at": "password=hunter2x"})
    assert "hunter2x" not in str(refused.value)


def test_texts_are_bounded() -> None:
    change = parse_change(
        {**REPORT, "title": "t" * 9_999, "diff": "+" * (DIFF_LIMIT + 5), "files": [f"f{n}" for n in range(9_999)]}
    )
    assert len(change.title) < TEXT_LIMIT + 50
    assert change.diff is not None
    assert change.diff.endswith("(+5 characters)")
    assert len(change.files) == MOST_FILES


def test_secrets_and_control_characters_do_not_come_in() -> None:
    change = parse_change(
        {
            "id": "a\x1b[31m b\n",
            "kind": "config",
            "at": "2026-06-18T15:00:00Z",
            "title": "db_password",
            "before": "hunter2x",
            "after": "hunter3x",
            "diff": '-api_key: "k3y-0ld-k3y"\n+api_key: "k3y-n3w-k3y"\n',
        }
    )
    assert change.id == "a b"
    assert (change.before, change.after) == ("[masked:value]", "[masked:value]")
    assert change.diff == '-api_key: "[masked:value]"\n+api_key: "[masked:value]"\n'
