"""Servers that come as Debian packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from tests.live.servers.process import NotFetched

INSTALLED_WITHIN_SECONDS = 600


def install(package: str, present: Callable[[], object]) -> None:
    """Install `package` unless `present()` finds its program (it raises NotFetched where not). Raises NotFetched."""
    try:
        present()
    except NotFetched:
        _apt(package)
        present()


def _apt(package: str) -> None:
    if not shutil.which("apt-get"):
        raise NotFetched(f"this is no Debian: install {package} with this system's own means and put it on the PATH")
    if os.geteuid() != 0:
        raise NotFetched(f"installing needs root: run sudo apt-get install {package}")
    install_package = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (install_package, ["apt-get", "update", "-qq"], install_package):
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=INSTALLED_WITHIN_SECONDS, check=False
        )
        if done.returncode == 0 and command is install_package:
            return
    raise NotFetched(f"apt-get install {package}: {done.stderr.strip().splitlines()[-1:]}")
