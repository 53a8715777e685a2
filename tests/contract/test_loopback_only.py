"""What the local services let in: the developer's own programs and pages, and nothing else."""

import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from local.node_services.emulators import Azurite, CosmosServer
from local.node_services.playground import Playground

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Service:
    """Where a service listens, and how it speaks."""

    port: int
    tls: bool = False

    def status(self, request_line: str, *headers: str) -> int:
        """Send a request of these lines, and return the answer's status."""
        request = "\r\n".join((request_line, *headers, "", "")).encode()
        with ExitStack() as connections:
            connection = connections.enter_context(
                socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
            )
            if self.tls:
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                connection = connections.enter_context(context.wrap_socket(connection))
            connection.sendall(request)
            answer = connections.enter_context(connection.makefile("rb"))
            return int(answer.readline().split()[1])


@pytest.fixture(scope="module", params=["page", "cosmos", "azurite"])
def service(request: pytest.FixtureRequest, npm_packages: None) -> Iterator[Service]:
    """Each of the services that listens on a port."""
    match request.param:
        case "page":
            with Playground("http://127.0.0.1:9/api/messages") as page:
                yield Service(int(page.url.rpartition(":")[2]))
        case "cosmos":
            with CosmosServer() as cosmos:
                yield Service(cosmos.port, tls=True)
        case _:
            with Azurite() as azurite:
                yield Service(azurite.ports["blob"])


def test_programs_of_this_machine_are_answered(service: Service) -> None:
    """The service itself decides what to say to those who ask for localhost."""
    for host in ("localhost", "127.0.0.1", "[::1]", f"LOCALHOST:{service.port}"):
        assert 403 != service.status("GET /no/such/thing HTTP/1.1", f"Host: {host}")


def test_its_own_page_is_answered(service: Service) -> None:
    """A page of this machine may call, whatever its port."""
    origin = "Origin: http://localhost:3000"

    assert 403 != service.status("GET /no/such/thing HTTP/1.1", "Host: localhost", origin)


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "localhost.evil.test",
        "evil.test:80",
        "127.0.0.1.evil.test",
        "evil.test@localhost",
        "localhost:1@evil.test",
        "192.168.0.1",
    ],
)
def test_another_name_is_refused(service: Service, host: str) -> None:
    """A page whose name has been made to lead to this machine learns nothing."""
    assert 403 == service.status("GET / HTTP/1.1", f"Host: {host}")


def test_no_second_name_gets_in(service: Service) -> None:
    """A request that names two hosts, or another one in its first line, is none for this one."""
    refused = {400, 403}
    assert service.status("GET / HTTP/1.1", "Host: localhost", "Host: evil.test") in refused
    assert service.status("GET http://evil.test/ HTTP/1.1", "Host: localhost") in refused
    assert service.status("GET / HTTP/1.0") in refused


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://localhost.evil.test"])
def test_another_page_is_refused(service: Service, origin: str) -> None:
    """Pages of others can send requests to localhost; they are not served."""
    assert 403 == service.status("GET / HTTP/1.1", "Host: localhost", f"Origin: {origin}")


@pytest.mark.parametrize(
    "headers", [("Host: evil.test",), ("Host: localhost", "Origin: http://evil.test")]
)
def test_another_page_gets_no_web_socket(service: Service, headers: tuple[str, ...]) -> None:
    """The chat's events are not for other pages, whose sockets no browser holds back."""
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

    assert 403 == service.status("GET /_ws_conversation HTTP/1.1", *headers, *upgrade, key)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8: run this on Linux"
)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_no_other_address_is_listened_on(service: Service, family: socket.AddressFamily) -> None:
    """Whoever listens on all addresses also does on the machine's other loopback addresses."""
    address = "127.0.0.2" if family == socket.AF_INET else "::1"
    with socket.socket(family) as connection, pytest.raises(OSError, match=r"(?i)refused|assign"):
        connection.connect((address, service.port))
