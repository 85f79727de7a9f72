"""Asks for metrics and reads the answers into pieces of frames."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from tools.evidence import JsonObject, TimeWindow
from tools.live.errands import Errands, shown
from tools.live.prometheus.catalogue import Catalogue, grid
from tools.live.prometheus.connection import Connection, chunks
from tools.live.prometheus.families import Known
from tools.live.prometheus.frames import Key, Piece, joined, piece
from tools.live.prometheus.identity import Identity, Owner, owner_labels
from tools.live.prometheus.promql import Matcher, one_of, selector
from tools.live.prometheus.templates import Derived, terms

SAMPLES_AT_ONCE = 200_000
"""Stored samples of one answer, about 5 MB of JSON."""
STORED_AT_ONCE = 50
VALUES_IN_A_QUERY = 100
"""Values of a label by which one service is chosen; of more, all services are asked for and the others dropped."""

Wanted = Sequence[tuple[Derived, str]]


class Reader:
    """Reads metrics of one catalogue; a failed question costs its own rows and a note."""

    def __init__(self, connection: Connection, catalogue: Catalogue, identity: Identity, errands: Errands) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._identity = identity
        self._errands = errands

    def read(self, wanted: Wanted, service: str | None = None) -> list[Piece]:
        """All samples of these metrics, of one service or of every."""
        batches = self._batches(wanted)
        questions: list[Callable[[], list[Piece]]] = [
            (lambda batch=batch: self._stored(batch, service)) for batch in batches
        ]
        single = [(derived, name) for derived, name in wanted if derived.query is not None]
        questions += [
            (lambda derived=derived, name=name: self._derived(derived, name, service)) for derived, name in single
        ]
        about = [*(shown(name for _, name in batch) for batch in batches), *(name for _, name in single)]
        answers = self._errands.run(questions, "metrics could not be read", about)
        return [one for pieces in answers for one in pieces if service is None or one.key[0] == service]

    def _batches(self, wanted: Wanted) -> list[list[tuple[Derived, str]]]:
        """Metrics whose samples are read as they are stored, as many at once as an answer holds."""
        alike: dict[tuple[Matcher, ...], dict[str, list[tuple[Derived, str]]]] = defaultdict(lambda: defaultdict(list))
        for derived, name in wanted:
            if derived.query is None:
                alike[derived.known.where][derived.known.family.name].append((derived, name))
        batches: list[list[tuple[Derived, str]]] = []
        for by_family in alike.values():
            for chunk in chunks(list(by_family), STORED_AT_ONCE):
                total = 0
                batches.append([])
                for family in chunk:
                    size = sum(self._catalogue.samples_of(derived) for derived, _ in by_family[family])
                    if batches[-1] and total + size > SAMPLES_AT_ONCE:
                        batches.append([])
                        total = 0
                    batches[-1] += by_family[family]
                    total += size
        return batches

    def _stored(self, batch: Sequence[tuple[Derived, str]], service: str | None) -> list[Piece]:
        window = self._catalogue.window
        by_family: dict[str, list[tuple[Derived, str]]] = defaultdict(list)
        for derived, name in batch:
            by_family[derived.known.family.name].append((derived, name))
        one = batch[0][0].known
        matchers = [one_of("__name__", by_family), *one.where, *self._connection.only]
        if len(by_family) == 1:
            matchers += self._of_service(one, service)
        # One second more, because a range has no beginning of its own in Prometheus 3; what is too early is dropped.
        seconds = math.ceil(window.length.total_seconds()) + 1
        rows = self._connection.instant(f"{selector(matchers)}[{seconds}s]", window.until)
        return self._pieces(rows, lambda labels: self._key_of_stored(labels, by_family))

    def _key_of_stored(
        self, labels: Mapping[str, str], by_family: Mapping[str, Sequence[tuple[Derived, str]]]
    ) -> Key | None:
        family = labels.get("__name__", "")
        for derived, name in by_family.get(family, ()):
            if all(labels.get(label, "") == value for label, value in derived.fixed):
                owner = self._identity.owner(family, labels)
                return owner.service, owner.instance, name, labels.get("unit") or derived.unit
        return None

    def _derived(self, derived: Derived, name: str, service: str | None) -> list[Piece]:
        known = derived.known
        step = self._catalogue.step_of(known)
        edges = grid(self._catalogue.window, step)
        if derived.query is None or edges is None:
            return []
        with_instance = self._catalogue.with_instance(derived)
        by = owner_labels((owner for _, owner in known.series), with_instance)
        only = (*self._connection.only, *self._of_service(known, service))
        query = derived.query(terms(known, by, only, step))
        rows = self._connection.ranged(query, *edges, step)
        owners = {tuple(labels.get(label, "") for label in by): owner for labels, owner in known.series}

        def key(labels: Mapping[str, str]) -> Key:
            owner = owners.get(tuple(labels.get(label, "") for label in by))
            owner = owner or self._identity.owner(known.family.name, labels)
            return owner.service, owner.instance if with_instance else "", name, derived.unit

        return joined(self._pieces(rows, key), derived.join == "max")

    def _pieces(self, rows: Sequence[JsonObject], key_of: Callable[[Mapping[str, str]], Key | None]) -> list[Piece]:
        found: list[Piece] = []
        try:
            for row in rows:
                key = key_of(row["metric"])
                if key is not None:
                    found.append(piece(key, row, self._catalogue.window))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._connection.http.error(f"answered with a series that cannot be read: {error!r}") from error
        return found

    def _of_service(self, known: Known, service: str | None) -> list[Matcher]:
        """Conditions that choose the series of one service; what they let through besides is dropped later."""
        if service is None:
            return []
        its = [(labels, owner) for labels, owner in known.series if owner.service == service]
        names = {owner.service_label for _, owner in its}
        label = next(iter(names), "")
        values = {labels[label] for labels, _ in its} if len(names) == 1 and label else set[str]()
        if not 0 < len(values) <= VALUES_IN_A_QUERY or not known.whole:
            return []
        chosen = one_of(label, values)
        return [chosen] if len(chosen.value) <= 2_000 else []


def expression_pieces(
    connection: Connection, identity: Identity, query: str, window: TimeWindow, step: float, named_as: tuple[str, str]
) -> list[Piece]:
    """Samples of an expression, for the service and under the name that were asked for.

    Rows of that service are its own; where no row is, all are, and what tells them apart is the instance.
    """
    edges = grid(window, step)
    rows = [] if edges is None else connection.ranged(query, *edges, step)
    service, metric = named_as
    owned = [(row, identity.owner("", row.get("metric", {}))) for row in rows]
    its = [(row, owner) for row, owner in owned if owner.service == service] or owned
    found: list[Piece] = []
    try:
        for row, owner in its:
            instance = _instance(row["metric"], owner, alone=len(its) == 1)
            found.append(piece((service or owner.service, instance, metric, ""), row, window))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise connection.http.error(f"answered with a series that cannot be read: {error!r}") from error
    return joined(found, largest=True)


def _instance(labels: Mapping[str, str], owner: Owner, alone: bool) -> str:
    if owner.instance or alone:
        return owner.instance
    return ",".join(f"{label}={value}" for label, value in sorted(labels.items()) if label != "__name__")
