"""Writes small incidents in the benchmark's layout and small results, for every test that needs one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evals.cases import CaseResult, RankedCause, Truth
from evals.scorers import hit_rank

GUILTY = "a1b2c3d4" * 5
DECOY = "0f0e0d0c" * 5
MERGED = "99887766" * 5

ALERT = {
    "service": "ledger",
    "metric": "error_ratio",
    "threshold": 0.1,
    "observed": 0.6,
    "fired_at": "2026-04-01T10:20:00Z",
    "monitor": "ledger errors",
    "severity": "high",
    "summary": "ledger fails",
    "detail": "two of three postings are refused",
}
COMMITS = [
    {
        "sha": GUILTY,
        "author": "ann",
        "timestamp": "2026-04-01T09:00:00Z",
        "message": "drop the check",
        "files_changed": ["ledger/post.go"],
        "diff": "--- a/ledger/post.go\n+++ b/ledger/post.go\n@@ -1,1 +1,0 @@\n-if x == nil {",
    },
    {
        "sha": DECOY,
        "author": "bob",
        "timestamp": "2026-04-01T09:05:00Z",
        "message": "tidy",
        "files_changed": ["ledger/log.go"],
        "diff": None,
    },
    {
        "sha": MERGED,
        "author": "cat",
        "timestamp": "2026-04-01T09:10:00Z",
        "message": "docs",
        "files_changed": ["README.md"],
        "diff": None,
    },
]
DEPLOYS = [
    {"timestamp": "2026-04-01T10:10:00Z", "service": "ledger", "commit_sha": GUILTY, "version": "v7"},
    {"timestamp": "2026-04-01T10:12:00Z", "service": "ledger", "commit_sha": DECOY, "version": "v8"},
    {"timestamp": "2026-04-01T10:30:00Z", "service": "ledger", "commit_sha": GUILTY, "version": "v7"},
]
FLAGS = [
    {"timestamp": "2026-04-01T10:11:00Z", "flag": "fast_post", "service": "ledger", "change": "off->on", "actor": "ann"}
]
SPANS = [
    {
        "trace_id": "t1",
        "span_id": "a",
        "parent_id": None,
        "service": "gate",
        "name": "POST /pay",
        "start": "2026-04-01T10:01:00Z",
        "duration_ms": 30,
        "status": "OK",
    },
    {
        "trace_id": "same",
        "span_id": "b",
        "parent_id": "a",
        "service": "ledger",
        "name": "post",
        "start": "2026-04-01T10:01:00Z",
        "duration_ms": 20,
        "status": "ERROR",
        "error": "nil account",
    },
    {
        "trace_id": "t2",
        "span_id": "c",
        "parent_id": None,
        "service": "gate",
        "name": "POST /pay",
        "start": "2026-04-01T10:00:30Z",
        "duration_ms": 31,
        "status": "OK",
    },
    {
        "trace_id": "same",
        "span_id": "d",
        "parent_id": "c",
        "service": "ledger",
        "name": "post",
        "start": "2026-04-01T10:00:30Z",
        "duration_ms": 21,
        "status": "OK",
    },
]
TRUTH = {
    "scenario": "ledger-nil",
    "root_cause_commit": GUILTY,
    "first_failing_service": "ledger",
    "blast_radius": ["gate"],
    "remediation": "rollback",
    "decoy_deploy_commits": [DECOY],
    "notes": "the check was dropped",
}


def write_incident(folder: Path, **replaced: Any) -> Path:
    """Write an incident; a keyword replaces a part (alert, commits, deploys, flags, traces, truth, status_feed).

    A part that is None is not written; one that is a text is written as it is.
    """
    parts: dict[str, tuple[str, Any]] = {
        "alert": ("alert.json", ALERT),
        "commits": ("context/commits.json", COMMITS),
        "deploys": ("context/deploys.json", DEPLOYS),
        "flags": ("context/flags.json", FLAGS),
        "traces": ("traces.json", SPANS),
        "truth": ("truth.json", TRUTH),
        "status_feed": ("status_feed.json", None),
    }
    (folder / "context").mkdir(parents=True)
    for part, (name, usual) in parts.items():
        value = replaced.get(part, usual)
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            (folder / name).write_text(text, encoding="utf-8")
    rows = [f"2026-04-01T10:{minute:02d}:00Z,ledger,error_ratio,{0.6 if minute > 12 else 0}" for minute in range(25)]
    (folder / "metrics.csv").write_text("timestamp,service,metric,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    line = {"timestamp": "2026-04-01T10:13:00Z", "service": "ledger", "severity_text": "ERROR", "msg": "nil account"}
    (folder / "logs.ndjson").write_text(json.dumps({**line, "shard": "3"}) + "\n", encoding="utf-8")
    (folder / "task.toml").write_text('[metadata]\ntags = ["task-description"]\n', encoding="utf-8")
    return folder


def ranked(*rows: tuple[str, float]) -> tuple[RankedCause, ...]:
    return tuple(RankedCause(cause=cause, confidence=confidence) for cause, confidence in rows)


def result(id: str = "one", truth: Truth | None = None, **others: Any) -> CaseResult:
    return CaseResult(id=id, truth=truth or Truth(cause="x"), **others)


def answered(cause: str, confidence: float, truth: Truth, **others: Any) -> CaseResult:
    """A result whose only row is the answer."""
    rows = ranked((cause, confidence))
    return result(truth=truth, ranked=rows, hit_rank=hit_rank(rows, truth, abstained=False), **others)
