from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from tools.evidence import Operation, OperationKind, OperationResult, digest_of
from tools.mitigations import Approved, NotApproved, perform, rehearse


class Recorder:
    """Operations that remember what they were asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[Operation, str]] = []

    def dry_run(self, operation: Operation) -> str:
        return f"would {operation}\nand more"

    def perform(self, operation: Operation, idempotency_key: str) -> OperationResult:
        self.done.append((operation, idempotency_key))
        return OperationResult(outcome="done", detail="ok")


def rollback() -> Operation:
    return Operation(kind=OperationKind.ROLLBACK, target="cart", arguments={"to": "v41"})


def test_an_approved_operation_is_done_under_its_key() -> None:
    operations, operation = Recorder(), rollback()
    result = perform(operations, Approved(operation, operation.digest, "mia", "k1"))
    assert result.outcome == "done"
    assert operations.done == [(operation, "k1")]


@pytest.mark.parametrize(
    ("digest", "by", "key", "message"),
    [
        (digest_of("another"), "mia", "k1", "approved was"),
        ("", "mia", "k1", "approved was ''"),
        (rollback().digest, " ", "k1", "nobody is named"),
        (rollback().digest, "mia", "", "no idempotency key"),
    ],
)
def test_what_is_not_approved_cannot_be_expressed(digest: str, by: str, key: str, message: str) -> None:
    with pytest.raises(NotApproved, match=message) as caught:
        Approved(rollback(), digest, by, key)
    assert "\n" not in str(caught.value)


def test_an_operation_that_was_changed_after_its_approval_is_refused() -> None:
    operations, operation = Recorder(), rollback()
    approved = Approved(operation, operation.digest, "mia", "k1")
    operation.arguments["to"] = "v1"
    with pytest.raises(NotApproved, match="ask again"):
        perform(operations, approved)
    assert operations.done == []


def test_a_proof_cannot_be_altered() -> None:
    approved = Approved(rollback(), rollback().digest, "mia", "k1")
    with pytest.raises(FrozenInstanceError):
        approved.by = "mallory"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_rehearsal_is_one_line_and_does_nothing() -> None:
    operations = Recorder()
    assert rehearse(operations, rollback()) == "would rollback cart to=v41 and more"
    assert operations.done == []
