"""A reply that cannot have left is known to be not sent, whatever ended the attempt."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress

import pytest
from azure.core.credentials import AccessToken
from botbuilder.schema import Activity
from botframework.connector.aio import ConnectorClient

from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.channel.tokens import TokenSource
from shared.connections.time_limit import TimeLimit
from shared.errors import TokenUnavailable
from shared.turns.replies.failures import Outcome, failure_of
from tests.unit.channel.conftest import AUDIENCE
from tests.unit.raw_channel import RawChannel

LimitedBy = Callable[[float], AbstractAsyncContextManager[object]]
LIMITS: list[LimitedBy] = [asyncio.timeout, TimeLimit.after]


async def say(client: ConnectorClient) -> None:
    await client.conversations.send_to_conversation("c", Activity(text="x"))


async def outcome_of(
    client: ConnectorClient, limit: LimitedBy = TimeLimit.after, *, within_s: float = 0.5
) -> Outcome:
    """What is known of a reply that has this much time."""
    try:
        async with limit(within_s):
            await say(client)
    except Exception as error:
        return failure_of(error).outcome
    raise AssertionError


@pytest.fixture
async def http() -> AsyncIterator[HttpPool]:
    http = HttpPool()
    yield http
    await http.close()


@pytest.fixture
def silence() -> Iterator[str]:
    """The URL of a host that takes connections and says nothing, so that no TLS comes about."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def full() -> Iterator[str]:
    """The URL of a host that has no room for another connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, suppress(TimeoutError):
        waiting = []
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(server.getsockname())
            waiting.append(one)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for one in waiting:
            one.close()


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_connection_that_does_not_come_about(
    http: HttpPool, full: str, limit: LimitedBy
) -> None:
    """The reply's time ends while it waits for the host."""
    client = await ConnectorPool("", AUDIENCE, None, http).create(full)

    assert Outcome.NOT_SENT is await outcome_of(client, limit, within_s=0.1)


@pytest.mark.parametrize("limit", LIMITS)
async def test_tls_that_does_not_come_about(http: HttpPool, silence: str, limit: LimitedBy) -> None:
    """The reply's time ends in the handshake."""
    client = await ConnectorPool("", AUDIENCE, None, http).create(silence)

    assert Outcome.NOT_SENT is await outcome_of(client, limit, within_s=0.1)


async def test_the_pools_own_time_limit_says_so_too(silence: str) -> None:
    """The one for a request."""
    http = HttpPool(timeout_s=0.1)
    client = await ConnectorPool("", AUDIENCE, None, http).create(silence)
    with pytest.raises(TimeoutError) as caught:
        await say(client)
    await http.close()

    assert Outcome.NOT_SENT is failure_of(caught.value).outcome


async def test_a_certificate_that_nobody_vouches_for(http: HttpPool, raw: RawChannel) -> None:
    """Plain HTTP where TLS is expected is no better."""
    url = raw.url.replace("http:", "https:")
    client = await ConnectorPool("", AUDIENCE, None, http).create(url)

    assert Outcome.NOT_SENT is await outcome_of(client)


@pytest.mark.parametrize("host", ["nowhere.invalid", "127.0.0.1:9"])
async def test_a_host_that_is_not_there(http: HttpPool, host: str) -> None:
    """It has no address, or nobody listens."""
    client = await ConnectorPool("", AUDIENCE, None, http).create(f"http://{host}")

    assert Outcome.NOT_SENT is await outcome_of(client)


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_name_that_is_not_looked_up_in_time(
    http: HttpPool, limit: LimitedBy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that does not answer holds up a thread, and nothing has left."""
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(60))
    client = await ConnectorPool("", AUDIENCE, None, http).create("http://slow.example")
    outcome = await outcome_of(client, limit, within_s=0.1)
    done.set()

    assert Outcome.NOT_SENT is outcome


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_token_that_does_not_come(
    http: HttpPool, raw: RawChannel, limit: LimitedBy
) -> None:
    """The reply's time ends before it has its token."""
    done = threading.Event()

    def fetch(_: str) -> AccessToken:
        done.wait(60)
        return AccessToken("token", 2**40)

    client = await ConnectorPool("", AUDIENCE, TokenSource(fetch), http).create(raw.url)
    outcome = await outcome_of(client, limit, within_s=0.1)
    done.set()

    assert (Outcome.NOT_SENT, []) == (outcome, raw.bodies)


@pytest.mark.parametrize(
    "error",
    [TokenUnavailable("no identity"), OSError("reset"), KeyError("access_token"), RuntimeError()],
)
async def test_a_token_that_cannot_be_had(
    http: HttpPool, raw: RawChannel, error: Exception
) -> None:
    """However the fetch fails, and for however many replies that wait for it."""

    def fetch(_: str) -> AccessToken:
        raise error

    client = await ConnectorPool("", AUDIENCE, TokenSource(fetch), http).create(raw.url)
    outcomes = await asyncio.gather(*(outcome_of(client) for _ in range(3)))

    assert ([Outcome.NOT_SENT] * 3, []) == (outcomes, raw.bodies)


async def test_a_closed_pool(http: HttpPool, raw: RawChannel) -> None:
    """A worker that is going down sends nothing any more, or it does."""
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)
    await say(client)
    await http._sessions.get().close()

    assert Outcome.NOT_SENT is await outcome_of(client)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("connected", [False, True])
async def test_what_may_have_left_is_in_doubt(
    http: HttpPool, raw: RawChannel, limit: LimitedBy, connected: bool
) -> None:
    """On a new connection as on one that was used before."""
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)
    for _ in range(connected):
        await say(client)
    raw.may_answer.clear()

    assert Outcome.UNKNOWN is await outcome_of(client, limit)


async def test_a_reply_beside_another_that_waits_for_its_connection(
    http: HttpPool, raw: RawChannel, silence: str
) -> None:
    """What is known of the one is not taken for the other."""
    raw.may_answer.clear()
    pool = ConnectorPool("", AUDIENCE, None, http)
    clients = [await pool.create(url) for url in (raw.url, silence, raw.url, silence)]
    outcomes = await asyncio.gather(*(outcome_of(client) for client in clients))

    assert [Outcome.UNKNOWN, Outcome.NOT_SENT] * 2 == outcomes


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a:99999999"])
async def test_a_url_that_is_none_is_refused(http: HttpPool, url: str) -> None:
    """No attempt will ever send anything there."""
    client = await ConnectorPool("", AUDIENCE, None, http).create(url)

    assert Outcome.REFUSED is await outcome_of(client)
