"""Plain HTTP, as anybody may speak it to the host."""

from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def request(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Answer:
    """Send a request to 127.0.0.1."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        names_host = any(name == "Host" for name, _ in headers)
        connection.putrequest(method, path, skip_host=names_host)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
