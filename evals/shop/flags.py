"""The flags of the shop in a real Unleash."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

import requests

from fixtures.servers.unleash import Unleash

FLAGS: Mapping[str, str] = {"related-products": "catalogue", "round-prices": "storefront"}
"""Each flag and the service that asks for it."""
ENVIRONMENT = "production"
MADE_BEFORE = "20 days"
PROJECT = "/projects/default/features"


class FlagServer:
    """Makes flags, turns them on, and lets the services read them."""

    def __init__(self, server: Unleash) -> None:
        self._server = server

    def make(self) -> str:
        """Make the flags, all off; the token with which services ask for them."""
        for name, service in FLAGS.items():
            self._post(PROJECT, {"name": name, "type": "release"})
            self._post(f"/features/{name}/tags", {"type": "simple", "value": f"service:{service}"})
            self._post(f"{PROJECT}/{name}/environments/{ENVIRONMENT}/strategies", {"name": "default"})
        token = {"tokenName": "services", "type": "client", "environment": ENVIRONMENT, "projects": ["*"]}
        self._date_back()
        return str(self._post("/api-tokens", token)["secret"])

    def _date_back(self) -> None:
        """The flags were not made just now: that would be a change right before every fault."""
        [database] = self._server.beside
        sql = f"UPDATE events SET created_at = created_at - interval '{MADE_BEFORE}'"
        subprocess.run(["psql", "-q", str(database.url), "-c", sql], check=True, capture_output=True, timeout=30)

    def turn_on(self, name: str) -> None:
        self._post(f"{PROJECT}/{name}/environments/{ENVIRONMENT}/on", {})

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        headers = {"Authorization": self._server.admin_token}
        answer = requests.post(f"{self._server.url}/api/admin{path}", json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else {}
