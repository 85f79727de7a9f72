"""Prometheus from the Debian package: fresh data, past samples by backfill, scraping, rules, remote write."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.live.servers.debian import install
from tests.live.servers.process import NotStarted, Server, answers, free_port, launch, new_folder, program

INSTALL = "apt-get install prometheus (python -m tests.live.servers fetch prometheus)"
BACKFILL_WITHIN_SECONDS = 300
KEPT = "10y"  # recorded incidents are years old; the default of 15 days would drop their blocks at once


class Prometheus(Server):
    """Its HTTP API stands under `url`; remote write is accepted at `url` + /api/v1/write."""


def fetch_prometheus() -> None:
    install("prometheus", lambda: (program("prometheus", INSTALL), program("promtool", INSTALL)))


def start_prometheus(
    *,
    backfill: str | Path | None = None,
    scrape_configs: Sequence[Mapping[str, object]] = (),
    rules: Mapping[str, object] | str | None = None,
    alertmanagers: Sequence[str] = (),
    interval: str = "1s",
    out_of_order: str = "0s",
    flags: Sequence[str] = (),
) -> Prometheus:
    """A Prometheus with data of its own.

    backfill: OpenMetrics text, or the path of such a file: timestamps in seconds, the samples of one series together
    and in order, `# EOF` at the end. scrape_configs: as in prometheus.yml. rules: a rule file, as a mapping
    ({"groups": [...]}) or as YAML. alertmanagers: their URLs. interval: of scrapes and rules. out_of_order: how old
    a remotely written sample may be against the newest one (needed for a remote write after a backfill).
    flags: more command-line flags, last. Raises NotFetched, NotStarted.
    """
    binary = program("prometheus", INSTALL)
    folder = new_folder("prometheus")
    if backfill is not None:
        _backfill(folder, backfill)
    (folder / "prometheus.yml").write_text(_configuration(scrape_configs, rules, alertmanagers, interval, out_of_order))
    if rules is not None:
        (folder / "rules.yml").write_text(rules if isinstance(rules, str) else json.dumps(rules), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--storage.tsdb.retention.time={KEPT}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--web.external-url={url}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
        "--web.enable-admin-api",
        "--rules.alert.resend-delay=2s",
        "--enable-feature=exemplar-storage",
        *flags,
    ]
    return launch(Prometheus, "prometheus", command, url=url, folder=folder, ready=answers(f"{url}/-/ready"))


def _configuration(
    scrape_configs: Sequence[Mapping[str, object]],
    rules: Mapping[str, object] | str | None,
    alertmanagers: Sequence[str],
    interval: str,
    out_of_order: str,
) -> str:
    """The configuration as JSON, which is YAML as well."""
    targets = [address.removeprefix("http://") for address in alertmanagers]
    return json.dumps(
        {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "scrape_configs": list(scrape_configs),
            "rule_files": ["rules.yml"] if rules is not None else [],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": targets}]}] if targets else []},
            "storage": {"tsdb": {"out_of_order_time_window": out_of_order}, "exemplars": {"max_exemplars": 10_000}},
        }
    )


def _backfill(folder: Path, samples: str | Path) -> None:
    promtool = program("promtool", INSTALL)
    source = folder / "backfill.om"
    if isinstance(samples, Path):
        source = samples
    else:
        source.write_text(samples, encoding="utf-8")
    # A day per block at least: one block per two hours makes thousands of them out of a year.
    command = [
        promtool,
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "--max-block-duration=24h",
        source,
        folder / "data",
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=BACKFILL_WITHIN_SECONDS, check=False
    )
    if done.returncode:
        raise NotStarted(f"promtool could not read the samples: {done.stderr.strip()[-2000:]}")
