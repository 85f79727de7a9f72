"""A server that misbehaves on purpose: one scripted conversation for each connection, over a real loopback socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

TLS_HELLO = b"\x16\x03"
"""How a client begins that speaks TLS to a server that does not (RFC 8446, 5.1)."""

Conversation = Callable[["Line"], None]


@dataclass
class Line:
    """One accepted connection, from the server's side."""

    socket: socket.socket
    over: Event
    """Set when the test is done; whoever dawdles has to look at it."""

    def heard(self) -> bytes:
        """The head of the request, and of a posted one what came with it."""
        received = b""
        while b"\r\n\r\n" not in received:
            part = self.socket.recv(65536)
            received += part
            if not part or received.startswith(TLS_HELLO):
                break
        return received

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def dawdle(self) -> None:
        """Hold the line open and say nothing until the test is over."""
        self.over.wait(60)

    def drip(self, content: bytes, every: float) -> None:
        """Send byte by byte."""
        for byte in content:
            if self.over.wait(every):
                return
            self.say(bytes([byte]))


@dataclass
class Faulty:
    """Where it listens, and what it was asked."""

    url: str
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def faulty(conversations: Sequence[Conversation], context: ssl.SSLContext | None = None) -> Iterator[Faulty]:
    """Serve the conversations in turn, the last one for every later connection."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        scheme = "http" if context is None else "https"
        found = Faulty(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}")
        thread = Thread(target=_serve, args=(listening, list(conversations), context, found, over), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(
    listening: socket.socket,
    conversations: list[Conversation],
    context: ssl.SSLContext | None,
    found: Faulty,
    over: Event,
) -> None:
    talking: list[Thread] = []
    while not over.is_set():
        with suppress(OSError):
            accepted, _ = listening.accept()
            conversation = conversations.pop(0) if len(conversations) > 1 else conversations[0]
            talking.append(Thread(target=_talk, args=(accepted, conversation, context, found, over), daemon=True))
            talking[-1].start()
    for thread in talking:
        thread.join(5)


def _talk(
    accepted: socket.socket, conversation: Conversation, context: ssl.SSLContext | None, found: Faulty, over: Event
) -> None:
    with suppress(OSError), accepted:
        secured = accepted if context is None else context.wrap_socket(accepted, server_side=True)
        with secured:
            line = Line(secured, over)
            found.requests.append(line.heard())
            conversation(line)


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> Conversation:
    """A whole, well-formed answer; header names are written with underscores."""
    return lambda line: line.say(head(status, **{"Content_Length": str(len(body)), **headers}), body)


def head(status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()
