"""The SDK's ConnectorClient over the worker's own connections."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from botbuilder.schema import Activity, ErrorResponseException
from botframework.connector.aio import ConnectorClient

from shared.channel.connectors import MAX_RESPONSE_BYTES, ConnectorPool
from shared.channel.http import HttpPool
from shared.channel.tokens import TokenSource
from tests.unit.raw_channel import RawChannel, serve_raw

AUDIENCE = "https://api.botframework.com"


class Connector:
    """A Bot Connector that remembers its requests and answers as it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.peers: set[object] = set()
        self.answer = web.json_response({"id": "sent"})
        self.delay_s = 0.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.raw_path, body))
        self.headers.append(dict(request.headers))
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        await asyncio.sleep(self.delay_s)
        answer = self.answer
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


@pytest.fixture
async def connector() -> AsyncIterator[Connector]:
    connector = Connector()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", connector.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connector.url = "http://{}:{}/base".format(*runner.addresses[0][:2])
    yield connector
    await runner.cleanup()


@pytest.fixture
def raw() -> Iterator[RawChannel]:
    with serve_raw() as channel:
        yield channel


@pytest.fixture
async def pool() -> AsyncIterator[ConnectorPool]:
    tokens = TokenSource(lambda audience: AccessToken(f"token-for-{audience}", 2**40))
    http = HttpPool()
    yield ConnectorPool("app", AUDIENCE, tokens, http)
    await http.close()


@pytest.fixture
async def client(pool: ConnectorPool, connector: Connector) -> ConnectorClient:
    return await pool.create(connector.url)


async def test_an_activity_is_sent(client: ConnectorClient, connector: Connector) -> None:
    """A send posts the activity's JSON with the bot's token and returns the channel's id."""
    response = await client.conversations.send_to_conversation("c", Activity(text="Hallo, Ä"))

    assert response.id == "sent"
    assert [("POST", "/base/v3/conversations/c/activities", {"text": "Hallo, Ä"})] == (
        connector.requests
    )
    assert f"Bearer token-for-{AUDIENCE}" == connector.headers[0]["Authorization"]
    assert connector.headers[0]["Content-Type"] == "application/json; charset=utf-8"


async def test_replies_updates_and_deletions_name_the_activity(
    client: ConnectorClient, connector: Connector
) -> None:
    """The other operations of a turn use the Bot Connector's paths and methods."""
    await client.conversations.reply_to_activity("c", "a", Activity(text="1"))
    await client.conversations.update_activity("c", "a", Activity(text="2"))
    await client.conversations.delete_activity("c", "a")

    path = "/base/v3/conversations/c/activities/a"
    assert [
        ("POST", path, {"text": "1"}),
        ("PUT", path, {"text": "2"}),
        ("DELETE", path, None),
    ] == connector.requests


async def test_ids_are_escaped(client: ConnectorClient, connector: Connector) -> None:
    """An id with a slash or a dot cannot reach another resource."""
    await client.conversations.reply_to_activity("19:a@b;c=1/../x", "../y?z#", Activity(text="1"))

    assert ["/base/v3/conversations/19%3Aa%40b%3Bc%3D1%2F..%2Fx/activities/..%2Fy%3Fz%23"] == [
        path for _, path, _ in connector.requests
    ]


async def test_one_client_for_a_service(pool: ConnectorPool) -> None:
    """The same service URL and audience get the same client, with or without a final slash."""
    first = await pool.create("https://a.example/x/", "audience")

    assert first is await pool.create("https://a.example/x", "audience")
    assert first is not await pool.create("https://a.example/x", "another")
    assert first is not await pool.create("https://b.example/x", "audience")


async def test_connections_are_kept(client: ConnectorClient, connector: Connector) -> None:
    """A hundred sends, one after the other, use one connection."""
    for _ in range(100):
        await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert len(connector.peers) == 1


async def test_a_refusal_is_the_sdks_error(client: ConnectorClient, connector: Connector) -> None:
    """Code that catches the SDK's exception finds status, headers and the channel's words in it."""
    connector.answer = web.json_response(
        {"error": {"code": "Throttled", "message": "slowly"}},
        status=429,
        headers={"Retry-After": "3"},
    )

    with pytest.raises(ErrorResponseException) as caught:
        await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "3"
    assert caught.value.error.error.code == "Throttled"
    assert str(caught.value) == "(Throttled) slowly"


@pytest.mark.parametrize("body", [b"", b"gateway", b"[]", b"\xff", b"{}"])
async def test_an_error_without_words_is_still_an_error(
    client: ConnectorClient, connector: Connector, body: bytes
) -> None:
    """A proxy's page, or nothing, in place of the Bot Connector's error is understood."""
    connector.answer = web.Response(status=502, body=body)

    with pytest.raises(ErrorResponseException) as caught:
        await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert caught.value.response.status_code == 502


async def test_a_redirect_is_not_followed(client: ConnectorClient, connector: Connector) -> None:
    """The token goes to the host that was checked and to no other."""
    connector.answer = web.Response(status=307, headers={"Location": f"{connector.url}/elsewhere"})

    with pytest.raises(ErrorResponseException):
        await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert len(connector.requests) == 1


async def test_a_slow_answer_is_a_timeout(connector: Connector) -> None:
    """A channel that does not answer cannot hold a worker."""
    connector.delay_s = 10
    http = HttpPool(timeout_s=0.05)
    client = await ConnectorPool("", AUDIENCE, None, http).create(connector.url)

    with pytest.raises(TimeoutError):
        await client.conversations.send_to_conversation("c", Activity(text="x"))
    await http.close()


async def test_a_huge_answer_is_not_read(client: ConnectorClient, connector: Connector) -> None:
    """An answer larger than any id counts as one without an id."""
    connector.answer = web.Response(body=b'{"id": "%s"}' % (b"x" * MAX_RESPONSE_BYTES))

    assert (await client.conversations.send_to_conversation("c", Activity(text="x"))).id is None


async def test_without_an_identity_no_token_is_sent(connector: Connector) -> None:
    """In development the local channel gets no Authorization header."""
    http = HttpPool()
    client = await ConnectorPool("", AUDIENCE, None, http).create(connector.url)
    await client.conversations.send_to_conversation("c", Activity(text="x"))
    await http.close()

    assert "Authorization" not in connector.headers[0]


async def test_the_clients_other_operations_work(
    client: ConnectorClient, connector: Connector
) -> None:
    """What a turn does not do by itself goes through the SDK's own code, with the same token."""
    connector.answer = web.json_response([{"id": "u", "name": "n"}])

    members = await client.conversations.get_conversation_members("c")

    assert ["u"] == [member.id for member in members]
    assert f"Bearer token-for-{AUDIENCE}" == connector.headers[0]["Authorization"]


async def test_a_channel_that_is_down_is_a_connection_error(pool: ConnectorPool) -> None:
    """Where nobody listens, nothing was sent, and the error says so."""
    client = await pool.create("http://127.0.0.1:9")

    with pytest.raises(aiohttp.ClientConnectorError):
        await client.conversations.send_to_conversation("c", Activity(text="x"))


async def test_sends_of_many_conversations_overlap(
    client: ConnectorClient, connector: Connector
) -> None:
    """Sends do not wait for each other."""
    await asyncio.gather(
        *(client.conversations.send_to_conversation(str(i), Activity(text="x")) for i in range(20))
    )

    assert len(connector.requests) == 20
    assert len(connector.peers) > 1


async def test_an_answer_that_arrived_while_a_bot_computed_is_in_time(raw: RawChannel) -> None:
    """A bot that blocks the event loop for longer than a request may take loses no answer by it."""
    raw.may_answer.clear()
    http = HttpPool(timeout_s=0.2)
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)
    sending = asyncio.create_task(
        client.conversations.send_to_conversation("c", Activity(text="x"))
    )
    await asyncio.to_thread(raw.asked.wait)
    raw.may_answer.set()
    time.sleep(0.5)  # noqa: ASYNC251  # as a bot would
    sent = await sending
    await http.close()

    assert sent.id == "sent"
