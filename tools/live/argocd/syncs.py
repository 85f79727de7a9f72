"""The documents of Argo CD's API, as far as they tell of syncs
(https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/; RevisionHistory and OperationState of v1alpha1).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tools.evidence import UtcDatetime
from tools.words import clean_name

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Rollout"})


class Metadata(BaseModel):
    name: str
    namespace: str = ""
    labels: dict[str, str] = Field(default_factory=dict)


class Source(BaseModel):
    """Where manifests come from; its further keys are parameters, which are told where they change."""

    model_config = ConfigDict(extra="allow")

    repoURL: str = ""
    path: str | None = None
    chart: str | None = None
    targetRevision: str | None = None

    @property
    def parameters(self) -> JsonValue:
        return _by_name(self.model_dump(exclude={"targetRevision"}, exclude_none=True))


def _by_name(value: JsonValue) -> JsonValue:
    """Lists of names and values as `name: value`, so that a secret is known by its name."""
    if isinstance(value, dict):
        return {key: _by_name(held) for key, held in value.items()}
    if not isinstance(value, list):
        return value
    named = [each for each in value if isinstance(each, dict) and {"name", "value"} <= each.keys()]
    if named and len(named) == len(value):
        return {str(each["name"]): each["value"] for each in named}
    return [_by_name(each) for each in value]


class _Initiator(BaseModel):
    username: str = ""
    automated: bool = False


class Sync(BaseModel):
    """One successful sync."""

    id: int
    revision: str = ""
    revisions: tuple[str, ...] | None = None
    source: Source = Source()
    sources: tuple[Source, ...] | None = None
    deployedAt: UtcDatetime
    deployStartedAt: UtcDatetime | None = None
    initiatedBy: _Initiator = _Initiator()

    @property
    def at(self) -> UtcDatetime:
        """Pods are replaced while it goes on, so its begin counts; older versions tell the end only."""
        return self.deployStartedAt or self.deployedAt

    @property
    def parts(self) -> list[tuple[Source, str]]:
        """Each source with the revision that was synced; most applications have one."""
        if self.sources:
            revisions = self.revisions or ()
            return [(each, revisions[rank] if rank < len(revisions) else "") for rank, each in enumerate(self.sources)]
        return [(self.source, self.revision)]

    @property
    def synced(self) -> list[str]:
        return [revision for _, revision in self.parts]


class _Operation(BaseModel):
    phase: str = ""
    message: str = ""
    startedAt: UtcDatetime | None = None
    finishedAt: UtcDatetime | None = None


class _Resource(BaseModel):
    kind: str = ""
    name: str = ""


class _Status(BaseModel):
    history: tuple[Sync, ...] | None = None
    operationState: _Operation | None = None
    resources: tuple[_Resource, ...] | None = None


class Application(BaseModel):
    metadata: Metadata
    status: _Status = _Status()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def syncs(self) -> list[Sync]:
        return sorted(self.status.history or (), key=lambda sync: sync.id)

    def services(self, label: str | None) -> Sequence[str]:
        """By the label, else the workloads that it deploys, else its own name."""
        if label and self.metadata.labels.get(label):
            return [clean_name(self.metadata.labels[label])]
        found = {clean_name(each.name) for each in self.status.resources or () if each.kind in WORKLOADS}
        return sorted(found) or [clean_name(self.name)]
