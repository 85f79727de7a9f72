"""What the Java servers share: a JDK that is new enough, and a distribution from Maven Central, unpacked once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from tests.live.servers.cache import cache, new_entry
from tests.live.servers.process import NotFetched, program

# Pinned: the version that Debian's Maven would pick for us differs from machine to machine.
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
DOWNLOAD_WITHIN_SECONDS = 600


def jdk(at_least: int) -> Path:
    """The home of the oldest installed Java of version `at_least` or later; raises NotFetched where there is none."""
    homes = [Path(home) for home in [os.environ.get("JAVA_HOME")] if home]
    homes += sorted(Path("/usr/lib/jvm").glob("*"))
    fitting = sorted((version, str(home)) for home in homes if (version := _version(home)) and version >= at_least)
    if not fitting:
        raise NotFetched(f"no Java {at_least} or later on this machine: install a JDK or set JAVA_HOME")
    return Path(fitting[0][1])


def _version(home: Path) -> int | None:
    release = home / "release"
    if not (home / "bin" / "java").exists() or not release.exists():
        return None
    found = re.search(r'JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8"))
    return int(found.group(1)) if found else None


def fetch_distribution(artifact: str, entry: str) -> None:
    """Download `group:name:version:zip` and unpack its only folder as the cache entry. Raises NotFetched."""
    if (cache() / entry).exists():
        return
    maven = program("mvn", "apt-get install maven")
    with new_entry(entry) as folder:
        command = [maven, "-B", "-q", f"{DEPENDENCY_PLUGIN}:copy", f"-Dartifact={artifact}", "-DoutputDirectory=."]
        got = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_WITHIN_SECONDS, check=False
        )
        archives = list(folder.glob("*.zip"))
        if got.returncode or not archives:
            raise NotFetched(f"Maven has no {artifact}: {got.stdout.strip()[:300]}")
        _unpack(archives[0], folder)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack without the archive's own top folder, readable by every user of the machine."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    archive.unlink()
    (top,) = folder.iterdir()
    for part in list(top.iterdir()):
        part.rename(folder / part.name)
    top.rmdir()
    for place in folder.rglob("*"):
        place.chmod(0o755 if place.is_dir() or place.parent.name == "bin" else 0o644)


def copy_linked(source: Path, target: Path) -> None:
    """A copy by hard links: at once, and reachable for a user who may not enter the cache folder's parents."""

    def link(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:  # another file system, or links are not allowed
            shutil.copy2(old, new)

    shutil.copytree(source, target, copy_function=link)
