"""
Answers for a worker that has died.

In Azure the connections belong to the host, and so their callers get 500 when a worker dies. Here
they belong to the worker. It lends each one out, at its first request, to the process that has
started it. On which of them a request is under way stands in memory that outlives the worker: to
tell the other process of each request would cost as much as the request. Windows cannot lend
connections so; there they break off.
"""

import contextlib
import mmap
import os
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import asyncio

_MESSAGE = struct.Struct("!cQ")
_NOTES, _LENDS, _RETURNS = b"n", b"+", b"-"

# Each has one byte of the notes. A process may have fewer descriptors; others would not be lent.
_MOST_CONNECTIONS = 64 * 1024

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
        self._numbers: dict[asyncio.Task[None], int] = {}
        self._unused_numbers: list[int] = []
        with tempfile.TemporaryFile() as file:
            file.truncate(_MOST_CONNECTIONS)
            self._notes = mmap.mmap(file.fileno(), _MOST_CONNECTIONS)
            self._tell(_NOTES, 0, file.fileno())

    @contextlib.contextmanager
    def under_way(self, request: web.BaseRequest) -> Iterator[None]:
        """Have the request answered with 500 if the worker dies during the block."""
        number = self._number(request)
        if number is None:
            yield
            return
        self._notes[number] = True
        try:
            yield
        finally:
            self._notes[number] = False

    def _number(self, request: web.BaseRequest) -> int | None:
        """Return that of the request's connection, once it is lent out; None if it cannot be."""
        # aiohttp has one task for each connection, and it ends after the last request.
        task = request.task
        if task in self._numbers:
            return self._numbers[task]
        transport = request.transport
        connection = None if transport is None else transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return None
        # Without one that is unused, all below are in use.
        number = self._unused_numbers.pop() if self._unused_numbers else len(self._numbers)
        if number >= _MOST_CONNECTIONS:
            return None
        self._numbers[task] = number
        task.add_done_callback(self._take_back)
        self._tell(_LENDS, number, connection.fileno())
        return number

    def _take_back(self, task: "asyncio.Task[None]") -> None:
        number = self._numbers.pop(task)
        self._unused_numbers.append(number)
        self._tell(_RETURNS, number)

    def _tell(self, kind: bytes, number: int, *descriptors: int) -> None:
        # Who has started this process may be gone. Then it ends, but not before its requests.
        with contextlib.suppress(OSError):
            socket.send_fds(self._line, [_MESSAGE.pack(kind, number)], descriptors)


class Guard:
    """The starter's end. It listens until the worker is gone."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._notes: int | None = None
        self._lent: dict[int, int] = {}
        threading.Thread(target=self._listen, name="guard", daemon=True).start()

    def _listen(self) -> None:
        with self._line:
            with contextlib.suppress(OSError):
                while self._take():
                    pass
            is_under_way = self._read_notes()
            for number, descriptor in self._lent.items():
                with contextlib.suppress(OSError), socket.socket(fileno=descriptor) as connection:
                    if is_under_way[number]:
                        connection.sendall(_ANSWER)
                        connection.shutdown(socket.SHUT_WR)

    def _read_notes(self) -> bytes:
        if self._notes is None:
            return bytes(_MOST_CONNECTIONS)
        with open(self._notes, "rb") as file:
            return file.read()

    def _take(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(
            self._line, _MESSAGE.size, 1, flags=_CLOSE_ON_EXEC
        )
        if len(message) < _MESSAGE.size:
            return False
        kind, number = _MESSAGE.unpack(message)
        if kind == _NOTES and descriptors:
            self._notes = descriptors[0]
        elif kind == _LENDS and descriptors:
            self._lent[number] = descriptors[0]
        elif number in self._lent:
            os.close(self._lent.pop(number))
        return True
