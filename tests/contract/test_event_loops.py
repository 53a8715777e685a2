"""The app works in whichever event loop it is used, with its state in Cosmos DB."""

import asyncio
import gc
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import azure.functions as func
import pytest

from shared.app import App, create_app
from shared.settings import CosmosSettings, Settings
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.storage import CosmosStorage
from tests.bots import echo
from tests.unit.raw_channel import RawChannel, serve_raw

_ids = count()


@pytest.fixture
def channel() -> Iterator[RawChannel]:
    with serve_raw() as channel:
        yield channel


@pytest.fixture
def app(cosmos_container: CosmosSettings) -> App:
    """The app of one worker, which no event loop has used yet."""
    storage = CosmosStorage(cosmos_container, DocumentCodec(echo.STATE_TYPES))
    settings = Settings.from_environ({"AZURE_FUNCTIONS_ENVIRONMENT": "Development"})
    return create_app(settings, storage=storage, bot=echo)


async def say(app: App, channel: RawChannel, who: str, text: str) -> int:
    """Let somebody say something, and return the status of the answer."""
    activity = {
        "type": "message",
        "id": str(next(_ids)),
        "channelId": "emulator",
        "serviceUrl": channel.url,
        "conversation": {"id": f"with {who}"},
        "from": {"id": who},
        "recipient": {"id": "bot"},
        "text": text,
    }
    request = func.HttpRequest(
        method="POST",
        url="http://localhost:7071/api/messages",
        headers={"Content-Type": "application/json"},
        body=json.dumps(activity).encode(),
    )
    return int((await app.handle(request)).status_code)


def heard(channel: RawChannel, who: str) -> list[str]:
    return [body["text"] for body in channel.bodies if body["recipient"]["id"] == who]


CONVERSATION = {
    "hi": "Somebody said: hi",
    "I am Ada": "Ada said: I am Ada",
    "hello": "Ada said: hello",
}


def test_one_loop_after_the_other(
    app: App, channel: RawChannel, caplog: pytest.LogCaptureFixture
) -> None:
    """As a synchronous function of the same app makes them, each with a turn and its end."""
    statuses = [asyncio.run(say(app, channel, "ada", text)) for text in CONVERSATION]
    gc.collect()
    assert [200, 200, 200] == statuses
    assert list(CONVERSATION.values()) == heard(channel, "ada")[::3]
    assert "nclosed" not in caplog.text


def test_two_loops_at_once(app: App, channel: RawChannel) -> None:
    """In two threads, each with the conversation of a user."""

    def converse(who: str) -> list[int]:
        return [asyncio.run(say(app, channel, who, text)) for text in CONVERSATION]

    users = [f"user-{n}" for n in range(4)]
    with ThreadPoolExecutor(2) as threads:
        statuses = list(threads.map(converse, users))
    assert [[200, 200, 200]] * 4 == statuses
    assert [list(CONVERSATION.values())] * 4 == [heard(channel, who)[::3] for who in users]


async def test_a_loop_that_goes_on_is_not_disturbed(app: App, channel: RawChannel) -> None:
    """The worker's own keeps its connections while others come and go beside it."""
    texts = list(CONVERSATION)
    statuses = [await say(app, channel, "ada", texts[0])]
    for text in texts[1:]:
        statuses.append(await asyncio.to_thread(asyncio.run, say(app, channel, "bob", text)))
        statuses.append(await say(app, channel, "ada", text))
    await app.close()
    assert [200] * 5 == statuses
    assert list(CONVERSATION.values()) == heard(channel, "ada")[::3]
