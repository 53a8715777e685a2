"""A channel that says byte for byte what it is told, in threads of its own."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

POLL_INTERVAL_S = 0.01
"""How often a server of the standard library looks whether it is to end; by itself every 0.5 s."""

SENT = b'HTTP/1.1 201 Created\r\nContent-Length: 14\r\n\r\n{"id": "sent"}'


class RawChannel:
    """Takes requests of any event loop, and while this one is blocked."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = SENT
        """The bytes after each request."""
        self.hang_up = False
        """Whether the connection ends with the answer."""
        self.bodies: list[Any] = []
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()


@contextmanager
def serve_raw() -> Iterator[RawChannel]:
    """Serve on a free port of this machine."""
    channel = RawChannel()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline():
                length = 0
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = self.rfile.read(length)
                channel.bodies.append(json.loads(body) if body else None)
                channel.asked.set()
                channel.may_answer.wait(60)
                self.wfile.write(channel.answer)
                if channel.hang_up:
                    break

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        channel.url = "http://{}:{}".format(*server.server_address)
        threading.Thread(target=server.serve_forever, args=(POLL_INTERVAL_S,), daemon=True).start()
        yield channel
        channel.may_answer.set()
        server.shutdown()
