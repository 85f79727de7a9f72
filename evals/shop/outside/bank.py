"""The bank that charges cards, somebody else's service: `python -m evals.shop.outside.bank PORT`."""

from __future__ import annotations

import json
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MEDIAN_SECONDS = 0.09
SPREAD = 0.3
"""Of the logarithm: one answer in twenty takes more than 150 ms."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        time.sleep(MEDIAN_SECONDS * random.lognormvariate(0, SPREAD))
        content = json.dumps({"authorisation": f"A{random.randrange(10**8):08d}"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
