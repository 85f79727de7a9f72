"""Evidence by id: enough to ask again, and a result that cannot misbehave."""

from __future__ import annotations

import io

from pydantic import JsonValue
from rich.console import Console, Group

from agent.incident import Evidence, Query, Source
from tests.web import told
from web.terminal.evidence import SHOWN_ROWS, evidence_view


def shown(tool: str, result: JsonValue, *, width: int = 100, reruns: tuple[str, ...] = ()) -> str:
    query = Query(tool=tool, arguments={"service": "price-api"})
    evidence = Evidence.of(Source.METRICS, query, told.WINDOW, "it rose", result)
    console = Console(file=io.StringIO(), width=width)
    console.print(Group(*evidence_view(evidence, result, reruns=reruns)))
    return console.file.getvalue()  # pyright: ignore


def test_it_shows_the_query_the_window_and_the_whole_digest() -> None:
    result: JsonValue = {"columns": ["timestamp", "value"], "rows": [["2026-11-02T14:10:00Z", 1.25]], "rows_total": 1}
    text = shown("metric_range", result, width=60)
    assert 'metric_range(service="price-api")' in text
    assert "2026-11-02 14:10:00 UTC until 2026-11-02 15:15:00 UTC" in " ".join(text.split())
    digest = Evidence.of(Source.METRICS, Query(tool="x"), told.WINDOW, "", result).digest
    assert digest in "".join(text.split())


def test_rows_are_counted_when_not_all_are_shown_and_empty_columns_left_out() -> None:
    rows: list[JsonValue] = [["2026-11-02T14:10:00Z", "", "[red]x\x1b[2J"] for _ in range(50)]
    text = shown("log_lines", {"columns": ["timestamp", "trace_id", "body"], "rows": rows, "rows_total": 4000})
    assert f"{SHOWN_ROWS} of 4,000 rows" in text
    assert "trace_id" not in text
    assert "[red]x" in text
    assert "\x1b" not in text


def test_a_diff_keeps_its_lines() -> None:
    text = shown("change", {"id": "4f1c2ab", "diff": "-    once()\n+    for item in items:\n+        once()"})
    assert "  +    for item in items:\n" in "\n".join(line.rstrip() for line in text.splitlines())


def test_an_empty_answer_and_other_answers_since_are_said() -> None:
    assert "The answer was empty." in shown("changes", [])
    assert "2 other answers came back" in shown("changes", [], reruns=("a", "b"))


def test_no_line_is_wider_than_the_terminal() -> None:
    rows: list[JsonValue] = [["2026-11-02T14:10:00Z", "x" * 300, {"k": "v" * 90}] for _ in range(3)]
    text = shown("log_lines", {"columns": ["timestamp", "body", "attributes"], "rows": rows, "rows_total": 3}, width=60)
    assert max(len(line) for line in text.splitlines()) <= 60
