"""What happened to the flags of the Unleash server of the tests, at moments that are always the same."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from fixtures.servers.unleash import Unleash

BEGAN = datetime(2026, 6, 18, 10, 0, tzinfo=UTC)
"""When the first flag was made; everything later happens one minute after the other."""
MINUTE = timedelta(minutes=1)


def make_flags(server: Unleash) -> None:
    """Make a flag, tag it with its service, widen its share, turn it on and off, and archive it."""
    first = _call(server, "GET", "/events")["events"][0]["id"]
    project = "/projects/default/features"
    for name in ("new-basket", "quiet"):
        _call(server, "POST", project, {"name": name, "type": "release"})
    _call(server, "POST", "/features/new-basket/tags", {"type": "simple", "value": "service:basket"})
    place = f"{project}/new-basket/environments/production"
    share = {"rollout": "10", "stickiness": "default", "groupId": "new-basket"}
    made = _call(server, "POST", f"{place}/strategies", {"name": "flexibleRollout", "parameters": share})
    edited = {"name": "flexibleRollout", "parameters": {**share, "rollout": "25"}}
    _call(server, "PUT", f"{place}/strategies/{made['id']}", edited)
    _call(server, "POST", f"{place}/on")
    _call(server, "POST", f"{place}/off")
    development = f"{project}/quiet/environments/development"
    _call(server, "POST", f"{development}/strategies", {"name": "default"})
    _call(server, "POST", f"{development}/on")
    _call(server, "DELETE", f"{project}/quiet")
    _date(server, first)


def _call(server: Unleash, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{server.url}/api/admin{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": server.admin_token, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def _date(server: Unleash, first: int) -> None:
    """The server cannot be told when something happened, but its database can."""
    [database] = server.beside
    minutes = f"(id - {first} - 1) * interval '1 minute'"
    early = "created_at - interval '10 years'"
    moment = f"CASE WHEN id > {first} THEN timestamptz '{BEGAN.isoformat()}' + {minutes} ELSE {early} END"
    sql = f"UPDATE events SET created_at = {moment}"
    subprocess.run(["psql", "-q", database.url, "-c", sql], check=True, capture_output=True, timeout=30)
