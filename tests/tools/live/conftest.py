"""Cassettes: what real servers answered, replayed without a network.

A test marked `vcr` replays `fixtures/cassettes/<module>/<test>.yaml`, where the module stands without `test_`. It takes
the address it asks from the fixture `recorded`: that starts the real server while a cassette is made, and is a name
that does not exist while one is replayed.

    @pytest.fixture(scope="module")
    def url(recorded: Recorded) -> str:
        return recorded(lambda: start_prometheus(backfill=openmetrics()))

Requests are matched by method, path, query and body. Scheme, host and port are left out: they differ at every run, and
are written into a cassette as http://recorded.test. A test may ask the same thing twice and gets the same answer.
vcrpy records one conversation at a time; a backend that asks several things at once is told to ask one in such a test.

`pytest tests/tools/live -m vcr --record-mode=rewrite` makes all cassettes anew (make record-cassettes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from fixtures.servers.process import Server

CASSETTES = Path(__file__).parents[3] / "fixtures" / "cassettes"
HOST = "recorded.test"
SECRET_HEADERS = ("authorization", "cookie", "x-scope-orgid", "x-api-key", "private-token")
DROPPED_HEADERS = frozenset({"set-cookie", "server", "x-amz-request-id", "x-request-id", "via"})

Recorded = Callable[[Callable[[], Server]], str]


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, object]:
    return {
        "match_on": ["method", "path", "query", "body"],
        "filter_headers": [(header, None) for header in SECRET_HEADERS],
        "before_record_request": nameless,
        "before_record_response": plain,
        "decode_compressed_response": True,
        "allow_playback_repeats": True,
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    return str(CASSETTES / request.path.stem.removeprefix("test_"))


@pytest.fixture(scope="module")
def recorded(record_mode: str) -> Iterator[Recorded]:
    """Address of a real server while recording; of nobody in a replay."""
    with ExitStack() as running:

        def url(start: Callable[[], Server]) -> str:
            return f"http://{HOST}" if record_mode == "none" else running.enter_context(start()).url

        yield url


def nameless(request: Any) -> Any:
    """The request without the host it went to."""
    request.uri = urlunsplit(urlsplit(request.uri)._replace(scheme="http", netloc=HOST))
    request.headers.pop("Host", None)
    return request


def plain(response: dict[str, Any]) -> dict[str, Any]:
    """The answer without headers that name a machine or a session."""
    kept = {name: value for name, value in response["headers"].items() if name.lower() not in DROPPED_HEADERS}
    return {**response, "headers": kept}
