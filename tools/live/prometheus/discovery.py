"""What a server holds of a window: names, types, labels and the time between samples, without reading a whole store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from tools.evidence import JsonObject, Source, TimeWindow, ToolError
from tools.live.errands import Errands
from tools.live.notebook import Notebook
from tools.live.prometheus.config import PrometheusConfig
from tools.live.prometheus.connection import Connection, chunks
from tools.live.prometheus.families import Family, Known, Labels, read_families
from tools.live.prometheus.identity import POD_LABELS, Identity
from tools.live.prometheus.promql import Matcher, labels, named, one_of, selector
from tools.words import counted

MOST_FAMILIES = 1_500
"""Families that are looked at; a service mesh has some hundreds, a platform with everything switched on thousands."""
LABELS_READ = 30_000
"""Series whose labels are read in full, about 10 MB; of families beyond that only whose they are."""
MOST_LARGE = 100
"""Families with very many series that are looked at one by one."""
NAMES_AT_ONCE = 150
SERIES_AT_ONCE = 5_000
SCRAPE_SAMPLES = 40
"""Samples of a series that are enough to tell the time between them."""
USUAL_SCRAPE = 60.0
"""Seconds between samples where none can be measured: Prometheus' own default."""
SLOWEST_SCRAPE = 300.0
JOBS_MEASURED = 8
STATUS_LABELS = (
    "status",
    "code",
    "status_code",
    "http_response_status_code",
    "http_status_code",
    "outcome",
    "grpc_code",
)
"""Labels that may tell failures in a family that is too large to be listed."""
_REAL_CONTAINER = (Matcher("container", "!=", ""), Matcher("container", "!=", "POD"))


class Discovery:
    """Looks around in one window, once."""

    def __init__(self, connection: Connection, config: PrometheusConfig, notes: Notebook, errands: Errands) -> None:
        self._connection = connection
        self._config = config
        self._notes = notes
        self._errands = errands
        self._identity = Identity(config)
        self.typed = False
        """Whether the server told any types."""

    def known(self, window: TimeWindow) -> list[Known]:
        """Families with their series, the most telling first. Raises ToolError when the names cannot be had."""
        families = read_families(self._connection.names(window), self._metadata())
        if len(families) > MOST_FAMILIES:
            more = len(families) - MOST_FAMILIES
            self._note(f"{more} of {len(families)} metrics were not looked at; their names promise the least")
            families = families[:MOST_FAMILIES]
        sizes = self._sizes(families, window)
        small, large = self._parted(families, sizes)
        found = {**self._listed(small, sizes, window), **self._grouped(large, window)}
        known = [found[family.name] for family in families if family.name in found]
        return self._measured(known, window)

    def _metadata(self) -> list[JsonObject]:
        try:
            told = self._connection.metadata()
            self.typed = bool(told)
            return told
        except ToolError as error:
            self._note(f"types of metrics are read from their names: {error.message}")
            return []

    def _sizes(self, families: Sequence[Family], window: TimeWindow) -> dict[str, int]:
        """How many series each family has, in the middle or at the end of the window; missing where it cannot be told."""
        moments = (window.since + window.length / 2, window.until)
        questions = [
            (lambda group=group, at=at: self._counted(group, at))
            for group in chunks([family.probe for family in families], NAMES_AT_ONCE)
            for at in moments
        ]
        sizes: dict[str, int] = {}
        for counts in self._errands.run(questions, "series could not be counted"):
            for name, count in counts.items():
                sizes[name] = max(count, sizes.get(name, 0))
        return sizes

    def _counted(self, names: Sequence[str], at: datetime) -> dict[str, int]:
        chosen = selector([one_of("__name__", names), *self._connection.only])
        rows = self._connection.instant(f"count by (__name__) ({chosen})", at)
        counts = dict.fromkeys(names, 0)
        return counts | {row["metric"].get("__name__", ""): int(float(row["value"][1])) for row in rows}

    def _parted(self, families: Sequence[Family], sizes: Mapping[str, int]) -> tuple[list[Family], list[Family]]:
        small: list[Family] = []
        large: list[Family] = []
        read = 0
        for family in families:
            size = sizes.get(family.probe)
            if size is not None and size <= self._config.max_series_per_metric and read + size <= LABELS_READ:
                small.append(family)
                read += size
            else:
                large.append(family)
        return small, large

    def _listed(self, families: Sequence[Family], sizes: Mapping[str, int], window: TimeWindow) -> dict[str, Known]:
        by_probe = {family.probe: family for family in families}
        groups = _by_size(families, sizes)
        questions = [
            (lambda group=group: self._connection.series([one_of("__name__", group)], window, 2 * SERIES_AT_ONCE))
            for group in groups
        ]
        series: dict[str, list[Labels]] = defaultdict(list)
        for rows in self._errands.run(questions, "labels could not be read"):
            for row in rows:
                series[row.get("__name__", "")].append(row)
        return {
            family.name: self._of(family, series[probe], whole=True)
            for probe, family in by_probe.items()
            if series.get(probe)
        }

    def _grouped(self, families: Sequence[Family], window: TimeWindow) -> dict[str, Known]:
        """Large families by what tells their owners, at two moments."""
        if len(families) > MOST_LARGE:
            self._note(f"{len(families) - MOST_LARGE} metrics of very many series, or uncounted ones, were left out")
            families = families[:MOST_LARGE]
        moments = (window.since + window.length / 2, window.until)
        questions: list[Callable[[], tuple[Family, list[Labels]]]] = [
            (lambda family=family, at=at: (family, self._owners(family, at))) for family in families for at in moments
        ]
        series: dict[str, list[Labels]] = defaultdict(list)
        for family, rows in self._errands.run(questions, "metrics with very many series could not be looked at"):
            series[family.name] += [row for row in rows if row not in series[family.name]]
        if series:
            self._note(
                f"{counted(len(series), 'metric')} with very many series, such as {min(series)}, "
                "were only looked at by service, instance and status"
            )
        return {family.name: self._of(family, series[family.name], False) for family in families if series[family.name]}

    def _owners(self, family: Family, at: datetime) -> list[Labels]:
        by = labels([*self._identity.labels, *STATUS_LABELS])
        chosen = selector([named(family.probe), *self._connection.only])
        rows = self._connection.instant(f"group by ({by}) ({chosen})", at)
        return [{name: value for name, value in row["metric"].items() if value} for row in rows]

    def _of(self, family: Family, series: Sequence[Labels], whole: bool) -> Known:
        where: tuple[Matcher, ...] = ()
        if family.name.startswith("container_"):
            inner = [one for one in series if one.get("container", "POD") != "POD"]
            where = _REAL_CONTAINER if inner else self._of_somebody(series)
            series = inner or [one for one in series if all(one.get(matcher.label) for matcher in where)]
        owned = tuple((one, self._identity.owner(family.name, one)) for one in series)
        return Known(family, owned, whole, where)

    def _of_somebody(self, series: Sequence[Labels]) -> tuple[Matcher, ...]:
        """Totals of a whole machine stand beside those of its containers, without their label."""
        for label in (*sorted(POD_LABELS), "name"):
            if any(one.get(label) for one in series):
                return (Matcher(label, "!=", ""),)
        return ()

    def _measured(self, known: Sequence[Known], window: TimeWindow) -> list[Known]:
        """Each family with the time between its samples: that of the jobs it comes from."""
        if self._config.scrape_seconds is not None:
            return [replace(one, seconds=self._config.scrape_seconds) for one in known]
        jobs: dict[str, tuple[str, Labels]] = {}
        for one in known:
            for series, _ in one.series[:1]:
                jobs.setdefault(series.get("job", ""), (one.family.probe, series))
        measured = sorted(jobs.items())[:JOBS_MEASURED]
        questions = [
            (lambda job=job, name=name, series=series: (job, self._interval(name, series, window)))
            for job, (name, series) in measured
        ]
        seconds = {job: s for job, s in self._errands.run(questions, "the time between samples is a guess") if s}
        usual = median(seconds.values()) if seconds else USUAL_SCRAPE
        return [replace(one, seconds=max((seconds.get(j, usual) for j in _jobs(one)), default=usual)) for one in known]

    def _interval(self, name: str, series: Labels, window: TimeWindow) -> float | None:
        """Seconds between samples of series like this one, in the last part of the window that holds some."""
        same = [Matcher(label, "=", value) for label, value in sorted(series.items()) if label != "__name__"]
        chosen = selector([named(name), *same, *self._connection.only])
        for back in (timedelta(minutes=15), window.length):
            seconds = max(1, round(min(back, window.length).total_seconds()))
            rows = self._connection.instant(f"{chosen}[{seconds}s]", window.until)
            steps = [
                round(later[0] - earlier[0], 3)
                for row in rows
                for earlier, later in zip(
                    row.get("values", [])[-SCRAPE_SAMPLES:], row["values"][-SCRAPE_SAMPLES:][1:], strict=False
                )
            ]
            if len(steps) >= 2:
                return min(SLOWEST_SCRAPE, max(1.0, round(median(steps))))
        return None

    def _note(self, text: str) -> None:
        self._notes.add(Source.METRICS, text)


def _jobs(known: Known) -> set[str]:
    return {series.get("job", "") for series, _ in known.series}


def _by_size(families: Sequence[Family], sizes: Mapping[str, int]) -> list[list[str]]:
    """Names in groups that are short enough for a query and few enough series for an answer."""
    groups: list[list[str]] = []
    for chunk in chunks([family.probe for family in families], NAMES_AT_ONCE):
        total = 0
        groups.append([])
        for name in chunk:
            if groups[-1] and total + sizes.get(name, 0) > SERIES_AT_ONCE:
                groups.append([])
                total = 0
            groups[-1].append(name)
            total += sizes.get(name, 0)
    return groups
