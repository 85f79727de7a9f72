"""Alertmanager from the Debian package."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.live.servers.debian import install
from tests.live.servers.process import Server, answers, free_port, launch, new_folder, program

INSTALL = "apt-get install prometheus-alertmanager (python -m tests.live.servers fetch alertmanager)"


class Alertmanager(Server):
    """Its API stands under `url` + /api/v2."""


def fetch_alertmanager() -> None:
    install("prometheus-alertmanager", lambda: program("prometheus-alertmanager", INSTALL))


def start_alertmanager(*, webhook: str | None = None, config: Mapping[str, object] | None = None) -> Alertmanager:
    """An Alertmanager that sends every group of alerts to `webhook` as soon as it may, resolved ones too.

    `config` replaces the whole configuration. Raises NotFetched, NotStarted.
    """
    binary = program("prometheus-alertmanager", INSTALL)
    folder = new_folder("alertmanager")
    (folder / "alertmanager.yml").write_text(json.dumps(config or _to_webhook(webhook)), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        binary,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--web.external-url={url}",
        "--cluster.listen-address=",
    ]
    return launch(Alertmanager, "alertmanager", command, url=url, folder=folder, ready=answers(f"{url}/-/ready"))


def _to_webhook(webhook: str | None) -> Mapping[str, object]:
    receiver: dict[str, object] = {"name": "whydown"}
    if webhook:
        receiver["webhook_configs"] = [{"url": webhook, "send_resolved": True}]
    route = {
        "receiver": "whydown",
        "group_by": ["alertname"],
        "group_wait": "1s",
        "group_interval": "1s",
        "repeat_interval": "1h",
    }
    return {"route": route, "receivers": [receiver]}
