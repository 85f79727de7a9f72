from __future__ import annotations

import re
from html.parser import HTMLParser

from evals.page import Chapter, outcome, page, short, story_parts
from evals.report import Report
from tests.evals.incident_folders import answered, ranked, result
from tests.evals.suite_reports import CPU, STORY, cases_of, report_of

VOID = {"meta", "br", "path", "line", "circle", "rect"}


class Reader(HTMLParser):
    """Checks that every element is closed, and collects texts and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "xlink:href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(*reports: Report) -> Reader:
    reader = Reader()
    reader.feed(page(reports))
    reader.close()
    assert reader.open == []
    return reader


def told() -> Report:
    guilty = answered("x", 0.9, CPU, id="told", story=STORY)
    return report_of(guilty, *cases_of(2, 1), late=(guilty, *cases_of(1, 2)), alarms=(True, False))


def test_the_page_needs_nothing_but_itself() -> None:
    reader = read(told(), report_of(*cases_of(1, 0), label="second"))
    assert all(address.startswith("#") for address in reader.addresses)
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert not re.search(r"https?://|@import|url\(", page([told()]))


def test_a_case_tells_truth_answer_evidence_and_queries() -> None:
    text = " ".join(read(told()).texts)
    for words in (
        "told",
        "cpu contention",
        "cart uses more processor",
        "How it happened",
        "Against",
        'metric_range(metric="cpu")',
        "Not seen",
        "alert 60 s late",
        "False alarms (1 of 2 quiet stretches)",
        "correlation ranking",
        "published, of 68, all traffic",
        "torn: cannot be read",
    ):
        assert words in text, words


def test_what_a_recording_says_is_text_and_never_markup() -> None:
    assert "cart &lt;b&gt;did&lt;/b&gt; it" in page([told()])
    evil = report_of(result("<script>alert(1)</script>", CPU, error="<img src=x>"))
    reader = read(evil)
    assert not {"script", "img"} & set(reader.tags)


def test_several_suites_are_pooled_beside_each_and_one_alone_is_not() -> None:
    both = " ".join(read(told(), report_of(*cases_of(1, 0), label="second")).texts)
    assert "First answer right, per suite" in both
    assert "all, each case once (5)" in both
    assert "each case once" not in " ".join(read(told()).texts)


def test_scores_that_are_no_probabilities_have_no_reliability_diagram() -> None:
    assert "svg" in read(told()).tags
    assert "svg" not in read(report_of(*cases_of(1, 0), analyst="baro")).tags


def test_a_report_of_misses_alone_can_be_shown() -> None:
    abstained = result("b", CPU, ranked=ranked(("y", 0.1)), abstained=True)
    text = " ".join(read(report_of(result("a", CPU, error="broke"), abstained)).texts)
    assert "Missed (2)" in text
    assert "not enough evidence" in text


def test_the_state_of_a_case_is_a_word() -> None:
    assert outcome(answered("x", 0.9, CPU)) == "right"
    assert outcome(answered("y", 0.9, CPU)) == "wrong"
    assert outcome(result(truth=CPU, abstained=True)) == "abstained"
    assert outcome(result(truth=CPU, error="broke")) == "failed"


def test_comparison_rows_stand_by_height_with_ours_marked() -> None:
    rows = Chapter.of(told()).comparison
    assert [row.value for row in rows] == sorted((row.value for row in rows), reverse=True)
    assert [row.words for row in rows if row.ours] == ["whydown, statistics"]


def test_a_story_keeps_its_order() -> None:
    case = result(story=STORY)
    assert [(place, part) for place, part, _ in story_parts(case)] == [
        (0, "answer"),
        (1, "mechanism"),
        (1, "chain"),
        (1, "against"),
        (0, "gap"),
    ]


def test_only_a_commit_is_shortened() -> None:
    assert short("0123456789" * 4) == "0123456789"
    assert short("payforadoption") == "payforadoption"
