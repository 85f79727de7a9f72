"""The write tools. What changes a system takes a proof that a person approved exactly this change."""

from __future__ import annotations

from dataclasses import dataclass

from tools.backend import Operations
from tools.evidence import Operation, OperationResult


class NotApproved(Exception):
    """The operation is not the one that was approved, or nobody is named who approved it; nothing was done."""


@dataclass(frozen=True)
class Approved:
    """An operation together with the proof of its approval; `perform` accepts nothing less.

    Raises NotApproved when the digest that the person saw is not the digest of the operation.
    """

    operation: Operation
    digest: str
    """Of the operation that the person saw."""
    by: str
    """Who approved."""
    key: str
    """Idempotency key: the same approval is carried out once, however often it is tried."""

    def __post_init__(self) -> None:
        if not self.by.strip():
            raise NotApproved(f"{self.operation}: nobody is named who approved it")
        if not self.key.strip():
            raise NotApproved(f"{self.operation}: there is no idempotency key, so it could be done twice")
        self.check()

    def check(self) -> None:
        """Compare the digests again: the arguments of an operation are a dict, which somebody may have changed."""
        if self.digest != self.operation.digest:
            seen, now = self.digest[:12], self.operation.digest[:12]
            raise NotApproved(f"{self.operation}: approved was {seen!r}, this is {now!r}; ask again")


def rehearse(operations: Operations, operation: Operation) -> str:
    """What the operation would do, in one line, without doing it. Raises ToolError."""
    return " ".join(operations.dry_run(operation).split())


def perform(operations: Operations, approved: Approved) -> OperationResult:
    """Carry out an approved operation, once per key.

    Raises NotApproved when the operation was changed after its approval, and ToolError when it is not known whether it
    was done.
    """
    approved.check()
    return operations.perform(approved.operation, approved.key)
