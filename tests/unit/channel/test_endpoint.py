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
from shared.channel.http_pool import HttpPool
from shared.errors import (
    BotApplicationError,
    InboxFull,
    StateConflict,
    StateForbidden,
    StateNotStorable,
    StateTooLarge,
    StateUnavailable,
    TokenUnavailable,
    TurnDeadlineExceeded,
)
from shared.settings import ChannelOverrides
from tests.identity_provider import APP_ID, SERVICE_URL, IdentityProvider, channel_claims
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


def chunked(body: bytes = b"") -> func.HttpRequest:
    return request(body, **{"Transfer-Encoding": "chunked"})


async def test_a_body_that_the_host_has_lost_is_asked_for_with_its_length(
    endpoint: MessagesEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer says how to send it; the log says it to the operator, once per worker."""
    answers = [await endpoint.handle(chunked()) for _ in range(2)]

    assert [411, 411] == [answer.status_code for answer in answers]
    assert "Content-Length" in answers[0].get_body().decode()
    assert 1 == len([record for record in caplog.records if "chunked" in record.getMessage()])


async def test_a_body_in_chunks_that_has_arrived_is_read(endpoint: MessagesEndpoint) -> None:
    """A host that passes chunks on is no reason to refuse them."""
    response = await endpoint.handle(chunked(json.dumps(EXPECTING_REPLIES).encode()))

    assert 200 == response.status_code


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


class UnreadRequest(func.HttpRequest):
    """A request that notes whether somebody read its body."""

    was_read = False

    def get_body(self) -> bytes:
        self.was_read = True
        return super().get_body()


class GuardedEndpoint:
    """The endpoint of a bot that has an identity, and the issuer of the tokens that it takes."""

    def __init__(self, issuer: IdentityProvider, http: HttpPool, bot: Script) -> None:
        overrides = ChannelOverrides(
            channel_open_id_metadata_url=issuer.metadata_url,
            emulator_open_id_metadata_url=issuer.metadata_url,
        )
        cloud = cloud_of(overrides)
        connectors = ConnectorPool(APP_ID, cloud.oauth_scope, None, http)
        self.issuer = issuer
        self.preparations = 0
        self._endpoint = MessagesEndpoint(
            ChannelAuthentication(APP_ID, cloud, overrides, connectors, http),
            Destinations(frozenset(), development=False),
            bot,
            self._prepare,
        )

    def _prepare(self) -> None:
        self.preparations += 1

    async def answer(self, body: bytes, authorization: str | None) -> tuple[int, bool]:
        """Return the status, and whether the body was read for it."""
        headers = {"Content-Type": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        sent = UnreadRequest("POST", "http://localhost/api/messages", headers=headers, body=body)
        response = await self._endpoint.handle(sent)
        return response.status_code, sent.was_read


@pytest.fixture
async def guarded(bot: Script) -> AsyncIterator[GuardedEndpoint]:
    http = HttpPool()
    async with IdentityProvider().serve() as issuer:
        yield GuardedEndpoint(issuer, http, bot)
    await http.close()


GENUINE = {
    **MESSAGE,
    "serviceUrl": SERVICE_URL,
    "deliveryMode": "expectReplies",
    "membersRemoved": [],
}
BODIES = (
    b"",
    b"{",
    b"[" * 100_000,
    b" " * (MAX_BODY_BYTES + 1),
    b'{"membersRemoved": [' + b"{}," * 87_000,
    json.dumps(GENUINE).encode(),
)
FALSE_CLAIMS: tuple[dict[str, Any], ...] = (
    channel_claims(exp=1),
    channel_claims(exp=None),
    channel_claims(nbf=2**40),
    channel_claims(aud="99999999-9999-9999-9999-999999999999"),
    channel_claims(iss="https://evil.example"),
    channel_claims(serviceurl=None),
)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Basic eDp4",
        f"Bearer {'x' * 10**6}",
    ],
    ids=lambda header: repr(header)[:20],
)
async def test_without_a_token_no_body_is_read(
    guarded: GuardedEndpoint, body: bytes, authorization: str | None
) -> None:
    """Where a token is needed, whoever brings none gets 401 for any body, unread."""
    assert (401, False) == await guarded.answer(body, authorization)
    assert (0, 0) == (guarded.issuer.fetches, guarded.preparations)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("claims", FALSE_CLAIMS, ids=lambda claims: ",".join(claims))
async def test_with_a_false_token_no_body_is_read(
    guarded: GuardedEndpoint, body: bytes, claims: dict[str, Any]
) -> None:
    """Form, signature, issuer, audience and time of the token come before all of the body."""
    assert (401, False) == await guarded.answer(body, f"Bearer {guarded.issuer.sign(claims)}")
    assert guarded.preparations == 0


async def test_with_a_forged_token_no_body_is_read(guarded: GuardedEndpoint) -> None:
    """So do the signature and the question whether anybody has such a key."""
    genuine = guarded.issuer.sign(channel_claims())
    forged = f"{genuine[:-8]}AAAAAAAA"
    unknown = guarded.issuer.sign(channel_claims(), kid="made-up")

    for token in (forged, unknown):
        assert (401, False) == await guarded.answer(b"{", f"Bearer {token}")
    assert guarded.preparations == 0


async def test_another_bots_token_has_no_body_read(guarded: GuardedEndpoint) -> None:
    """A genuine token that may do nothing here is refused as early."""
    issuer = "https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/"
    claims = channel_claims(iss=issuer, ver="1.0", appid="99999999-9999-9999-9999-999999999999")

    assert (403, False) == await guarded.answer(b"{", f"Bearer {guarded.issuer.sign(claims)}")


async def test_without_keys_no_body_is_read(guarded: GuardedEndpoint) -> None:
    """While no token can be checked, nothing else is."""
    guarded.issuer.down = True

    assert (503, False) == await guarded.answer(
        b"{", f"Bearer {guarded.issuer.sign(channel_claims())}"
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
        (b'{"membersRemoved": [' + b"{}," * 87_000, 400),
        (json.dumps({**GENUINE, "membersRemoved": [{}] * 3_000}).encode(), 400),
        (json.dumps({**GENUINE, "value": [[]] * 30_000}).encode(), 400),
        (json.dumps({**GENUINE, "channelData": {str(n): n for n in range(30_000)}}).encode(), 400),
        (json.dumps({**GENUINE, "serviceUrl": "https://other.example/"}).encode(), 403),
        (json.dumps({**GENUINE, "channelId": "facebook"}).encode(), 403),
        (json.dumps(GENUINE).encode(), 200),
        (json.dumps({**GENUINE, "text": "\u4f60" * 95_000}, ensure_ascii=False).encode(), 200),
        (json.dumps({**GENUINE, "text": "x" * 130_000}).encode(), 200),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_with_a_genuine_token_the_body_decides(
    guarded: GuardedEndpoint, body: bytes, status: int
) -> None:
    """Only then do the shape, the service URL and the channel of the activity count."""
    token = guarded.issuer.sign(channel_claims())

    assert (status, True) == await guarded.answer(body, f"Bearer {token}")
    assert guarded.preparations == 1


async def test_without_authentication_bodies_are_bounded(endpoint: MessagesEndpoint) -> None:
    """A developer's machine takes no larger bodies than Azure."""
    for body, status in (
        (b'{"membersRemoved": [' + b"{}," * 87_000, 400),
        (json.dumps({**LOCAL_MESSAGE, "membersRemoved": [{}] * 3_000}).encode(), 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
    ):
        assert status == (await endpoint.handle(request(body))).status_code


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
        (StateForbidden("marked"), 503),
        (StateTooLarge("marked"), 500),
        (StateNotStorable("marked"), 500),
        (TurnDeadlineExceeded("marked"), 503),
        (InboxFull("marked"), 503),
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
