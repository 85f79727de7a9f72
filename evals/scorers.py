"""Scores one answer against the truth. Pure functions; `evals.figures` puts a suite's scores together.

A case without an answer is a miss, and ties count against us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent.incident import Claim, Diagnosis, Hypothesis, OperationKind, Verdict
from evals.cases import NO_CHANGE, Case, CaseResult, NamedBy, RankedCause, Told, Truth
from tools.evidence import ChangeEvent

CONFIDENT = 0.7
"""A wrong answer at or above this confidence sends people the wrong way; it is counted apart."""
ALARMED = 0.5
"""An answer at or above this confidence is more likely right than wrong by its own word: people would act on it."""
TOLD_HYPOTHESES = 3
"""Hypotheses whose story is kept: those that a person reads before calling somebody."""
TOLD_CLAIMS = 8
"""Claims kept of each part of a story."""

_NO_ANSWER: Mapping[NamedBy, frozenset[Verdict]] = {
    NamedBy.SERVICE: frozenset({Verdict.NOT_ENOUGH_EVIDENCE}),
    # The place alone says neither which change did it nor that none did.
    NamedBy.CHANGE: frozenset({Verdict.NOT_ENOUGH_EVIDENCE, Verdict.LOCATED}),
    NamedBy.COMMIT: frozenset({Verdict.NOT_ENOUGH_EVIDENCE, Verdict.LOCATED}),
}

REMEDIATION_WORDS: Mapping[OperationKind, str] = {
    OperationKind.ROLLBACK: "rollback",
    OperationKind.ROLL_FORWARD: "roll-forward",
    OperationKind.REVERT_CONFIG: "config-revert",
    OperationKind.FLAG_OFF: "config-revert",
    OperationKind.SCALE: "scale",
    OperationKind.RESTART: "restart",
    OperationKind.FAILOVER: "failover",
    OperationKind.ROTATE_CERTIFICATE: "rotate-cert",
    OperationKind.FIX_INFRASTRUCTURE: "fix-infra",
    OperationKind.THROTTLE: "throttle",
    OperationKind.ESCALATE: "escalate-upstream",
}
"""What our operations are called in truths. A flag is a setting; a word that is not here equals nothing."""


def ranked_causes(diagnosis: Diagnosis, named_by: NamedBy, changes: Iterable[ChangeEvent]) -> tuple[RankedCause, ...]:
    """The hypotheses as rows in the suite's words, in their order."""
    commits = {change.id: change.commit for change in changes}
    return tuple(
        RankedCause(
            cause=_cause_word(hypothesis, named_by, commits),
            service=hypothesis.cause.service,
            kind=hypothesis.cause.kind.value,
            change=hypothesis.cause.change,
            metric=hypothesis.cause.metric,
            region=hypothesis.cause.region,
            confidence=hypothesis.confidence,
        )
        for hypothesis in diagnosis.hypotheses
    )


def _cause_word(hypothesis: Hypothesis, named_by: NamedBy, commits: Mapping[str, str | None]) -> str:
    cause = hypothesis.cause
    if named_by is NamedBy.SERVICE:
        return cause.service
    if cause.change is None:
        return NO_CHANGE
    if named_by is NamedBy.COMMIT:
        # A flag has no commit: it is named by its own id, which is no commit of the benchmark's.
        return cause.commit or commits.get(cause.change) or cause.change
    return cause.change


def hit_rank(ranked: Sequence[RankedCause], truth: Truth, *, abstained: bool) -> int | None:
    """Place of the true cause among the different causes; others with the same confidence stand before it.

    Saying "not enough evidence" hits at place 1 when the recording cannot tell, and is a miss when it can.
    """
    if truth.cause is None:
        return 1 if abstained else None
    if abstained:
        return None
    first: dict[str, float] = {}
    for row in ranked:
        first.setdefault(row.cause, row.confidence)
    if truth.cause not in first:
        return None
    causes = list(first)
    place = causes.index(truth.cause)
    tied_behind = sum(first[cause] == first[truth.cause] for cause in causes[place + 1 :])
    return place + 1 + tied_behind


def score(case: Case, diagnosis: Diagnosis, queries: Mapping[str, str] | None = None) -> CaseResult:
    """The result of one case; what it took to get there is filled in by the runner.

    `queries` are the queries behind the diagnosis' evidence ids; with them the result also tells its story.
    """
    abstained = diagnosis.verdict in _NO_ANSWER[case.named_by]
    ranked = ranked_causes(diagnosis, case.named_by, case.recording.changes)
    first = diagnosis.mitigations[0].operation.kind if diagnosis.mitigations else None
    return CaseResult(
        id=case.id,
        truth=case.truth,
        ranked=ranked,
        hit_rank=hit_rank(ranked, case.truth, abstained=abstained),
        abstained=abstained,
        verdict=diagnosis.verdict.value,
        first_failing_service=diagnosis.first_failing_service,
        blast_radius=diagnosis.blast_radius.services,
        remediation=REMEDIATION_WORDS.get(first) if first else None,
        story=() if queries is None else tuple(_story(diagnosis, queries)),
    )


def score_ranking(case: Case, ranked: tuple[RankedCause, ...]) -> CaseResult:
    """The result of a method that only ranks; without a single row it has no answer."""
    place = hit_rank(ranked, case.truth, abstained=not ranked)
    return CaseResult(id=case.id, truth=case.truth, ranked=ranked, hit_rank=place, abstained=not ranked)


def _story(diagnosis: Diagnosis, queries: Mapping[str, str]) -> Iterator[Told]:
    def told(place: int, part: str, claims: Sequence[Claim]) -> Iterator[Told]:
        for claim in claims[:TOLD_CLAIMS]:
            cited = tuple(dict.fromkeys(queries.get(each, each) for each in claim.evidence))
            yield Told.model_validate({"place": place, "part": part, "text": claim.text, "queries": cited})

    yield from told(0, "answer", (diagnosis.answer,))
    for place, hypothesis in enumerate(diagnosis.hypotheses[:TOLD_HYPOTHESES], start=1):
        yield Told(place=place, part="mechanism", text=hypothesis.title)
        yield from told(place, "chain", hypothesis.causal_chain)
        yield from told(place, "for", hypothesis.evidence_for)
        yield from told(place, "against", hypothesis.evidence_against)
    cleared = [
        each.reason.model_copy(update={"text": f"{each.title}: {each.reason.text}"}) for each in diagnosis.ruled_out
    ]
    yield from told(0, "ruled out", cleared)
    yield from told(0, "gap", [gap.claim for gap in diagnosis.data_gaps])


def declined(result: CaseResult) -> bool:
    """Named no change: "no change did this" or "not enough evidence"."""
    return result.abstained or (result.leading is not None and result.leading.cause == NO_CHANGE)


def confidently_wrong(result: CaseResult) -> bool:
    """Gave a wrong answer with confidence."""
    return result.leading is not None and not result.right and result.leading.confidence >= CONFIDENT


def blamed_a_decoy(result: CaseResult) -> bool:
    return result.leading is not None and result.leading.cause in result.truth.decoys


def false_alarm(result: CaseResult) -> bool:
    """Named a cause, with a confidence to act on, where there was no fault."""
    return result.leading is not None and result.leading.confidence >= ALARMED


def jaccard(left: Iterable[str], right: Iterable[str]) -> float:
    """Shared part of two sets; two empty sets are equal."""
    ours, theirs = set(left), set(right)
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


def blast_radius_match(result: CaseResult) -> float | None:
    """Jaccard of who was hit; the label names them beside the service that failed first, so that one is left out."""
    if result.truth.blast_radius is None:
        return None
    apart = {result.truth.first_failing_service}
    return jaccard(set(result.blast_radius) - apart, set(result.truth.blast_radius) - apart)


def first_listed_right(result: CaseResult) -> float | None:
    """The first row is right, also where the answer was "not enough evidence": what a method is that never abstains.

    None where the recording cannot tell.
    """
    if result.truth.cause is None:
        return None
    return float(hit_rank(result.ranked, result.truth, abstained=False) == 1)


def kind_right(result: CaseResult) -> float | None:
    """The kind of fault is right, whether or not the cause is."""
    if result.truth.kinds is None:
        return None
    return float(result.leading is not None and result.leading.kind in result.truth.kinds)


def cause_and_kind_right(result: CaseResult) -> float | None:
    kind = kind_right(result)
    return None if kind is None else float(result.right and kind == 1.0)


def metric_right(result: CaseResult) -> float | None:
    """The cause is right and so is, to the letter, the metric that shows it."""
    if result.truth.metric is None:
        return None
    leading = result.leading
    return float(result.right and leading is not None and leading.metric == result.truth.metric)


def region_right(result: CaseResult) -> float | None:
    """The cause is right, and every text of the label occurs in the region or metric that the answer names."""
    wanted = result.truth.region
    if not wanted:
        return None
    leading = result.leading
    if leading is None or not result.right:
        return 0.0
    named = f"{leading.region or ''}\n{leading.metric or ''}".casefold()
    return float(all(text.casefold() in named for text in wanted))
