"""
Any bot, unchanged: what it says and answers here is what it says and answers on the stock SDK.

The bots do what Microsoft's samples do, each with a script of what a user sends. The stock SDK's
transcript is what is expected, also where the host is killed between any two messages.
"""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from local.node_services.emulators import CosmosServer
from shared.settings import CosmosSettings
from tests.bots import (
    inspected,
    logged,
    managed_dialog,
    many_states,
    nested_dialogs,
    order_dialog,
    profile_dialog,
    sign_in,
    sign_in_dialog,
    single_sign_on,
    teams,
    teams_invokes,
    translated,
    welcome,
)
from tests.end_to_end.comparison.hosts import own_host, stock_host
from tests.end_to_end.comparison.services import Services
from tests.end_to_end.comparison.transcripts import Player
from tests.end_to_end.deployment import deploy
from tests.end_to_end.instances import EMBEDDED_HOST, Instances, settings_for
from tests.simulation.histories import play_own

STREET = Path(__file__).parent / "comparison" / "street.py"

BOTS: tuple[ModuleType, ...] = (
    welcome,
    teams,
    teams_invokes,
    sign_in,
    sign_in_dialog,
    profile_dialog,
    nested_dialogs,
    managed_dialog,
    single_sign_on,
    translated,
    inspected,
    logged,
    many_states,
    order_dialog,
)

Transcript = list[dict[str, Any]]

Serve = Callable[[ModuleType, str], AbstractAsyncContextManager[str]]
"""Serves a bot whose token service is at the second argument; yields where it takes activities."""


def name_of(bot: ModuleType) -> str:
    """Return its name, which is also that of its conversation."""
    return bot.__name__.rpartition(".")[2].replace("_", "-")


def transcript_of(player: Player) -> Transcript:
    """Return all that was said and answered, to be compared."""
    return [asdict(exchange) for exchange in player.transcript]


async def played(bot: ModuleType, serve: Serve) -> Transcript:
    """Say a bot's script to whoever serves it."""
    async with Services() as services, serve(bot, services.service_url) as url:
        player = Player(services, name_of(bot), bot.SCRIPT)
        while not player.is_over:
            await player.say_next(url)
    return transcript_of(player)


async def played_while_hosts_die(
    app: Path, folder: Path, cosmos: CosmosSettings
) -> dict[str, Transcript]:
    """Say each bot's script, every line to another process that has never seen one before."""
    async with Services() as services:
        players = {name_of(bot): Player(services, name_of(bot), bot.SCRIPT) for bot in BOTS}
        settings = settings_for(cosmos) | {"OAUTH_URL": services.service_url}
        with Instances(EMBEDDED_HOST, app, folder) as instances:
            while not all(player.is_over for player in players.values()):
                instance = await asyncio.to_thread(instances.start, settings)
                for player in players.values():
                    await player.say_next(instance.url)
                instance.kill()
    return {name: transcript_of(player) for name, player in players.items()}


@pytest.fixture(scope="module")
def containers(
    cosmos_process: CosmosServer, cosmos_server: CosmosSettings
) -> tuple[CosmosSettings, CosmosSettings]:
    """Two containers: one for the stock SDK's documents, and one for ours."""
    pair = [replace(cosmos_server, container_id=f"state-{uuid4()}") for _ in range(2)]
    for container in pair:
        cosmos_process.create_container(container.database_id, container.container_id)
    return pair[0], pair[1]


@pytest.fixture(scope="module")
def transcripts_of_many_processes(
    containers: tuple[CosmosSettings, CosmosSettings], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Transcript]:
    """What all of the bots say in hosts that are killed after each message."""
    app = deploy(tmp_path_factory.mktemp("street"), bot=STREET)
    for bot in BOTS:
        shutil.copy(str(bot.__file__), app / "shared" / "bot")
    return asyncio.run(played_while_hosts_die(app, tmp_path_factory.mktemp("logs"), containers[1]))


@pytest.mark.parametrize("bot", BOTS, ids=name_of)
async def test_a_bot_is_as_on_the_stock_sdk(bot: ModuleType) -> None:
    """It says the same, asks its channel for the same, and answers invokes with the same."""
    assert await played(bot, stock_host) == await played(bot, own_host)


@pytest.mark.parametrize("bot", BOTS, ids=name_of)
async def test_what_is_delivered_again_is_answered_as_before(bot: ModuleType) -> None:
    """An invoke gets the same answer, and nothing is said or asked for a second time."""
    again, once = [], []
    async with Services() as services, own_host(bot, services.service_url) as url:
        player = Player(services, name_of(bot), bot.SCRIPT)
        while not player.is_over:
            await player.say_next(url)
            once.append(replace(player.transcript[-1], said=[], shown=[], asked=[]))
            again.append(await player.repeat(url))

    assert once == again


# The local server's certificate cannot be verified.
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("bot", BOTS, ids=name_of)
async def test_a_bot_does_not_notice_that_its_host_is_killed_between_any_two_messages(
    bot: ModuleType,
    containers: tuple[CosmosSettings, CosmosSettings],
    transcripts_of_many_processes: dict[str, Transcript],
) -> None:
    """With the state in Cosmos DB it goes on as one on the stock SDK that was never stopped."""
    stock = await played(bot, partial(stock_host, cosmos=containers[0]))

    assert stock == transcripts_of_many_processes[name_of(bot)]


@pytest.mark.parametrize("bot", BOTS, ids=name_of)
def test_a_bot_is_the_same_whatever_fails(bot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instances die, the store and the channel fail, and each turn still happens once."""

    async def lose(_service_url: str, _kind: str, _body: object) -> None:
        """No simulated channel has the service that a log is sent to."""

    monkeypatch.setattr(logged, "_send", lose)

    assert {} == {seed: wrong for seed in range(8) if (wrong := play_own(seed, bot=bot)[1].wrong)}
