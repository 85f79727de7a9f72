"""Writes objects into a cluster, for whoever plays its people and its controllers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

SOON_SECONDS = 30


class KubernetesApi:
    def __init__(self, url: str, token: str, ca_file: Path) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False  # a REQUESTS_CA_BUNDLE of the machine would win over the certificate below
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.session.verify = str(ca_file)

    def get(self, path: str) -> Any:
        return self._done(self.session.get(self.url + path, timeout=10))

    def make(self, path: str, body: dict[str, Any], manager: str = "kubectl-create") -> Any:
        return self._done(self.session.post(f"{self.url}{path}?fieldManager={manager}", json=body, timeout=10))

    def patch(self, path: str, body: dict[str, Any], manager: str) -> Any:
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        data = json.dumps(body)
        return self._done(
            self.session.patch(f"{self.url}{path}?fieldManager={manager}", data=data, headers=headers, timeout=10)
        )

    @staticmethod
    def _done(response: requests.Response) -> Any:
        assert response.ok, response.text
        return response.json()

    def forget(self, etcd: str) -> None:
        """All but the present state, as the API server lets its store do every few minutes."""
        now = self._done(requests.post(f"{etcd}/v3/kv/range", json={"key": "AA=="}, timeout=10))["header"]["revision"]
        self._done(requests.post(f"{etcd}/v3/kv/compaction", json={"revision": now, "physical": True}, timeout=10))

    def served(self, path: str) -> None:
        """Wait until a kind is served that was defined just now."""
        deadline = time.monotonic() + SOON_SECONDS
        while not self.session.get(self.url + path, timeout=10).ok:
            assert time.monotonic() < deadline, path
            time.sleep(0.1)

    def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + SOON_SECONDS
        while not holds(found := self.get(path)):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found
