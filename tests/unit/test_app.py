"""The composition root builds what the settings describe."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage
from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import ConversationAccount, ConversationParameters, ConversationReference

from shared.app import App, create_app, get_app
from shared.bells.base import Bell
from shared.bells.event_loop import EventLoopBells
from shared.bells.storage_queue import StorageQueueBells
from shared.errors import MalformedActivity, MalformedBell, NotPermitted, WaitsForItself
from shared.settings import CosmosSettings, Settings
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.storage import CosmosStorage
from shared.storage.memory import MemoryStorage
from shared.turns import Accepted
from tests.bots import echo
from tests.end_to_end.channel import FakeChannel
from tests.identity_provider import IdentityProvider, channel_claims

ROOT = Path(__file__).parents[2]
DEVELOPMENT = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}


async def test_without_a_store_state_is_in_memory() -> None:
    """On a developer's machine nothing has to be set up."""
    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    await app.close()

    assert isinstance(app.storage, MemoryStorage)


async def test_with_an_endpoint_state_is_in_cosmos() -> None:
    """The settings name the store; nothing is sent to it before the first turn."""
    environ = {
        **DEVELOPMENT,
        "CosmosDbEndpoint": "https://localhost:9/",
        "CosmosDbKey": "YQ==",
        "CosmosDbVerifyTls": "false",
    }
    app = create_app(Settings.from_environ(environ), bot=echo)
    await app.close()

    assert isinstance(app.storage, CosmosStorage)


async def first_reply(app: App, text: str, activity_id: str) -> str:
    """Say something as a user, and return the first thing that the bot answers."""
    activity = {
        "type": "message",
        "id": activity_id,
        "channelId": "emulator",
        "serviceUrl": "http://localhost:9",
        "conversation": {"id": "c"},
        "from": {"id": "u"},
        "recipient": {"id": "b"},
        "deliveryMode": "expectReplies",
        "text": text,
    }
    request = func.HttpRequest(
        method="POST",
        url="http://localhost:7071/api/messages",
        headers={"Content-Type": "application/json"},
        body=json.dumps(activity).encode(),
    )
    response = await app.handle(request)
    return str(json.loads(response.get_body())["activities"][0]["text"])


async def test_two_apps_over_one_store_are_two_workers() -> None:
    """What one worker remembers, another finds in the store, and nowhere else."""
    first = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    second = create_app(Settings.from_environ(DEVELOPMENT), storage=first.storage, bot=echo)
    texts = [
        await first_reply(first, "hi", "1"),
        await first_reply(second, "I am Ada", "2"),
        await first_reply(first, "hello", "3"),
    ]
    await first.close()
    await second.close()

    assert [
        "Somebody said: hi",
        "Ada said: I am Ada",
        "Ada said: hello",
    ] == texts


class CountedMemory(MemoryStorage):
    """State in memory, as if behind a connection."""

    def __init__(self) -> None:
        super().__init__(DocumentCodec(echo.STATE_TYPES))
        self.connects = 0

    async def connect(self) -> None:
        self.connects += 1


async def test_a_stranger_makes_the_worker_connect_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fresh worker fetches its own token and opens its store for the first genuine request."""
    storage = CountedMemory()
    async with IdentityProvider().serve() as issuer:
        for name, value in issuer.identity_settings.items():
            monkeypatch.setenv(name, value)
        app = create_app(
            Settings.from_environ({**DEVELOPMENT, **issuer.bot_settings}), storage=storage, bot=echo
        )

        async def answer(token: str) -> int:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            request = func.HttpRequest("POST", "http://localhost/", headers=headers, body=b"{}")
            response = await app.handle(request)
            return int(response.status_code)

        strangers = [await answer("x"), await answer(issuer.sign(channel_claims(exp=1)))]
        before = (storage.connects, issuer.tokens_given)
        genuine = [await answer(issuer.sign(channel_claims())) for _ in range(2)]
        await app.close()

        assert [401, 401] == strangers
        assert (0, 0) == before
        assert [400, 400] == genuine
        assert (1, 1) == (storage.connects, issuer.tokens_given)


@pytest.mark.starts_programs
@pytest.mark.parametrize(
    ("key", "expected", "asked"),
    [
        ("emulator/users/u", "Sorry, what I remember about you could not be read.", True),
        ("emulator/conversations/c", "Somebody said: hi", False),
    ],
)
async def test_a_property_that_is_a_program_is_not_run(
    key: str,
    expected: str,
    asked: bool,
    cosmos_container: CosmosSettings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is left as it is; if the bot asks for it, the user is told, and the log says why."""
    trace = tmp_path / "trace"
    program = {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [f"touch {trace}"]}]}
    item_id = key.replace("/", "*47")
    item = {"id": item_id, "realId": key, "document": {"Person": program}}
    storage = CosmosStorage(cosmos_container, DocumentCodec(echo.STATE_TYPES))
    await storage.container.create_item(item)
    app = create_app(Settings.from_environ(DEVELOPMENT), storage=storage, bot=echo)
    reply = await first_reply(app, "hi", "1")
    stored = await storage.container.read_item(item_id, partition_key=item_id)
    await app.close()

    assert expected == reply
    assert program == stored["document"]["Person"]
    assert not trace.exists()
    fault = f"The property Person of the document '{key}' cannot be read"
    assert asked == (fault in caplog.text and "os.system" in caplog.text)


async def test_all_functions_of_a_worker_have_one_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever asks first, and from whichever thread: it is made once, of the environment."""
    monkeypatch.setattr("os.environ", DEVELOPMENT)
    together = threading.Barrier(4)

    def ask() -> App:
        together.wait()
        return get_app()

    apps = await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(4)))

    assert isinstance(apps[0].storage, MemoryStorage)
    assert {id(get_app())} == {id(app) for app in apps}


def a_reference(
    service_url: str = "http://localhost:9/", place: str = "c"
) -> ConversationReference:
    """To a conversation of the channel "test"."""
    return ConversationReference(
        channel_id="test", service_url=service_url, conversation=ConversationAccount(id=place)
    )


async def test_what_names_no_turn_is_refused() -> None:
    """Without an id a retry would say everything again."""
    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    reference = a_reference()
    with pytest.raises(ValueError, match="id must be a string"):
        await app.continue_conversation(reference, lambda _: asyncio.sleep(0), id="")
    await app.close()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"service_url": None}, MalformedActivity),
        ({"conversation": None}, MalformedActivity),
        ({"channel_id": None}, MalformedActivity),
        ({"service_url": "https://stranger.example/"}, NotPermitted),
        ({"service_url": "http://smba.trafficmanager.net/"}, NotPermitted),
        ({"service_url": "http://localhost:9/?"}, NotPermitted),
    ],
)
async def test_a_reference_that_leads_nowhere_is_refused(
    fields: dict[str, Any], error: type[Exception]
) -> None:
    """The logic does not run."""
    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    reference = a_reference()
    for name, value in fields.items():
        setattr(reference, name, value)
    ran = []

    async def note(context: TurnContext) -> None:
        ran.append(context.activity.id)

    with pytest.raises(error):
        await app.continue_conversation(reference, note, id="1")
    await app.close()

    assert [] == ran


async def test_a_bot_continues_conversations_only_where_it_may_reply() -> None:
    """A reference that somebody has slipped in does not get the bot's token."""
    refusals: list[type[Exception]] = []

    async def roam(context: TurnContext) -> None:
        async def nothing(_: TurnContext) -> None: ...

        place = TurnContext.get_conversation_reference(context.activity)
        place.service_url = "https://stranger.example/"
        parameters = ConversationParameters(bot=context.activity.recipient)
        for going in (
            context.adapter.continue_conversation(place, nothing, "bot"),
            context.adapter.create_conversation(
                "bot", nothing, parameters, "test", place.service_url
            ),
        ):
            try:
                await going
            except NotPermitted as refusal:
                refusals.append(type(refusal))

    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    reference = a_reference()
    await app.continue_conversation(reference, roam, id="1")
    await app.close()

    assert [NotPermitted, NotPermitted] == refusals


async def test_a_turn_that_tells_everybody_at_once_is_told_which_conversation_is_its_own() -> None:
    """It is refused by the call itself, whatever awaits what the call returns."""
    refusals: list[type[Exception]] = []

    async def nothing(_: TurnContext) -> None: ...

    async def tell_everybody(context: TurnContext) -> None:
        own = TurnContext.get_conversation_reference(context.activity)
        try:
            await asyncio.gather(app.continue_conversation(own, nothing, id="2"))
        except WaitsForItself as refusal:
            refusals.append(type(refusal))

    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    reference = a_reference()
    await app.continue_conversation(reference, tell_everybody, id="1")
    await app.close()

    assert [WaitsForItself] == refusals


async def test_the_bot_speaks_first_with_its_own_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request has brought an identity along: it is the app's own."""

    async def tell(context: TurnContext) -> None:
        await context.send_activity("news")

    async with IdentityProvider().serve() as issuer, FakeChannel() as channel:
        for name, value in issuer.identity_settings.items():
            monkeypatch.setenv(name, value)
        app = create_app(Settings.from_environ({**DEVELOPMENT, **issuer.bot_settings}), bot=echo)
        reference = a_reference(channel.service_url, "c1")
        for _ in range(2):
            await app.continue_conversation(reference, tell, id="1")
        await app.close()

    assert ["news"] == channel.replies()
    assert 1 == len(channel.bot_tokens)
    assert 1 == issuer.tokens_given


async def test_an_accepted_activity_gets_a_context_like_one_that_arrives() -> None:
    """It has the activity, whatever is in its text, and a client to answer with."""
    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)
    text = 'half of a pair: \ud800, and "quoted"'
    activity = {
        "type": "message",
        "id": "a",
        "channelId": "emulator",
        "serviceUrl": "http://localhost:1/",
        "conversation": {"id": "c"},
        "from": {"id": "ada"},
        "recipient": {"id": "bot"},
        "text": text,
    }
    seen = []

    async def look(context: TurnContext) -> None:
        seen.append(context.activity.text)
        assert BotAdapter.BOT_CONNECTOR_CLIENT_KEY in context.turn_state

    accepted = Accepted(json.dumps(activity), "http://localhost:1/", "")
    await app.contexts.run(accepted, look)
    await app.close()

    assert [text] == seen


def message(body: bytes) -> func.QueueMessage:
    """One as the worker gives it to a function."""
    return QueueMessage(body=body)  # type: ignore[no-untyped-call]  # the SDK's


async def test_a_message_that_is_no_bell_is_refused() -> None:
    """It fails its function, and ends in the poison queue, where somebody can look at it."""
    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)

    with pytest.raises(MalformedBell):
        await app.hear(message(b"hello"))
    await app.close()


async def test_a_bell_of_a_conversation_that_is_free_does_nothing() -> None:
    """Bells may come late, and twice."""
    app = create_app(Settings.from_environ(DEVELOPMENT), bot=echo)

    await app.hear(message(Bell("emulator/conversations/c", "t").to_text().encode()))
    await app.sweep()

    assert not app.is_busy
    await app.close()


def test_bells_are_in_the_queue_where_state_is_in_a_store() -> None:
    """State in memory ends with its process, and so do its bells, whatever storage there is."""
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    cosmos = {"CosmosDbEndpoint": "https://localhost:8081", "CosmosDbKey": "a2V5"}

    in_memory = create_app(Settings.from_environ({**DEVELOPMENT, **storage}), bot=echo)
    in_store = create_app(Settings.from_environ({**DEVELOPMENT, **storage, **cosmos}), bot=echo)
    without_queue = create_app(Settings.from_environ({**DEVELOPMENT, **cosmos}), bot=echo)

    assert [EventLoopBells, StorageQueueBells, EventLoopBells] == [
        type(app.bells) for app in (in_memory, in_store, without_queue)
    ]
