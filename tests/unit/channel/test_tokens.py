"""The bot's own tokens: fetched once, renewed early, never on the event loop."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.channel.clouds import cloud_of
from shared.channel.tokens import EXPIRED_BEFORE_S, RENEW_BEFORE_S, TokenSource, token_fetcher
from shared.errors import TokenUnavailable
from shared.settings import AppType, ChannelOverrides, Identity
from tests.unit.raw_channel import POLL_INTERVAL_S

LIFETIME_S = 3600


class Issuer:
    """Issues numbered tokens, and may be told to fail or to wait."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.issued = 0
        self.down = False
        self.open = threading.Event()
        self.open.set()
        self.threads: set[int] = set()

    def fetch(self, audience: str) -> AccessToken:
        self.threads.add(threading.get_ident())
        self.open.wait(10)
        if self.down:
            raise TokenUnavailable("down")
        self.issued += 1
        return AccessToken(f"{audience}-{self.issued}", int(self.now + LIFETIME_S))


async def eventually(ask: Callable[[], Awaitable[str]], expected: str) -> str:
    """Ask again for up to a second."""
    for _ in range(100):
        if (answer := await ask()) == expected:
            break
        await asyncio.sleep(0.01)
    return answer


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def tokens(issuer: Issuer) -> TokenSource:
    return TokenSource(issuer.fetch, lambda: issuer.now)


async def test_a_token_is_fetched_once(tokens: TokenSource, issuer: Issuer) -> None:
    """All turns of a worker share one token for as long as it lasts."""
    assert ["a-1", "a-1"] == [await tokens.get("a"), await tokens.get("a")]
    assert issuer.issued == 1


async def test_each_audience_has_its_own(tokens: TokenSource) -> None:
    """A token for a skill is not one for the channel."""
    assert ("a-1", "b-2") == (await tokens.get("a"), await tokens.get("b"))


async def test_turns_that_wait_share_one_fetch(tokens: TokenSource, issuer: Issuer) -> None:
    """A hundred turns on a cold worker ask for one token."""
    assert {"a-1"} == set(await asyncio.gather(*(tokens.get("a") for _ in range(100))))
    assert issuer.issued == 1


async def test_a_fetch_does_not_hold_up_the_loop(tokens: TokenSource, issuer: Issuer) -> None:
    """Fetching blocks a thread of its own."""
    issuer.open.clear()
    waiting = asyncio.create_task(tokens.get("a"))
    await asyncio.sleep(0.01)
    issuer.open.set()

    assert await waiting == "a-1"
    assert threading.get_ident() not in issuer.threads


async def test_one_who_gives_up_does_not_end_the_fetch(tokens: TokenSource, issuer: Issuer) -> None:
    """A turn that is cancelled while it waits leaves the others their token."""
    issuer.open.clear()
    impatient, patient = (asyncio.create_task(tokens.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    issuer.open.set()

    assert await patient == "a-1"


async def test_an_old_token_is_renewed_in_the_background(
    tokens: TokenSource, issuer: Issuer
) -> None:
    """No turn waits for a renewal: the old token still serves while the new one comes."""
    await tokens.get("a")
    issuer.now += LIFETIME_S - RENEW_BEFORE_S + 1
    assert await tokens.get("a") == "a-1"
    renewed = await eventually(lambda: tokens.get("a"), "a-2")

    assert renewed == "a-2"


async def test_a_failed_renewal_leaves_the_old_token(
    tokens: TokenSource, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """While the token endpoint is down, the old token serves until it expires."""
    await tokens.get("a")
    issuer.now += LIFETIME_S - RENEW_BEFORE_S + 1
    issuer.down = True
    used = []
    while len(caplog.messages) < 2:
        used.append(await tokens.get("a"))
        await asyncio.sleep(0.01)

    assert {"a-1"} == {*used, await tokens.get("a")}
    assert {"No token for the Bot Connector: down"} == set(caplog.messages)


async def test_an_expired_token_is_not_used(tokens: TokenSource, issuer: Issuer) -> None:
    """Close to its end a token is replaced before the turn goes on."""
    await tokens.get("a")
    issuer.now += LIFETIME_S - EXPIRED_BEFORE_S + 1

    assert await tokens.get("a") == "a-2"


async def test_without_a_token_the_reason_is_told(tokens: TokenSource, issuer: Issuer) -> None:
    """Who waits for a token that cannot be had gets the error, and the next one tries again."""
    issuer.down = True
    with pytest.raises(TokenUnavailable):
        await tokens.get("a")
    issuer.down = False

    assert await tokens.get("a") == "a-1"


async def test_the_sdks_own_clients_get_the_same_token(tokens: TokenSource) -> None:
    """A synchronous client of the SDK shares the cache."""
    assert tokens.get_blocking("a") == "a-1"
    assert await tokens.get("a") == "a-1"


class _Answers(BaseHTTPRequestHandler):
    """Answers every request with `status` and `body`."""

    status = 200
    body = b"{}"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class _NoSuchIdentity(_Answers):
    """What the Functions host's identity endpoint answers when the identity is not attached."""

    status = 400
    body = b'{"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found"}'


class _Identity(_Answers):
    """What it answers when it is."""

    body = (
        b'{"access_token":"token-of-identity","expires_on":"%d",'
        b'"resource":"https://api.botframework.com","token_type":"Bearer"}' % (time.time() + 3600)
    )


class _TokenEndpoint(_Answers):
    """A token endpoint of Microsoft Entra ID, and the metadata that leads there."""

    def do_GET(self) -> None:
        origin = f"https://localhost:{self.connection.getsockname()[1]}"
        self.body = json.dumps(
            {
                "issuer": f"{origin}/t/v2.0",
                "authorization_endpoint": f"{origin}/t/authorize",
                "token_endpoint": f"{origin}/t/token",
                "access_token": "token-for-secret",
                "expires_in": 3600,
                "token_type": "Bearer",
            }
        ).encode()
        super().do_GET()


def serve(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> HTTPServer:
    server = HTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(POLL_INTERVAL_S,), daemon=True).start()
    return server


@pytest.fixture
def identity_endpoint() -> Iterator[str]:
    server = serve(_NoSuchIdentity)
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("running", [True, False])
def test_a_missing_managed_identity_says_what_to_attach(
    identity_endpoint: str, running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the identity attached, the error names it and the place to attach it."""
    # Nothing answers on port 9 of this machine.
    endpoint = identity_endpoint if running else "http://127.0.0.1:9/token"
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    app_id = "11111111-1111-1111-1111-111111111111"
    identity = Identity(AppType.USER_ASSIGNED_MSI, app_id, "tenant", "")

    with pytest.raises(TokenUnavailable) as caught:
        token_fetcher(identity, cloud_of(ChannelOverrides()))("https://api.botframework.com")

    assert app_id in str(caught.value)
    assert "Identity > User assigned" in str(caught.value)


def test_an_attached_managed_identity_gets_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Functions host's identity endpoint gives the token that replies carry."""
    server = serve(_Identity)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    identity = Identity(AppType.USER_ASSIGNED_MSI, "11111111-1111-1111-1111-111111111111", "t", "")

    token = token_fetcher(identity, cloud_of(ChannelOverrides()))("https://api.botframework.com")
    server.shutdown()
    server.server_close()

    assert token.token == "token-of-identity"


def test_a_client_secret_gets_a_token_where_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ToChannelFromBotLoginUrl names the issuer, and nobody else is asked about it."""
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = serve(_TokenEndpoint, tls)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    overrides = ChannelOverrides(login_url=f"https://localhost:{server.server_port}/")
    identity = Identity(AppType.SINGLE_TENANT, "11111111-1111-1111-1111-111111111111", "t", "s")

    token = token_fetcher(identity, cloud_of(overrides))("https://api.botframework.com")
    server.shutdown()
    server.server_close()

    assert token.token == "token-for-secret"


def self_signed(folder: Path) -> Path:
    """A certificate for localhost and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file
