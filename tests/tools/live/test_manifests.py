"""Two states of a manifest as a diff that people and the analysis can read."""

from __future__ import annotations

from agent.analysis.diffs import read_diff
from tools.live.manifests import MAX_DIFF, as_yaml, difference


def test_nothing_changed() -> None:
    assert difference({"a": 1}, {"a": 1}, "a.yaml") is None


def test_a_changed_setting_is_one_line_with_its_parents() -> None:
    diff = difference({"env": {"POOL": "20", "MODE": "on"}}, {"env": {"POOL": "2", "MODE": "on"}}, "shop/a.yaml")
    assert diff is not None
    assert diff.startswith("--- a/shop/a.yaml\n+++ b/shop/a.yaml\n")
    assert "-  POOL: '20'\n+  POOL: '2'\n" in diff
    [edit] = read_diff(diff, ("shop/a.yaml",)).edits
    assert (edit.number_before, edit.number_after) == (20, 2)


def test_a_file_within_a_setting_is_compared_line_by_line() -> None:
    old, new = ({"app.properties": f"size=5\nttl={ttl}\n"} for ttl in (60, 6))
    assert "-  ttl=60\n+  ttl=6\n" in str(difference(old, new, "a.yaml"))


def test_the_order_of_keys_stays_and_letters_too() -> None:
    assert as_yaml({"b": "Grüße", "a": [1]}) == "b: Grüße\na:\n- 1\n"


def test_a_huge_difference_is_cut() -> None:
    diff = difference({}, {str(key): "x" * 100 for key in range(2_000)}, "a.yaml")
    assert diff is not None
    assert len(diff) < MAX_DIFF + 100
