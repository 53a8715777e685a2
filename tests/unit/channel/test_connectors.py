"""The SDK's ConnectorClient over the worker's own connections."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web
from botbuilder.schema import Activity, ErrorResponseException
from botframework.connector.aio import ConnectorClient

from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from tests.unit.channel.conftest import AUDIENCE, Connector
from tests.unit.raw_channel import RawChannel


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


async def test_a_redirect_is_not_followed(client: ConnectorClient, connector: Connector) -> None:
    """The token goes to the host that was checked and to no other."""
    connector.answer = web.Response(status=307, headers={"Location": f"{connector.url}/elsewhere"})

    with pytest.raises(ErrorResponseException):
        await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert len(connector.requests) == 1


async def test_no_cookie_is_kept(pool: ConnectorPool, connector: Connector) -> None:
    """What a service asks the bot to remember in one conversation is not said in another."""
    connector.answer = web.json_response({"id": "sent"}, headers={"Set-Cookie": "to=one; Path=/"})
    # By name: aiohttp itself keeps no cookies for bare addresses.
    client = await pool.create(connector.url.replace("127.0.0.1", "localhost"), AUDIENCE)
    for conversation in ("one", "other"):
        await client.conversations.send_to_conversation(conversation, Activity(text="x"))

    assert ["Cookie" in headers for headers in connector.headers] == [False, False]


async def test_a_slow_answer_is_a_timeout(connector: Connector) -> None:
    """A channel that does not answer cannot hold a worker."""
    connector.may_answer.clear()
    http = HttpPool(timeout_s=0.05)
    client = await ConnectorPool("", AUDIENCE, None, http).create(connector.url)

    with pytest.raises(TimeoutError):
        await client.conversations.send_to_conversation("c", Activity(text="x"))
    connector.may_answer.set()
    await http.close()


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
