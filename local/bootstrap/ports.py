"""TCP ports of this machine. Everything that is started here listens on 127.0.0.1 only."""

import errno
import socket
import sys

from local.bootstrap.errors import LocalError

DEFAULT_PORT = 7071
"""The bot's, the same as with Core Tools."""

BACKLOG = 128


def listen(port: int) -> socket.socket:
    """
    Take the port and listen on it; 0 stands for any free one.

    Raises:
        LocalError: another program has it, or this user may not have it.
    """
    listener = socket.socket()
    if sys.platform == "win32":
        # There, SO_REUSEADDR would share the port with the program that has it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        # A port that has just been closed counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EACCES:
            raise LocalError(f"Port {port} is not allowed for this user; choose another.") from None
        raise LocalError(
            f"Port {port} is taken by another program; stop that one, or choose another port: "
            f"--port {_free_port_after(port)}"
        ) from None
    return listener


def is_free(port: int) -> bool:
    """Tell whether a program could listen on the port now."""
    try:
        listen(port).close()
    except LocalError:
        return False
    return True


def prefer(port: int) -> int:
    """Return the port if it is free, else 0, which stands for any."""
    return port if is_free(port) else 0


def _free_port_after(port: int) -> int:
    with socket.socket() as probe:
        for candidate in range(port + 1, 65536):
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return candidate
    return 0
