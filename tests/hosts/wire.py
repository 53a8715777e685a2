"""HTTP as it goes over the wire: no client tidies paths, headers or lengths up."""

from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from socket import create_connection
from urllib.parse import urlsplit

from tests.hosts.contract import Line

TIMEOUT_S = 60.0

_SENT_OF_A_LARGE_BODY = 1024 * 1024
"""A host that refuses it does not read the rest."""


@dataclass(frozen=True)
class Answer:
    """What came back. A status of None: nothing that can be read."""

    status: int | None
    headers: HTTPMessage
    body: bytes = b""


def send(origin: str, line: Line) -> Answer:
    """Send the line's request to the host at `origin`."""
    address = urlsplit(origin)
    assert address.hostname
    with create_connection((address.hostname, address.port or 80), TIMEOUT_S) as connection:
        connection.sendall(_request(line, address.netloc))
        response = HTTPResponse(connection, method=line.method)
        try:
            response.begin()
            return Answer(response.status, response.headers, response.read())
        except (HTTPException, OSError, ValueError):
            return Answer(None, HTTPMessage())


def get(origin: str, path: str) -> int | None:
    """Return the status of a plain request; None if there is no answer."""
    try:
        return send(origin, Line(0, "", "", {}, {}, path=path)).status
    except OSError:
        return None


def _request(line: Line, host: str) -> bytes:
    headers = [("Host", host), ("Connection", "close"), *line.headers]
    if line.header_bytes:
        headers.append(("X-Large", line.header_bytes * "x"))
    headers += [(f"X-{number}", "x") for number in range(line.header_count)]
    body = None if line.body is None else line.body.encode()
    if line.body_bytes:
        headers.append(("Content-Length", str(line.body_bytes)))
        body = bytes(min(line.body_bytes, _SENT_OF_A_LARGE_BODY))
    elif line.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        content = body or b""
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
    elif body is not None:
        headers.append(("Content-Length", str(len(body))))
    target = line.path + line.query_bytes * "q"
    head = f"{line.method} {target} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in headers
    )
    return head.encode() + b"\r\n" + (body or b"")
