"""How a bot signs its users in: by the SDK's client of the Bot Framework's token service."""

from dataclasses import replace

from aiohttp import web
from botframework.connector.auth import ClaimsIdentity

from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.settings import ChannelOverrides
from tests.identity_provider import APP_ID
from tests.unit.channel.conftest import AUDIENCE, Connector

NOBODY = ClaimsIdentity({}, True)


async def test_the_token_service_is_asked_as_the_bot(
    pool: ConnectorPool, connector: Connector
) -> None:
    """At the cloud's address, with the bot's own token, and with the code that the user typed."""
    overrides = ChannelOverrides()
    cloud = replace(cloud_of(overrides), oauth_url=connector.url, oauth_scope=AUDIENCE)
    http = HttpPool()
    door = ChannelAuthentication(APP_ID, cloud, overrides, pool, http)
    connector.answer = web.json_response({"connectionName": "graph", "token": "the user's"})

    client = await door.create_user_token_client(NOBODY)
    token = await client.get_user_token("ada", "graph", "msteams", "123456")
    same = await door.create_user_token_client(NOBODY)
    await http.close()

    ((method, path, _),) = connector.requests
    (headers,) = connector.headers
    assert "the user's" == token.token
    assert ("GET", f"Bearer token-for-{AUDIENCE}") == (method, headers["Authorization"])
    assert "/api/usertoken/GetToken?userId=ada&connectionName=graph" in path
    assert "code=123456" in path
    assert client is same
