"""A second function of the app, as docs/recipes.md shows it, speaks in the bot's conversations."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.bots import echo
from tests.end_to_end.channel import BOT, FakeChannel
from tests.end_to_end.deployment import ROOT, deploy
from tests.end_to_end.instances import Host, Instance, Instances
from tests.end_to_end.treatment import refused

RECIPE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").split("\n## Speak first\n")[1]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bot that echoes, and beside it the recipe's function."""
    app = deploy(tmp_path_factory.mktemp("news"), bot=Path(echo.__file__))
    (app / "NewsFunction").mkdir()
    for language, file in (("json", "function.json"), ("python", "__init__.py")):
        found = re.search(rf"```{language}\n(.*?)```", RECIPE, re.DOTALL)
        assert found
        (app / "NewsFunction" / file).write_text(found[1], encoding="utf-8")
    return app


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """An HTTP client of the second function."""
    async with ClientSession() as http:
        yield http


@pytest.fixture(scope="module")
def shared_bot(
    host: Host, app: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One instance of it; its state is in memory."""
    with Instances(host, app, tmp_path_factory.mktemp("bot")) as instances:
        yield instances.start()


def reference(channel: FakeChannel, **fields: Any) -> dict[str, Any]:
    """What a turn of the bot would keep of a conversation."""
    return {
        "channelId": channel.channel_id,
        "serviceUrl": channel.service_url,
        "conversation": {"id": "c1"},
        "user": {"id": "ada", "name": "Ada"},
        "bot": BOT,
        **fields,
    }


async def tells(
    http: ClientSession, instance: Instance, to: dict[str, Any], text: str, news_id: str
) -> int:
    """Call the function, and return its HTTP status."""
    news = {"reference": to, "text": text, "id": news_id}
    async with http.post(f"{instance.origin}/api/news", json=news) as response:
        return response.status


async def test_news_are_told_once_in_the_bots_own_conversation(
    channel: FakeChannel, bot: Instance, http: ClientSession
) -> None:
    """Both functions of a worker have one app: they share its state and its connections."""
    await channel.says("hello")
    statuses = [
        await tells(http, bot, reference(channel), text, news_id)
        for text, news_id in (("rain", "1"), ("rain", "1"), ("sun", "2"))
    ]
    await channel.says("thanks")

    assert [204, 204, 204] == statuses
    assert [
        "Somebody said: hello",
        "News 1: rain",
        "News 2: sun",
        "Somebody said: thanks",
        "That was message 2 here.",
    ] == [text for text in channel.replies() if "message 1" not in text and "came" not in text]
    assert 1 == bot.printed().count("MicrosoftAppId is not set")


async def test_news_do_not_leave_for_a_strange_service(
    channel: FakeChannel, bot: Instance, http: ClientSession
) -> None:
    """The bot's token goes only where its replies may go, whoever kept the reference."""
    stranger = reference(channel, serviceUrl="https://stranger.example/")

    assert 500 == await tells(http, bot, stranger, "rain", "1")
    assert [] == channel.replies()


async def test_news_are_finished_by_another_instance(
    host: Host,
    app: Path,
    channel: FakeChannel,
    http: ClientSession,
    cosmos_settings: dict[str, str],
    bell_settings: dict[str, str],
    tmp_path: Path,
) -> None:
    """What was stored and not sent when an instance died comes before what is told next."""
    with Instances(host, app, tmp_path) as instances:
        settings = {**cosmos_settings, **bell_settings}
        first, second = instances.start(settings), instances.start(settings)
        channel.treats_next(refused(502))
        before = await tells(http, first, reference(channel), "rain", "1")
        first.kill()
        statuses = [
            await tells(http, second, reference(channel), "rain", news_id) for news_id in "112"
        ]

    assert 204 == before
    assert [204, 204, 204] == statuses
    assert ["News 1: rain", "News 2: rain"] == await channel.hears("News 2")
