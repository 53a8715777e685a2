"""The SDK's own clients, where a bot asks for more than a turn does."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.core.teams import TeamsInfo
from botbuilder.schema import Activity, AttachmentData
from botframework.connector.auth import (
    AuthenticateRequestResult,
    ClaimsIdentity,
    UserTokenClient,
)
from msrest.exceptions import HttpOperationError

from shared.channel.adapter import ChannelAdapter
from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.destinations import Destinations
from shared.channel.http_pool import REQUEST_TIMEOUT_S, HttpPool
from shared.channel.sdk_clients import UserTokens
from shared.channel.tokens import TokenSource
from shared.settings import ChannelOverrides
from tests.identity_provider import APP_ID
from tests.unit.channel.conftest import AUDIENCE, Connector

ANYWHERE = Destinations(frozenset(), development=True)


def door_to(oauth_url: str, pool: ConnectorPool) -> ChannelAuthentication:
    """Make the door of a bot whose users' tokens are kept there."""
    overrides = ChannelOverrides(oauth_url=oauth_url)
    return ChannelAuthentication(APP_ID, cloud_of(overrides), overrides, pool, HttpPool())


async def user_tokens(oauth_url: str, pool: ConnectorPool) -> UserTokens:
    """Make the client of that service."""
    return await door_to(oauth_url, pool).create_user_token_client(ClaimsIdentity({}, True))


async def caller(pool: ConnectorPool) -> AuthenticateRequestResult:
    """Make what is known of a channel that was let in."""
    result = AuthenticateRequestResult()
    result.claims_identity = ClaimsIdentity({}, True)
    result.connector_factory = pool
    return result


async def test_users_tokens_come_from_where_the_setting_says(
    pool: ConnectorPool, connector: Connector
) -> None:
    """OAUTH_URL names the service; it is asked with the bot's own token."""
    client = await user_tokens(connector.url, pool)
    connector.answer = web.json_response({"connectionName": "graph", "token": "the user's"})

    response = await client.get_user_token("ada", "graph", "msteams", "123456")

    assert "the user's" == response.token
    [(method, path, _)] = connector.requests
    assert "GET" == method
    assert path.startswith("/base/api/usertoken/GetToken?userId=ada&connectionName=graph")
    assert f"Bearer token-for-{AUDIENCE}" == connector.headers[0]["Authorization"]


async def test_the_client_is_one_of_the_sdks(pool: ConnectorPool) -> None:
    """A bot may ask what it has found in its turn state, under the name that the SDK gives it."""
    client = await user_tokens("https://token.example", pool)

    assert isinstance(client, UserTokenClient)
    assert UserTokenClient.__name__ == CloudAdapterBase.USER_TOKEN_CLIENT_KEY


async def test_the_client_costs_nothing_until_it_is_used(pool: ConnectorPool) -> None:
    """Most bots sign nobody in, and each turn has one."""
    client = await user_tokens("https://token.example", pool)

    assert "_client" not in vars(client)


def fails_on_an_event_loop(audience: str) -> AccessToken:
    """Fetch a token, as azure-identity does: by blocking its thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return AccessToken(f"token-for-{audience}", 2**40)
    raise AssertionError("The event loop is blocked.")


@pytest.fixture
def fresh_pool() -> ConnectorPool:
    """The connectors of a worker that has no token yet."""
    return ConnectorPool("app", AUDIENCE, TokenSource(fails_on_an_event_loop), HttpPool())


async def test_a_token_is_fetched_beside_the_event_loop(
    fresh_pool: ConnectorPool, connector: Connector
) -> None:
    """The SDK's clients would stop all turns of the worker while they fetch it."""
    connector.answer = web.json_response([{"id": "ada"}])
    client = await fresh_pool.create(connector.url)

    members = await client.conversations.get_conversation_members("c")

    assert ["ada"] == [member.id for member in members]


async def test_so_is_the_token_for_users_tokens(
    fresh_pool: ConnectorPool, connector: Connector
) -> None:
    """The first that a worker does may be to sign somebody in."""
    client = await user_tokens(connector.url, fresh_pool)
    connector.answer = web.json_response({})

    await client.sign_out_user("ada", "graph", "msteams")

    assert f"Bearer token-for-{AUDIENCE}" == connector.headers[0]["Authorization"]


async def test_a_request_has_the_usual_time(pool: ConnectorPool) -> None:
    """The SDK's clients would wait for 100 s, which is all that a turn has."""
    connectors = await pool.create("https://connector.example")
    tokens = await user_tokens("https://token.example", pool)

    assert REQUEST_TIMEOUT_S == connectors.config.connection.timeout
    assert REQUEST_TIMEOUT_S == tokens._client.config.connection.timeout


@pytest.mark.parametrize(
    ("name", "answer", "arguments"),
    [
        ("get_team_details", {"id": "19:team", "name": "Engineers"}, ("19:team",)),
        ("get_team_channels", {"conversations": [{"id": "19:news"}]}, ("19:team",)),
        ("get_meeting_info", {"details": {"id": "meeting"}}, ("meeting",)),
        ("get_meeting_participant", {"user": {"id": "ada"}}, ("meeting", "ada", "tenant")),
    ],
)
async def test_teams_is_asked_beside_the_event_loop(
    pool: ConnectorPool, connector: Connector, name: str, answer: object, arguments: tuple[str]
) -> None:
    """The SDK's own would block it, and this channel, which needs it to answer, with it."""
    adapter = ChannelAdapter(door_to("https://token.example", pool), ANYWHERE)
    connector.answer = web.json_response(answer)
    trigger = Activity(type="message", channel_id="msteams", service_url=connector.url)

    async def ask(context: TurnContext) -> None:
        given.append(await getattr(TeamsInfo, name)(context, *arguments))

    given: list[Any] = []
    await adapter.process_activity(await caller(pool), trigger, ask)

    assert given[0] is not None
    assert 1 == len(connector.requests)
    assert f"Bearer token-for-{AUDIENCE}" == connector.headers[0]["Authorization"]


async def test_an_error_of_teams_reaches_the_bot(pool: ConnectorPool, connector: Connector) -> None:
    """Whichever thread it came up in."""
    adapter = ChannelAdapter(door_to("https://token.example", pool), ANYWHERE)
    connector.answer = web.json_response({"error": {"message": "No such team."}}, status=404)
    trigger = Activity(type="message", channel_id="msteams", service_url=connector.url)

    async def ask(context: TurnContext) -> None:
        await TeamsInfo.get_team_details(context, "19:team")

    with pytest.raises(HttpOperationError):
        await adapter.process_activity(await caller(pool), trigger, ask)


async def test_an_attachment_is_uploaded(pool: ConnectorPool, connector: Connector) -> None:
    """A bot gets the client for it from its adapter, as it did from BotFrameworkAdapter."""
    adapter = ChannelAdapter(door_to("https://token.example", pool), ANYWHERE)
    connector.answer = web.json_response({"id": "upload-1"}, status=201)

    client = await adapter.create_connector_client(connector.url)
    picture = AttachmentData(name="picture.png", type="image/png", original_base64=b"bytes")
    response = await client.conversations.upload_attachment("c", picture)

    assert "upload-1" == response.id
    assert [("POST", "/base/v3/conversations/c/attachments")] == [
        request[:2] for request in connector.requests
    ]
    assert f"Bearer token-for-{AUDIENCE}" == connector.headers[0]["Authorization"]
