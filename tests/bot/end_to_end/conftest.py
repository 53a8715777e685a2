"""The bot in shared/bot, deployed, on what all end-to-end tests stand on."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import INSTALL_TIMEOUT_S
from tests.end_to_end.conftest import bot as bot
from tests.end_to_end.conftest import browser as browser
from tests.end_to_end.conftest import channel as channel
from tests.end_to_end.conftest import cosmos_settings as cosmos_settings
from tests.end_to_end.conftest import host as host
from tests.end_to_end.conftest import instances as instances
from tests.end_to_end.conftest import page as page
from tests.end_to_end.conftest import playground as playground
from tests.end_to_end.conftest import shared_bot as shared_bot
from tests.end_to_end.deployment import deploy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave every end-to-end test the time to install what it runs on."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(INSTALL_TIMEOUT_S))


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed, where a developer's own settings are not."""
    return deploy(tmp_path_factory.mktemp("sample"))
