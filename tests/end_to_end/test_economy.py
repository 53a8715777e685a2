"""What turns cost: requests, connections, tokens and clients, counted where they arrive."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import azure.functions as func
import pytest
from azure.cosmos.aio import CosmosClient
from botframework.connector.aio import ConnectorClient

from shared.app import create_app
from shared.settings import Settings
from tests.bots import echo
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.faulty_store import FaultyStore
from tests.end_to_end.instances import Instances, settings_for
from tests.identity_provider import IdentityProvider, channel_claims

TURNS = 100


@pytest.fixture
async def issuer() -> AsyncIterator[IdentityProvider]:
    """Issues the tokens of the channel, and those of the bot."""
    async with IdentityProvider().serve() as issuer:
        yield issuer


@pytest.fixture
def settings(issuer: IdentityProvider, faulty_store: FaultyStore) -> dict[str, str]:
    """Settings as in Azure: the bot has an identity, and its state is in Cosmos DB."""
    return {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        **issuer.bot_settings,
        **issuer.identity_settings,
        **settings_for(faulty_store.settings),
    }


@pytest.fixture
def genuine_channel(channel: FakeChannel, issuer: IdentityProvider) -> FakeChannel:
    """A channel that the bot believes."""
    channel.channel_id = "msteams"
    channel.token = issuer.sign(channel_claims(serviceurl=channel.service_url))
    return channel


async def test_a_hundred_turns_share_connections_and_tokens(
    instances: Instances,
    settings: dict[str, str],
    genuine_channel: FakeChannel,
    faulty_store: FaultyStore,
    issuer: IdentityProvider,
) -> None:
    """A turn reads two documents and writes one twice; all turns share what they do it with."""
    channel = genuine_channel
    channel.bot_url = instances.start(settings).url
    for text in ("hello", "I am Ada"):
        await channel.says(text)
    before, replies_before = Counter(faulty_store.requests), len(channel.requests)

    statuses = [await channel.says("hello again") for _ in range(TURNS)]

    assert [200] * TURNS == statuses
    assert {"GET": 2 * TURNS, "PUT": 2 * TURNS} == faulty_store.requests - before
    assert 3 * TURNS == len(channel.requests) - replies_before
    assert 1 == len(channel.connections)
    # The two reads of a turn go out at once; so do two before the first.
    assert len(faulty_store.connections) <= 4
    assert (1, {"Bearer token-1"}) == (issuer.tokens_given, channel.bot_tokens)
    assert 1 == issuer.fetches


async def test_a_hundred_turns_share_clients(
    settings: dict[str, str],
    genuine_channel: FakeChannel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One client for the store and one for the channel are made, however many turns there are."""
    channel = genuine_channel
    made: Counter[type] = Counter()

    def count(client: type[Any]) -> None:
        make = client.__init__

        def counted(self: Any, *arguments: Any, **options: Any) -> None:
            made[client] += 1
            make(self, *arguments, **options)

        monkeypatch.setattr(client, "__init__", counted)

    for client in (ConnectorClient, CosmosClient):
        count(client)
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, settings[name])
    app = create_app(Settings.from_environ(settings), bot=echo)

    for _ in range(TURNS):
        activity = channel.activity("message", "ada", "c1", text="hello")
        request = func.HttpRequest(
            method="POST",
            url="http://localhost:7071/api/messages",
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {channel.token}",
            },
            body=json.dumps(activity).encode(),
        )
        assert 200 == (await app.handle(request)).status_code
    await app.close()

    assert {ConnectorClient: 1, CosmosClient: 1} == made


async def test_first_request_connects_once_it_is_authenticated(
    instances: Instances,
    settings: dict[str, str],
    genuine_channel: FakeChannel,
    faulty_store: FaultyStore,
    issuer: IdentityProvider,
) -> None:
    """Until the token has proven genuine, a fresh worker asks for the channel's keys alone."""
    channel = genuine_channel
    channel.bot_url = instances.start(settings).url

    def asked() -> tuple[int, int, int]:
        return issuer.fetches, issuer.tokens_given, len(faulty_store.connections)

    genuine, channel.token = channel.token, issuer.sign(channel_claims(aud="another"))
    assert 401 == await channel.says("hello")
    strangers = asked()
    channel.token = genuine
    issuer.open.clear()
    turn = asyncio.create_task(channel.says("hello"))
    for _ in range(3000):
        if issuer.fetches:
            break
        await asyncio.sleep(0.01)
    checking = asked()
    issuer.open.set()

    assert 200 == await turn
    assert ((0, 0, 0), (1, 0, 0)) == (strangers, checking)
    assert "Somebody said: hello" == channel.replies()[0]
    assert (1, 1) == asked()[:2]
    # The turn reads its two documents while the way to them is being opened.
    assert len(faulty_store.connections) <= 4


async def test_first_request_that_cannot_connect_is_answered_as_ever(
    instances: Instances, settings: dict[str, str], genuine_channel: FakeChannel
) -> None:
    """With neither container nor token it is refused for what it needs and does not get."""
    nothing = {"CosmosDbContainerId": "nowhere", "IDENTITY_ENDPOINT": "http://127.0.0.1:9/"}
    instance = instances.start({**settings, **nothing})
    genuine_channel.bot_url = instance.url

    assert 503 == await genuine_channel.says("hello")
    assert 1 == instance.printed().count("StateContainerMissing")
    assert "Traceback" not in instance.printed()
