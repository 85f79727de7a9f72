"""Access that is gone or narrower: network and permission rules, routes, resources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from agent.analysis.diff.comparing import Changed
from agent.analysis.diff.hunks import Hunk, Side
from agent.analysis.diff.quantities import read_quantity
from agent.analysis.diff.values import Place, edit
from agent.analysis.edits import Edit, EditKind

_RULES = re.compile(
    r"security_?group|firewall|network_?acl|nacl|ingress|egress|network_?polic|\biam|polic(y|ies)|\bacls?\b|allow|whitelist|"
    r"cors|origins|routes?\b|routing_rule|listener|rbac|permission|cidr|source_ranges|authorized_networks|peering|subjects|verbs|"
    r"apigroups|grants?\b|privilege|statement|principal|actions?$|scopes?$|from\.|\bto\.|accesspolic|trusted",
    re.IGNORECASE,
)
_BOUNDS = {
    "to_port": "lowered",
    "end_port": "lowered",
    "endport": "lowered",
    "from_port": "raised",
    "start_port": "raised",
}
_MATCHED = frozenset(
    {"path", "host", "cidr", "cidr_block", "origin", "principal", "prefix", "uri", "pathprefix", "ipblock"}
)
"""What an element of a list of rules matches on: with it the element is gone."""

_PERMISSIVE = frozenset({"allow", "accept", "permit", "true", "-1", "all", "any", "0.0.0.0/0", "*"})
_DIRECTIVES = re.compile(r"(allow|listen|location|upstream|route|permit|server|include|backend|use_backend)\b")


def rule_edit(change: Changed, place: Place) -> Edit | None:
    """RULE_REMOVED when the changed value let something through that it lets through no longer."""
    before = change.before.value if change.before else None
    after = change.after.value if change.after else None
    name = change.binding.name
    if before is None or not _RULES.search(name):
        return None
    if change.binding.key.lower() in {"description", "name", "id", "type", "tags", "comment"} or ".tags." in name:
        return None
    if _narrower(change.binding.key.lower(), before, after, listed=change.binding.kind == "item"):
        return edit(EditKind.RULE_REMOVED, place, name, before, after)
    return None


def _narrower(key: str, before: str, after: str | None, *, listed: bool) -> bool:
    if after is None:
        return listed or key in _BOUNDS or key in _MATCHED
    if key in _BOUNDS:
        old, new = read_quantity(before), read_quantity(after)
        return bool(old and new and (new.value < old.value if _BOUNDS[key] == "lowered" else new.value > old.value))
    if before.strip("\"'").lower() in _PERMISSIVE and after.strip("\"'").lower() not in _PERMISSIVE:
        return True
    old_items, new_items = _items(before), _items(after)
    if len(old_items) > 1 or before.startswith("["):
        return any(not _covered(item, new_items) for item in old_items)
    return _network(before) is not None and not _covered(before, new_items)


def _items(text: str) -> list[str]:
    return [i.strip().strip("\"'") for i in text.strip().strip("[](){}").split(",") if i.strip()]


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip("\"'"), strict=False)
    except ValueError:
        return None


def _covered(item: str, others: list[str]) -> bool:
    """Whether what `item` lets in is let in by one of `others`."""
    if item in others or "*" in others:
        return True
    network = _network(item)
    return network is not None and any(_contains(_network(other), network) for other in others)


def _contains(wider: IPv4Network | IPv6Network | None, network: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(wider, IPv4Network) and network.subnet_of(wider)
    return isinstance(wider, IPv6Network) and network.subnet_of(wider)


def removed_blocks(hunk: Hunk) -> Iterator[tuple[Edit, str]]:
    """Whole resources, server blocks and rules of a file that are gone; each with the path prefix it covered."""
    kept = {d.name for d in hunk.after.definitions.values()}
    for index, found in hunk.before.definitions.items():
        line = hunk.before.lines[index]
        if (
            line.changed
            and found.kind == "resource"
            and found.name not in kept
            and found.owner in {"resource", "module", "data"}
        ):
            place = Place(hunk.path, hunk.language, found.name, line.text)
            yield edit(EditKind.RULE_REMOVED, place, found.name, line.stripped, None), found.name
    if hunk.language.name == "conf":
        yield from _directives(hunk)


def _directives(hunk: Hunk) -> Iterator[tuple[Edit, str]]:
    kept = {line.stripped for line in hunk.after.lines}
    for index, line in hunk.before.changed_lines():
        match = _DIRECTIVES.match(line.stripped)
        if match and line.stripped not in kept and not _same_directive(match[1], hunk.after):
            label = line.stripped.rstrip("{; ").strip()
            place = Place(hunk.path, hunk.language, hunk.before.scope(index), line.text)
            yield edit(EditKind.RULE_REMOVED, place, label, line.stripped, None), ".".join(label.split())


def _same_directive(word: str, side: Side) -> bool:
    """A directive of that name was added: it was changed rather than removed."""
    return any(line.stripped.startswith(word) for _, line in side.changed_lines())
