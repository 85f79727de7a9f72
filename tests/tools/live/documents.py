"""Answers with documents that the makers of an API publish, where no server of theirs can be had."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

OFFICIAL = Path(__file__).resolve().parents[3] / "fixtures" / "official"


def official(vendor: str, name: str) -> Any:
    return json.loads((OFFICIAL / vendor / f"{name}.json").read_text(encoding="utf-8"))


class Documents(BaseAdapter):
    """Answers each path (with its query, where one is named) with a document; every other path with 404."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        super().__init__()
        self.documents = dict(documents)
        self.asked: list[requests.PreparedRequest] = []

    @property
    def paths(self) -> list[str]:
        return [request.path_url for request in self.asked]

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(request)
        path = request.path_url
        found = self.documents.get(path, self.documents.get(path.partition("?")[0]))
        response = requests.Response()
        response.status_code, response.request, response.url = (
            (404 if found is None else 200),
            request,
            str(request.url),
        )
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        response.raw = HTTPResponse(io.BytesIO(body), status=response.status_code, preload_content=False)
        return response

    def close(self) -> None:
        pass
