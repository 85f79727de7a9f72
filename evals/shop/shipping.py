"""Carries the log lines of files to Elasticsearch, in bulk, once a second."""

from __future__ import annotations

import threading
from pathlib import Path

import requests

STREAM = "logs-shop-production"
EVERY_SECONDS = 1.0
TEMPLATE = {
    "index_patterns": ["logs-shop-*"],
    "data_stream": {},
    "template": {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
        "mappings": {
            "dynamic_templates": [
                {"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 8000}}}
            ],
            "properties": {
                "@timestamp": {"type": "date"},
                "message": {"type": "text"},
                "error.message": {"type": "text"},
                "error.stack_trace": {"type": "text", "index": False},
            },
        },
    },
}


class Shipper:
    """Follows every `*.log` of a folder from its beginning."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._read: dict[Path, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="shipper")
        self.shipped = 0
        self.refused = 0

    def start(self) -> None:
        """Make the data stream's template, then follow the files. Raises requests.RequestException."""
        made = self._session.put(f"{self._url}/_index_template/shop", json=TEMPLATE, timeout=20)
        made.raise_for_status()
        self._thread.start()

    def close(self) -> None:
        """Ship what is left, and stop."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            self._ship()
        self._ship()

    def _ship(self) -> None:
        lines = [line for path in sorted(self._folder.glob("*.log")) for line in self._new_lines(path)]
        if not lines:
            return
        body = b"".join(b'{"create":{}}\n' + line + b"\n" for line in lines)
        headers = {"content-type": "application/x-ndjson"}
        try:
            answer = self._session.post(f"{self._url}/{STREAM}/_bulk", data=body, headers=headers, timeout=20)
            answer.raise_for_status()
        except requests.RequestException:
            self.refused += len(lines)
            return
        failed = sum(1 for item in answer.json()["items"] if item["create"].get("error"))
        self.refused += failed
        self.shipped += len(lines) - failed

    def _new_lines(self, path: Path) -> list[bytes]:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            content = file.read()
        whole, newline, _ = content.rpartition(b"\n")
        self._read[path] = self._read.get(path, 0) + len(whole) + len(newline)
        return whole.split(b"\n") if whole else []
