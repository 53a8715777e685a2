"""What becomes of the channel's answers, however odd."""

import aiohttp
import pytest
from aiohttp import web
from botbuilder.schema import Activity, ErrorResponseException
from botframework.connector.aio import ConnectorClient

from shared.channel.connectors import MAX_ID_CHARS, MAX_RESPONSE_BYTES, ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.turns.replies.failures import Failure, Outcome, failure_of
from tests.unit.channel.conftest import AUDIENCE, Connector
from tests.unit.raw_channel import RawChannel


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


async def test_a_huge_answer_is_not_read(client: ConnectorClient, connector: Connector) -> None:
    """An answer larger than any id counts as one without an id."""
    connector.answer = web.Response(body=b'{"id": "%s"}' % (b"x" * MAX_RESPONSE_BYTES))

    assert (await client.conversations.send_to_conversation("c", Activity(text="x"))).id == ""


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 205, 206, 226, 299])
async def test_every_kind_of_success_is_one(
    client: ConnectorClient, connector: Connector, status: int
) -> None:
    """The Bot Connector documents 204, which the stock SDK takes for an error of a deletion."""
    connector.answer = web.Response(status=status)
    conversations = client.conversations

    await conversations.delete_activity("c", "a")
    sent = [
        await conversations.send_to_conversation("c", Activity(text="x")),
        await conversations.reply_to_activity("c", "a", Activity(text="x")),
        await conversations.update_activity("c", "a", Activity(text="x")),
    ]

    assert ["", "", ""] == [response.id for response in sent]


@pytest.mark.parametrize(
    ("body", "activity_id"),
    [
        (b'{"id": "sent"}', "sent"),
        (b'{"id": "\\ud83d\\ude00"}', "\U0001f600"),
        (b'{"id": 5}', "5"),
        (b'{"id": -5}', "-5"),
        (b'{"id": 5.5}', ""),
        (b'{"id": true}', ""),
        (b'{"id": null}', ""),
        (b'{"id": ["sent"]}', ""),
        (b'{"id": {"id": "sent"}}', ""),
        (b'{"id": ""}', ""),
        (b'{"id": "%s"}' % (b"x" * MAX_ID_CHARS), "x" * MAX_ID_CHARS),
        (b'{"id": "%s"}' % (b"x" * 10_000), ""),
        (b'{"id": %s}' % (b"9" * 30), "9" * 30),
        (b'{"id": %s}' % (b"9" * 5000), ""),
        (b'{"id": 1e999}', ""),
        (b'{"id": "\\ud83d"}', ""),
        (b'{"id": "\\ude00x"}', ""),
        (b'{"id": "\xed\xa0\x80"}', ""),
        (b'{"ID": "sent"}', ""),
        (b"{}", ""),
        (b"null", ""),
        (b"5", ""),
        (b'"sent"', ""),
        (b'["sent"]', ""),
        (b"[" * 60_000, ""),
        (b'{"a":' * 10_000, ""),
        (b"<html>", ""),
        (b"\x00\xff", ""),
        (b"", ""),
        (b"x" * 200_000, ""),
    ],
    ids=range(30),
)
async def test_whatever_the_channel_says_to_a_reply_it_took_is_no_error(
    client: ConnectorClient, connector: Connector, body: bytes, activity_id: str
) -> None:
    """What comes back is an id that a document can hold, or none."""
    connector.answer = web.Response(status=201, body=body)

    sent = await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert activity_id == sent.id


async def test_the_rest_of_an_answer_may_get_lost(raw: RawChannel) -> None:
    """The status says what became of the reply: what broke off was its id."""
    raw.answer = b'HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{"id": '
    raw.hang_up = True
    http = HttpPool()
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)

    sent = await client.conversations.send_to_conversation("c", Activity(text="x"))
    await http.close()

    assert sent.id == ""


async def test_the_rest_of_an_answer_may_never_come(raw: RawChannel) -> None:
    """Then the reply has its status when the time is up."""
    raw.answer = b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n"
    http = HttpPool(timeout_s=0.3)
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)

    sent = await client.conversations.send_to_conversation("c", Activity(text="x"))
    await http.close()

    assert sent.id == ""


async def test_an_error_may_break_off(raw: RawChannel) -> None:
    """Its status is an answer, even without its words."""
    raw.answer = b'HTTP/1.1 429 Slowly\r\nRetry-After: 3\r\nContent-Length: 1000\r\n\r\n{"error": '
    raw.hang_up = True
    http = HttpPool()
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)

    with pytest.raises(ErrorResponseException) as caught:
        await client.conversations.send_to_conversation("c", Activity(text="x"))
    await http.close()

    assert Failure(Outcome.NOT_SENT, 3) == failure_of(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        b"Hello, this is no web server.\r\n\r\n",
        b"HTTP/1.1 2x1 Created\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"",
    ],
    ids=range(6),
)
async def test_what_is_not_http_is_no_refusal(raw: RawChannel, answer: bytes) -> None:
    """aiohttp calls it a 400, which nobody has said: the reply may have been taken."""
    raw.answer, raw.hang_up = answer, True
    http = HttpPool()
    client = await ConnectorPool("", AUDIENCE, None, http).create(raw.url)

    with pytest.raises(aiohttp.ClientError) as caught:
        await client.conversations.send_to_conversation("c", Activity(text="x"))
    await http.close()

    assert Failure(Outcome.UNKNOWN) == failure_of(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        {},
        {"error": None},
        {"error": "text"},
        {"error": []},
        {"error": {"code": 5}},
        {"error": {"code": [1], "message": {}}},
        {"error": {"code": None}},
        {"error": {"code": "X", "innerHttpError": 5}},
        {"error": {"code": "X", "innerHttpError": {"statusCode": "y"}}},
        {"errorCode": 209, "message": '{"subCode": "MessageWritesBlocked"}'},
    ],
)
async def test_a_refusal_in_odd_words_is_a_refusal(
    client: ConnectorClient, connector: Connector, error: object
) -> None:
    """No form of the body makes another error of it."""
    connector.answer = web.json_response(error, status=403)

    with pytest.raises(ErrorResponseException) as caught:
        await client.conversations.send_to_conversation("c", Activity(text="x"))

    assert Failure(Outcome.REFUSED) == failure_of(caught.value)
