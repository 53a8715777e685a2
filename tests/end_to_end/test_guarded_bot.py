"""Middleware, on_error, apologies and answers to invokes, over HTTP and on every host."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import CosmosSettings
from tests.bots import guarded
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import deploy
from tests.end_to_end.instances import Host, Instance, Instances, settings_for
from tests.end_to_end.treatment import refused


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed with this bot."""
    return deploy(tmp_path_factory.mktemp("guarded"), bot=Path(guarded.__file__))


@pytest.fixture(scope="module")
def shared_bot(
    host: Host, app: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One instance of it; its state is in memory."""
    with Instances(host, app, tmp_path_factory.mktemp("bot")) as instances:
        yield instances.start()


@pytest.mark.usefixtures("bot")
async def test_a_bot_recovers_from_what_it_cannot_store(channel: FakeChannel) -> None:
    """Its on_error clears the state, and what middleware changes and saves is changed and saved."""
    for text in ("hi", "hi", "BREAK", "hi"):
        assert 200 == await channel.says(text)

    assert [
        "hi 1",
        "hi 2",
        "BREAK 3",
        "FORGET IT: sTATEnOTsTORABLE",
        "hi 1",
    ] == channel.replies()


@pytest.mark.usefixtures("bot")
async def test_an_apology_is_in_the_users_language(channel: FakeChannel) -> None:
    """Where not even on_error can help."""
    for locale in ("de-AT", "fr-FR"):
        await channel.says("DESPAIR", locale=locale)

    assert ["Hoppla.", "Oops."] == channel.replies()


@pytest.mark.usefixtures("bot")
async def test_an_invoke_is_answered_once(channel: FakeChannel) -> None:
    """The bot's own refusal is the answer, at the first delivery and at the second."""
    invoke = channel.activity("invoke", "ada", "c1", name="signin/tokenExchange", value={})
    answers = [await channel.posts(invoke) for _ in range(2)]

    expected = (412, {"failureDetail": "no consent"})
    assert [expected] * 2 == [(one.status, json.loads(one.body)) for one in answers]


async def test_what_on_error_said_and_stored_survives_its_instance(
    host: Host, app: Path, channel: FakeChannel, cosmos_container: CosmosSettings, tmp_path: Path
) -> None:
    """With the next message another one sends what is missing, and begins anew."""
    with Instances(host, app, tmp_path) as instances:
        settings = settings_for(cosmos_container)
        first, second = instances.start(settings), instances.start(settings)
        await channel.says("hi", to=first.url)
        channel.treats_next(refused(502))
        assert 200 == await channel.says("BREAK", to=first.url)
        first.kill()
        assert 200 == await channel.says("hi", to=second.url)
        await channel.hears("FORGET IT")
        replies = await channel.hears("hi 1")

    assert ["hi 1", "BREAK 2", "FORGET IT: sTATEnOTsTORABLE", "hi 1"] == replies
