"""
Answers for a worker that has died.

In Azure the connections belong to the host, and so their callers get 500 when a worker dies. Here
they belong to the worker. It lends each one out while its request is under way, to the process that
has started it. Windows cannot lend connections so; there they break off.
"""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from itertools import count

from aiohttp import web

_MESSAGE = struct.Struct("!cQ")
_BEGINS, _ENDS = b"+", b"-"

_ANSWER = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

# Else programs that are started meanwhile would hold the connections open.
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def lines() -> tuple[socket.socket, socket.socket] | None:
    """Return the two ends of a line, or None where there is none."""
    return socket.socketpair() if hasattr(socket, "send_fds") else None


class Guarded:
    """The worker's end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._numbers = count()

    @contextlib.contextmanager
    def under_way(self, request: web.Request) -> Iterator[None]:
        """Lend the request's connection out, during the block."""
        transport = request.transport
        connection = None if transport is None else transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            yield
            return
        number = next(self._numbers)
        # Who has started this process may be gone. Then it ends, but not before its requests.
        with contextlib.suppress(OSError):
            socket.send_fds(self._line, [_MESSAGE.pack(_BEGINS, number)], [connection.fileno()])
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                self._line.sendall(_MESSAGE.pack(_ENDS, number))


class Guard:
    """The starter's end. It listens until the worker is gone."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._lent: dict[int, int] = {}
        threading.Thread(target=self._listen, name="guard", daemon=True).start()

    def _listen(self) -> None:
        with self._line:
            with contextlib.suppress(OSError):
                while self._take():
                    pass
            for descriptor in self._lent.values():
                with contextlib.suppress(OSError), socket.socket(fileno=descriptor) as connection:
                    connection.sendall(_ANSWER)
                    connection.shutdown(socket.SHUT_WR)

    def _take(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(
            self._line, _MESSAGE.size, 1, flags=_CLOSE_ON_EXEC
        )
        if len(message) < _MESSAGE.size:
            return False
        kind, number = _MESSAGE.unpack(message)
        if kind == _BEGINS and descriptors:
            self._lent[number] = descriptors[0]
        elif number in self._lent:
            os.close(self._lent.pop(number))
        return True
