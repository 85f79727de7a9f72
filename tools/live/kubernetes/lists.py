"""Lists of a cluster's objects: page by page, a few at once, bounded in number and under one time limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tools.evidence import JsonObject, Source, ToolError
from tools.live.http import Http
from tools.live.kubernetes.connection import METADATA_ONLY, NAME, Way
from tools.live.kubernetes.objects import LAST_APPLIED, Kind, part, parts
from tools.live.notebook import Notebook

PAGE = 500
"""Objects of one answer, as kubectl asks for."""
MAX_OBJECTS = 5_000
"""Objects of one kind in one namespace, or in all where no namespaces are named."""
AT_ONCE = 4
"""Questions under way: an API server rations its callers, and whydown is not the only one during an incident."""
GONE = " answered 410"
"""How a message says that the server forgot where a list was to go on: its continue tokens last for minutes
(https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks)."""


class Lister:
    """The questions of one look at the cluster, whose time begins with this object."""

    def __init__(self, way: Way, namespaces: Sequence[str], notes: Notebook) -> None:
        self.http = way.conversation()
        self.deadline = self.http.deadline()
        self._bare = way.conversation(METADATA_ONLY)
        self._namespaces = namespaces
        self._notes = notes

    def groups(self) -> set[str]:
        """Groups of kinds that the cluster knows beyond its own. Raises ToolError."""
        answer = self.http.get_json("/apis", deadline=self.deadline)
        return {str(each.get("name")) for each in parts(answer, "groups")} if isinstance(answer, dict) else set()

    def all(self, kinds: Sequence[Kind]) -> tuple[dict[Kind, list[JsonObject]], list[str]]:
        """The objects of each kind as far as they may be read, and what may not. Raises ToolError when nothing may."""
        asked = [(kind, path) for kind in kinds for path in self._paths(kind)]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="whydown-kubernetes") as pool:
            answers = list(pool.map(lambda each: self._tried(*each), asked))
        refused = [each for each in answers if isinstance(each, ToolError)]
        if len(refused) == len(asked):
            raise refused[0]
        found: dict[Kind, list[JsonObject]] = {kind: [] for kind in kinds}
        missing: dict[str, str] = {}
        for (kind, _), answer in zip(asked, answers, strict=True):
            if isinstance(answer, ToolError):
                missing.setdefault(kind.plural, answer.message)
            else:
                found[kind] += answer
        if missing:
            why = next(iter(missing.values()))
            self._note(f"{', '.join(missing)} cannot be read, so changes of these are unknown: {why}")
        return found, [f"{plural} cannot be read: {why}" for plural, why in missing.items()]

    def _paths(self, kind: Kind) -> list[str]:
        if kind.namespaced and self._namespaces:
            return [f"{kind.group}/namespaces/{name}/{kind.plural}" for name in self._namespaces]
        return [f"{kind.group}/{kind.plural}"]

    def _tried(self, kind: Kind, path: str) -> list[JsonObject] | ToolError:
        try:
            found = self._listed(kind, path)
        except ToolError as error:
            return error
        return [_without_data(item) for item in found] if kind.metadata_only else found

    def _listed(self, kind: Kind, path: str) -> list[JsonObject]:
        """All objects as far as the bounds go. Raises ToolError when the first page fails."""
        found: list[JsonObject] = []
        more = ""
        while True:
            try:
                page = self.page(kind, path, {"limit": PAGE, "continue": more} if more else {"limit": PAGE})
                found += parts(page, "items")
            except ToolError as error:
                if not more:
                    raise
                return self._whole(kind, path, found) if GONE in error.message else self._cut(kind, found, error)
            more = str(part(page, "metadata").get("continue") or "")
            if not more:
                return found
            if len(found) >= MAX_OBJECTS:
                self._note(f"only {len(found):,} {kind.plural} were read; name namespaces to see fewer and all of them")
                return found

    def _whole(self, kind: Kind, path: str, found: list[JsonObject]) -> list[JsonObject]:
        """The list at one go, as the server advises when it cannot go on with one, else what there was of it."""
        try:
            return parts(self.page(kind, path, {}), "items")
        except ToolError as error:
            return self._cut(kind, found, error)

    def _cut(self, kind: Kind, found: list[JsonObject], error: ToolError) -> list[JsonObject]:
        self._note(f"only the first {len(found):,} {kind.plural} are known: {error.message}")
        return found

    def page(self, kind: Kind, path: str, params: Mapping[str, str | int]) -> JsonObject:
        http: Http = self._bare if kind.metadata_only else self.http
        page = http.get_json(path, params, self.deadline)
        # Of a list of metadata without any object the items are null.
        if not isinstance(page, dict) or not isinstance(page.get("items", ""), list | None):
            raise http.error(f"{path} holds no list of items; is this the address of a Kubernetes API server?")
        return page

    def _note(self, text: str) -> None:
        self._notes.add(Source.CHANGES, f"{NAME}: {text}")


def _without_data(item: JsonObject) -> JsonObject:
    """The metadata hold a copy of what kubectl applied, the values of secrets as well."""
    metadata = part(item, "metadata")
    notes = {key: value for key, value in part(metadata, "annotations").items() if key != LAST_APPLIED}
    return {**item, "metadata": {**metadata, "annotations": notes}}
