"""The live backends of this installation, from the tables of its settings. One match a kind, no registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Protocol, TypeVar, get_args

from pydantic import Field, ValidationError

from agent.checkup import Part
from agent.errors import OperatorError
from agent.settings import Settings
from agent.store import Store
from agent.stored_changes import StoredChanges
from tools.backend import Backend
from tools.evidence import ChangeEvent, Edge, Frozen, Source, StatusEvent, TimeWindow, ToolError
from tools.live.argocd import ArgoCD, ArgoCDConfig
from tools.live.certificates import CertificatesConfig, ServedCertificates
from tools.live.elasticsearch import Elasticsearch, ElasticsearchConfig
from tools.live.files import RunbookFolder, TopologyFile, WrittenRunbooks, WrittenTopology
from tools.live.git import GitChanges, GitConfig
from tools.live.jaeger import Jaeger, JaegerConfig
from tools.live.kubernetes import Kubernetes, KubernetesConfig
from tools.live.launchdarkly import LaunchDarklyChanges, LaunchDarklyConfig
from tools.live.notebook import Notebook
from tools.live.prometheus import Prometheus, PrometheusConfig
from tools.live.sighting import Visible
from tools.live.statuspage import Statuspage, StatuspageConfig
from tools.live.tempo import Tempo, TempoConfig
from tools.live.unleash import UnleashChanges, UnleashConfig
from tools.words import did_you_mean

T = TypeVar("T")
W = TypeVar("W")

AnyChanges = GitConfig | CertificatesConfig | UnleashConfig | LaunchDarklyConfig | KubernetesConfig | ArgoCDConfig
ChangesConfig = Annotated[AnyChanges, Field(discriminator="kind")]

TracesConfig = Annotated[JaegerConfig | TempoConfig, Field(discriminator="kind")]


class BackendsConfig(Frozen):
    """Every configured backend, checked."""

    metrics: PrometheusConfig | None = None
    logs: ElasticsearchConfig | None = None
    traces: TracesConfig | None = None
    changes: tuple[ChangesConfig, ...] = ()
    status: tuple[StatuspageConfig, ...] = ()
    topology: tuple[TopologyFile, ...] = ()
    runbooks: RunbookFolder | None = None

    @property
    def live(self) -> bool:
        """Whether anything is configured that a live system can be seen with."""
        return self != BackendsConfig()


class KnowsChanges(Visible, Protocol):
    def changes(self, window: TimeWindow) -> list[ChangeEvent]: ...


class KnowsStatus(Visible, Protocol):
    def status_events(self, window: TimeWindow) -> list[StatusEvent]: ...


class KnowsEdges(Visible, Protocol):
    def edges(self) -> list[Edge]: ...


def read_backends(settings: Settings) -> BackendsConfig:
    """Check the tables; raises OperatorError with the key, its value and what is wrong. Secrets are never shown."""
    tables = {name: getattr(settings, name) for name in BackendsConfig.model_fields}
    try:
        return BackendsConfig.model_validate({name: table for name, table in tables.items() if table})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = [str(step) for step in first["loc"]]
        raise OperatorError(f"{'.'.join(path)}: {_what(first['type'], first['msg'], path, first['input'])}") from error


def _what(kind: str, message: str, path: Sequence[str], given: object) -> str:
    if kind == "extra_forbidden":
        fields = {field for config in _configs() for field in config.model_fields}
        return f"there is no such key{did_you_mean(path[-1], fields)}"
    shown = f" (it is {given!r})" if isinstance(given, int | float | str) and not _secret(path[-1]) else ""
    return f"{message}{shown}"


def _secret(key: str) -> bool:
    return any(word in key for word in ("token", "password", "key", "secret", "header"))


def _configs() -> tuple[type[Frozen], ...]:
    telemetry = (PrometheusConfig, ElasticsearchConfig, JaegerConfig, TempoConfig)
    return (*telemetry, *get_args(AnyChanges), StatuspageConfig, TopologyFile, RunbookFolder)


def live_backend(config: BackendsConfig, store: Store) -> Backend:
    """The backends of one investigation; what they have to say about their answers are its notes."""
    notes = Notebook()
    changes = _changes(config, store, notes)
    clusters = [each for each in changes if isinstance(each, Kubernetes)]
    edges: list[KnowsEdges] = [*(WrittenTopology(each, notes) for each in config.topology), *clusters]
    return Backend(
        name="this installation",
        metrics=None if config.metrics is None else Prometheus(config.metrics, notes),
        logs=None if config.logs is None else Elasticsearch(config.logs, notes),
        traces=None if config.traces is None else _traces_of(config.traces, notes),
        changes=JoinedChanges(changes, _status(config, notes), notes),
        topology=JoinedTopology(edges, notes) if edges else None,
        runbooks=None if config.runbooks is None else WrittenRunbooks(config.runbooks, notes),
        notes=notes,
    )


def parts_of(config: BackendsConfig, store: Store) -> list[Part]:
    """Every backend on its own, for whoever looks at them."""
    notes = Notebook()
    found: list[Part] = []
    if config.metrics is not None:
        found.append(Part(Source.METRICS, config.metrics.kind, Prometheus(config.metrics, notes)))
    if config.logs is not None:
        found.append(Part(Source.LOGS, config.logs.kind, Elasticsearch(config.logs, notes)))
    if config.traces is not None:
        found.append(Part(Source.TRACES, config.traces.kind, _traces_of(config.traces, notes)))
    names = ["POST /changes", *(each.kind for each in config.changes)]
    backends = _changes(config, store, notes)
    for name, each in zip(names, backends, strict=True) if config.live else ():
        also = (Source.TOPOLOGY,) if isinstance(each, Kubernetes) else ()
        found.append(Part(Source.CHANGES, name, each, also))
    found += [Part(Source.STATUS, "status page", each) for each in _status(config, notes)]
    found += [Part(Source.TOPOLOGY, each.kind, WrittenTopology(each, notes)) for each in config.topology]
    if config.runbooks is not None:
        found.append(Part(Source.RUNBOOKS, config.runbooks.kind, WrittenRunbooks(config.runbooks, notes)))
    return found


def _traces_of(config: JaegerConfig | TempoConfig, notes: Notebook) -> Jaeger | Tempo:
    match config:
        case JaegerConfig():
            return Jaeger(config, notes)
        case TempoConfig():
            return Tempo(config, notes)


def _changes(config: BackendsConfig, store: Store, notes: Notebook) -> list[KnowsChanges]:
    clones = [each.path for each in config.changes if isinstance(each, GitConfig)]
    return [StoredChanges(store, notes), *(_changes_of(each, notes, clones) for each in config.changes)]


def _changes_of(config: AnyChanges, notes: Notebook, clones: Sequence[Path]) -> KnowsChanges:
    match config:
        case GitConfig():
            return GitChanges(config, notes)
        case CertificatesConfig():
            return ServedCertificates(config, notes)
        case UnleashConfig():
            return UnleashChanges(config, notes)
        case LaunchDarklyConfig():
            return LaunchDarklyChanges(config, notes)
        case KubernetesConfig():
            return Kubernetes(config, notes)
        case ArgoCDConfig():
            return ArgoCD(config, notes, clones)


def _status(config: BackendsConfig, notes: Notebook) -> list[KnowsStatus]:
    return [Statuspage(each, notes) for each in config.status]


class JoinedChanges:
    """Several places that know of changes, as one. One that fails is a note, as long as another answers."""

    def __init__(self, changes: Sequence[KnowsChanges], status: Sequence[KnowsStatus], notes: Notebook) -> None:
        self._sources = changes
        self._status = status
        self._notes = notes

    def changes(self, window: TimeWindow) -> list[ChangeEvent]:
        """All changes of the window, oldest first; of one id told twice the first. Raises ToolError when nobody knows."""
        found = _joined(Source.CHANGES, [source.changes for source in self._sources], window, self._notes)
        by_id = {change.id: change for change in reversed(found)}
        return sorted(by_id.values(), key=lambda change: (change.at, change.id))

    def status_events(self, window: TimeWindow) -> list[StatusEvent]:
        """What all providers say of the window. Raises ToolError when no page is configured, or none answers."""
        if not self._status:
            raise ToolError(Source.STATUS, "no status page is configured")
        found = _joined(Source.STATUS, [source.status_events for source in self._status], window, self._notes)
        return sorted(found, key=lambda event: (event.started_at, event.id))


class JoinedTopology:
    """Several places that know who depends on whom, as one."""

    def __init__(self, sources: Sequence[KnowsEdges], notes: Notebook) -> None:
        self._sources = sources
        self._notes = notes

    def edges(self) -> list[Edge]:
        """All dependencies, each once. Raises ToolError when nobody knows."""
        asked = [lambda _, of=source: of.edges() for source in self._sources]
        return list(dict.fromkeys(_joined(Source.TOPOLOGY, asked, None, self._notes)))


def _joined(source: Source, asked: Sequence[Callable[[W], list[T]]], window: W, notes: Notebook) -> list[T]:
    found: list[T] = []
    failed: list[ToolError] = []
    for ask in asked:
        try:
            found += ask(window)
        except ToolError as error:
            failed.append(error)
    if failed and len(failed) == len(asked):
        raise failed[0]
    for error in failed:
        notes.add(source, error.message)
    return found
