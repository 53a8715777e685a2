"""What the end-to-end tests stand on: hosts, running bots, and a channel to speak through."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local.bootstrap.environment import APP_REQUIREMENTS
from local.node_services.emulators import Azurite
from shared.settings import CosmosSettings
from tests.bots import counting, echo
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import deploy, environment, find_python
from tests.end_to_end.faulty_store import FaultyStore
from tests.end_to_end.instances import (
    EMBEDDED_HOST,
    Host,
    Instance,
    Instances,
    microsofts_runtime,
    settings_for,
)
from tests.end_to_end.playground_page import browser as browser
from tests.end_to_end.playground_page import page as page
from tests.end_to_end.playground_page import playground as playground

INSTALL_TIMEOUT_S = 600
"""The first run installs packages, over whatever network there is."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave every end-to-end test the time to install what it runs on."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(INSTALL_TIMEOUT_S))


@pytest.fixture(scope="session", params=["embedded host", "Microsoft's runtime"])
def host(request: pytest.FixtureRequest) -> Host:
    """Every host that the bot must run on."""
    if request.param == "embedded host":
        return EMBEDDED_HOST
    python = find_python(3, 13)
    if python is None:
        pytest.skip("Microsoft's runtime needs Python 3.13: install it, and run the tests again")
    return microsofts_runtime(
        environment(python, APP_REQUIREMENTS, "tests/requirements-runtime.txt")
    )


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed with a bot that echoes, without a developer's own settings."""
    return deploy(tmp_path_factory.mktemp("app"), bot=Path(echo.__file__))


@pytest.fixture
def instances(host: Host, app: Path, tmp_path: Path) -> Iterator[Instances]:
    """Instances of a test's own, to be started and killed."""
    with Instances(host, app, tmp_path) as instances:
        yield instances


@pytest.fixture(scope="module")
def shared_bot(
    host: Host, app: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One instance for a module's tests; its state is in memory."""
    with Instances(host, app, tmp_path_factory.mktemp("bot")) as instances:
        yield instances.start()


@pytest.fixture
async def channel() -> AsyncIterator[FakeChannel]:
    """A channel that no other test speaks through."""
    async with FakeChannel(channel_id=f"test-{uuid4().hex[:8]}") as channel:
        yield channel


@pytest.fixture
def bot(shared_bot: Instance, channel: FakeChannel) -> Iterator[Instance]:
    """The bot at the other end of the channel."""
    channel.bot_url = shared_bot.url
    before = len(shared_bot.printed())
    yield shared_bot
    sys.stdout.write(shared_bot.printed()[before:])  # pytest shows it beside a test that failed


@pytest.fixture
def cosmos_settings(cosmos_container: CosmosSettings) -> dict[str, str]:
    """The settings of instances that keep their state in a container of the test's own."""
    return settings_for(cosmos_container)


@pytest.fixture
def azurite(npm_packages: None) -> Iterator[Azurite]:
    """A queue of the test's own: bells of another would be heard here."""
    with Azurite() as service:
        yield service


@pytest.fixture
def bell_settings(azurite: Azurite) -> dict[str, str]:
    """The settings of instances whose bells outlive them, and that sweep every ten seconds."""
    return {
        "AzureWebJobsStorage": azurite.connection_string,
        "SweepSchedule": "*/10 * * * * *",
    }


@pytest.fixture(scope="session")
def counting_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed with a bot that counts."""
    folder = tmp_path_factory.mktemp("counting-app")
    return deploy(folder, bot=Path(counting.__file__))


@pytest.fixture
def counting_instances(host: Host, counting_app: Path, tmp_path: Path) -> Iterator[Instances]:
    """Instances of the bot that counts, to be started and killed."""
    with Instances(host, counting_app, tmp_path) as instances:
        yield instances


@pytest.fixture(scope="module")
def two_instances(
    host: Host,
    counting_app: Path,
    cosmos_server: CosmosSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Instance, Instance]]:
    """Two instances of the bot that counts, on one store, for a module's tests."""
    settings = settings_for(cosmos_server)
    with Instances(host, counting_app, tmp_path_factory.mktemp("two")) as instances:
        yield instances.start(settings), instances.start(settings)


@pytest.fixture
async def faulty_store(cosmos_container: CosmosSettings) -> AsyncIterator[FaultyStore]:
    """The way to a container of the test's own, on which requests and answers get lost."""
    async with FaultyStore(cosmos_container) as store:
        yield store
