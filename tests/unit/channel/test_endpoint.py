"""What the messaging endpoint answers to which request, with a bot that says what it is told."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import azure.functions as func
import pytest
from botbuilder.core import Bot, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from shared.channel.activities import MAX_BODY_BYTES
from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.destinations import Destinations
from shared.channel.endpoint import MessagesEndpoint
from shared.channel.http import HttpPool
from shared.errors import (
    BotApplicationError,
    DeliveryUncertain,
    StateConflict,
    StateUnavailable,
    TokenUnavailable,
    TurnDeadlineExceeded,
)
from shared.settings import ChannelOverrides
from tests.unit.channel.test_activities import MESSAGE

LOCAL_MESSAGE = {**MESSAGE, "channelId": "emulator", "serviceUrl": "http://localhost:9/"}
EXPECTING_REPLIES = {**LOCAL_MESSAGE, "deliveryMode": "expectReplies"}


class Script(Bot):
    """A bot whose turn is a function."""

    def __init__(self) -> None:
        self.turns: list[Activity] = []
        self.turn: Callable[[TurnContext], Awaitable[Any]] = self._echo

    async def on_turn(self, context: TurnContext) -> None:
        self.turns.append(context.activity)
        await self.turn(context)

    async def _echo(self, context: TurnContext) -> None:
        await context.send_activity(f"echo: {context.activity.text}")

    def fails_with(self, error: Exception) -> None:
        async def turn(_: TurnContext) -> None:
            raise error

        self.turn = turn


async def silence(_: TurnContext) -> None:
    """A turn in which the bot says nothing."""


@pytest.fixture
def bot() -> Script:
    return Script()


@pytest.fixture
async def endpoint(bot: Script) -> AsyncIterator[MessagesEndpoint]:
    overrides = ChannelOverrides()
    http = HttpPool()
    connectors = ConnectorPool("", "audience", None, http)
    yield MessagesEndpoint(
        ChannelAuthentication("", cloud_of(overrides), overrides, connectors, http),
        Destinations(frozenset(), development=True),
        bot,
    )
    await http.close()


def request(body: object = LOCAL_MESSAGE, method: str = "POST", **headers: str) -> func.HttpRequest:
    return func.HttpRequest(
        method=method,
        url="http://localhost:7071/api/messages",
        headers={"Content-Type": "application/json; charset=utf-8", **headers},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


async def test_expected_replies_are_the_response(endpoint: MessagesEndpoint) -> None:
    """With deliveryMode expectReplies the HTTP response carries the bot's replies."""
    response = await endpoint.handle(request(EXPECTING_REPLIES))

    assert (200, "application/json") == (response.status_code, response.mimetype)
    replies = json.loads(response.get_body())["activities"]
    assert ["echo: hello"] == [reply["text"] for reply in replies]


async def test_a_turn_without_a_response_answers_200(
    endpoint: MessagesEndpoint, bot: Script
) -> None:
    """Replies went to the channel: the response has no body."""
    bot.turn = silence
    response = await endpoint.handle(request())

    assert (200, b"") == (response.status_code, response.get_body())


@pytest.mark.parametrize("as_model", [True, False])
async def test_an_invoke_is_answered_in_the_response(
    endpoint: MessagesEndpoint, bot: Script, as_model: bool
) -> None:
    """Status and body of an invoke are the bot's own, whether it answers with a dict or a model."""
    body = Activity(text="result") if as_model else {"text": "result"}

    async def answer(context: TurnContext) -> None:
        value = InvokeResponse(status=202, body=body)
        await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=value))

    bot.turn = answer
    response = await endpoint.handle(request({**LOCAL_MESSAGE, "type": "invoke", "name": "x"}))

    assert (202, {"text": "result"}) == (response.status_code, json.loads(response.get_body()))


async def test_an_invoke_that_nobody_answers_is_not_implemented(
    endpoint: MessagesEndpoint, bot: Script
) -> None:
    """A channel learns that the bot does not know an invoke: 501, as with the stock SDK."""
    bot.turn = silence
    response = await endpoint.handle(request({**LOCAL_MESSAGE, "type": "invoke", "name": "x"}))

    assert response.status_code == 501


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(b""), 400),
        (request(b"{"), 400),
        (request([]), 400),
        (request("x"), 400),
        (request({**LOCAL_MESSAGE, "conversation": None}), 400),
        (request({**LOCAL_MESSAGE, "timestamp": "yesterday"}), 400),
        (request(Authorization="Bearer x"), 401),
        (request(Authorization="Basic eDp4"), 401),
        (request(Authorization="Bearer"), 401),
        (request({**LOCAL_MESSAGE, "serviceUrl": "https://evil.example/"}), 403),
        (request(method="GET"), 405),
        (request(b" " * (MAX_BODY_BYTES + 1)), 413),
        (request(**{"Content-Type": "text/plain"}), 415),
        (request(**{"Content-Type": ""}), 415),
        (request(**{"Content-Encoding": "gzip"}), 415),
    ],
)
async def test_a_request_that_is_no_turn_is_refused_in_one_line(
    endpoint: MessagesEndpoint, bot: Script, sent: func.HttpRequest, status: int
) -> None:
    """Each refusal has its status and one line of plain text, and the bot never runs."""
    response = await endpoint.handle(sent)

    assert (status, "text/plain") == (response.status_code, response.mimetype)
    assert len(response.get_body().decode().splitlines()) == 1
    assert bot.turns == []


async def test_401_and_405_carry_what_http_asks_for(endpoint: MessagesEndpoint) -> None:
    """A client learns how to authenticate and which method to use."""
    unauthenticated = await endpoint.handle(request(Authorization="Bearer x"))
    wrong_method = await endpoint.handle(request(method="GET"))

    assert unauthenticated.headers["WWW-Authenticate"] == "Bearer"
    assert wrong_method.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StateUnavailable("marked"), 503),
        (StateConflict("marked"), 503),
        (TurnDeadlineExceeded("marked"), 503),
        (DeliveryUncertain("marked"), 502),
        (TokenUnavailable("marked"), 502),
        (BotApplicationError("marked"), 500),
        (RuntimeError("marked"), 500),
    ],
)
async def test_a_failed_turn_says_nothing_about_the_inside(
    endpoint: MessagesEndpoint, bot: Script, error: Exception, status: int
) -> None:
    """Whatever goes wrong inside, the sender learns the status and no more."""
    bot.fails_with(error)
    response = await endpoint.handle(request())

    assert response.status_code == status
    assert b"marked" not in response.get_body()
    assert b"Traceback" not in response.get_body()


async def test_a_failed_turn_is_logged(
    endpoint: MessagesEndpoint, bot: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator finds the error and its place in the log."""
    bot.fails_with(StateUnavailable("The store did not answer."))
    with caplog.at_level(logging.ERROR):
        await endpoint.handle(request())

    assert "StateUnavailable: The store did not answer." in caplog.text


async def test_a_bug_is_logged_without_what_it_says(
    endpoint: MessagesEndpoint, bot: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """The message of an error that nobody foresaw may quote the user."""
    bot.fails_with(RuntimeError("marked"))
    await endpoint.handle(request())

    assert "RuntimeError" in caplog.text
    assert "marked" not in caplog.text
