"""Unleash, the feature-flag server, from its npm package, on a PostgreSQL of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers.cache import cache, fetched, new_entry
from tests.live.servers.postgres import Postgres, start_postgres
from tests.live.servers.process import NotFetched, Server, answers, free_port, launch, new_folder, program

PACKAGE = Path(__file__).parent / "npm" / "unleash"
INSTALLED_WITHIN_SECONDS = 600
# Unleash 6 is the last line that runs on the Node 20 of this project's machines; its API is that of 7 and 8 here.
NODE = "install Node 18 to 20"


@dataclass
class Unleash(Server):
    """`url` + /api/admin takes `admin_token` as the authorization header; /api/admin/events is the audit log."""

    admin_token: str = ""


def fetch_unleash() -> None:
    entry = _entry()
    if (cache() / entry).exists():
        return
    npm = program("npm", NODE)
    with new_entry(entry) as folder:
        for file in ("package.json", "package-lock.json"):
            shutil.copy2(PACKAGE / file, folder)
        command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALLED_WITHIN_SECONDS, check=False
        )
        if done.returncode:
            raise NotFetched(f"npm ci unleash-server: {' / '.join(done.stderr.strip().splitlines()[:3])}")


def start_unleash() -> Unleash:
    """An Unleash with its default project and an admin token; a few seconds. Raises NotFetched, NotStarted."""
    server = fetched(_entry(), server="unleash") / "node_modules" / "unleash-server" / "dist" / "server.js"
    node, database = program("node", NODE), start_postgres()
    try:
        return _start(node, server, database)
    except BaseException:
        database.stop()
        raise


def _start(node: Path, server: Path, database: Postgres) -> Unleash:
    folder, port = new_folder("unleash"), free_port()
    url, token = f"http://127.0.0.1:{port}", f"*:*.{os.urandom(16).hex()}"
    return launch(
        Unleash,
        "unleash",
        [node, server],
        url=url,
        folder=folder,
        ready=answers(f"{url}/health"),
        env={
            "DATABASE_URL": database.url,
            "DATABASE_SSL": "false",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(port),
            "INIT_ADMIN_API_TOKENS": token,
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "LOG_LEVEL": "warn",
        },
        admin_token=token,
        beside=[database],
    )


def _entry() -> str:
    return f"unleash-{hashlib.sha256((PACKAGE / 'package-lock.json').read_bytes()).hexdigest()[:10]}"
