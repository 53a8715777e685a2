"""The bot's own tokens: fetched once, renewed early, never on the event loop."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from azure.core.credentials import AccessToken

from shared.channel.clouds import cloud_of
from shared.channel.tokens import EXPIRED_BEFORE_S, RENEW_BEFORE_S, TokenSource, token_fetcher
from shared.errors import TokenUnavailable
from shared.settings import AppType, ChannelOverrides, Identity

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


async def test_a_failed_renewal_leaves_the_old_token(tokens: TokenSource, issuer: Issuer) -> None:
    """While the token endpoint is down, the old token serves until it expires."""
    await tokens.get("a")
    issuer.now += LIFETIME_S - RENEW_BEFORE_S + 1
    issuer.down = True

    assert {"a-1"} == {await tokens.get("a") for _ in range(3)}


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


class _NoSuchIdentity(BaseHTTPRequestHandler):
    """What the Functions host's identity endpoint answers when the identity is not attached."""

    def do_GET(self) -> None:
        body = (
            b'{"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found"}'
        )
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def identity_endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _NoSuchIdentity)
    threading.Thread(target=server.serve_forever, daemon=True).start()
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
