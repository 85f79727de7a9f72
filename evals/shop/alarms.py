"""Where Alertmanager rings: its webhook, which keeps what comes and when it came."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Alarm:
    """One alert as Alertmanager sends it, and when it was here (UTC)."""

    sent: dict[str, Any]
    came_at: datetime

    @property
    def name(self) -> str:
        return str(self.sent.get("labels", {}).get("alertname", ""))


class Bell:
    """A webhook on a port of its own; alerts that fire come out of `wait`, in order."""

    def __init__(self, port: int) -> None:
        self._alarms: queue.Queue[Alarm] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self._alarms))
        self.url = f"http://127.0.0.1:{port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="bell").start()

    def wait(self, seconds: float) -> Alarm | None:
        """The next alert; None when none comes."""
        with suppress(queue.Empty):
            return self._alarms.get(timeout=max(0.01, seconds))
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(alarms: queue.Queue[Alarm]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            for each in sent.get("alerts", []):
                if each.get("status") == "firing":
                    alarms.put(Alarm(each, datetime.now(UTC)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    return Handler
