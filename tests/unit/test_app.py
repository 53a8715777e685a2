"""The composition root builds what the settings describe."""

import json
from pathlib import Path

import azure.functions as func
import pytest

from shared.app import App, create_app
from shared.settings import CosmosSettings, Settings
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.storage import CosmosStorage
from shared.storage.memory import MemoryStorage
from tests.bots import echo
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
