from __future__ import annotations

import numpy as np
import pytest

from agent.analysis.traces.spantext import SpanTexts, read_texts


def read(status: str, attributes: dict[str, str]) -> SpanTexts:
    return read_texts(np.array([status], dtype=object), np.array([attributes], dtype=object))


@pytest.mark.parametrize(
    ("status", "attributes", "message"),
    [
        ("ERROR", {}, ""),
        ("ERROR", {"status_message": "no stock"}, "no stock"),
        ("", {"error": "true"}, ""),
        ("OK", {"error": "no stock"}, "no stock"),
        ("OK", {"http.status_code": "503"}, "HTTP 503"),
        ("", {"http.response.status_code": "500"}, "HTTP 500"),
        ("", {"rpc.grpc.status_code": "4"}, "DeadlineExceeded"),
        ("", {"rpc.grpc.status_code": "14", "error.message": "no route"}, "no route (Unavailable)"),
        ("", {"exception.type": "KeyError", "exception.message": "price"}, "KeyError: price"),
        ("", {"status_message": "connection refused"}, "connection refused"),
    ],
)
def test_failed_spans(status: str, attributes: dict[str, str], message: str) -> None:
    found = read(status, attributes)
    assert found.error[0]
    assert found.message[0] == message


@pytest.mark.parametrize(
    ("status", "attributes"),
    [
        ("OK", {}),
        ("", {"error": "false", "http.status_code": "404"}),
        ("OK", {"rpc.grpc.status_code": "5"}),
        ("", {"rpc.grpc.status_code": "0"}),
        ("OK", {"exception.type": "Retried"}),
        ("", {"status_message": "all good"}),
    ],
)
def test_spans_that_did_not_fail(status: str, attributes: dict[str, str]) -> None:
    assert not read(status, attributes).error[0]


def test_patience_is_read_from_messages_and_codes() -> None:
    assert read("ERROR", {"error": "context deadline exceeded"}).deadline[0]
    assert read("ERROR", {"rpc.grpc.status_code": "4"}).deadline[0]
    assert read("ERROR", {"rpc.grpc.status_code": "1"}).cancellation[0]
    assert read("ERROR", {"http.status_code": "499"}).cancellation[0]
    assert not read("OK", {"error.message": "context deadline exceeded"}).deadline[0]


def test_secrets_are_masked() -> None:
    assert "hunter2" not in str(read("ERROR", {"error": "login failed password=hunter2"}).message[0])
