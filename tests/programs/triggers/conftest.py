"""An emulator of Azure Storage, queues in it, and hosts that listen to them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pytest

from local.bootstrap.ports import listen
from local.node_services.emulators import Azurite
from tests.programs.programs import Program, running
from tests.programs.triggers.queues import TestQueue, new_queue
from tests.unit.local.function_app import write_host_json

ROOT = Path(__file__).resolve().parents[3]

QUICK = {"maxPollingInterval": "00:00:00.2"}
"""Settings under which a test does not wait for the next poll."""

Settings = Mapping[str, str]
NO_SETTINGS: Settings = MappingProxyType({})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know where a host of the contract works that somebody else has started."""
    parser.addoption(
        "--host-storage",
        metavar="CONNECTION_STRING",
        help="play the contract of queues and timers over the host that works with this storage",
    )
    parser.addoption(
        "--host-app", metavar="APP", default="main", help="which of the contract's apps it serves"
    )


@pytest.fixture(scope="session")
def azurite(npm_packages: None) -> Iterator[Azurite]:
    """An emulator of this test run."""
    with Azurite() as azurite:
        yield azurite


@pytest.fixture
def queue(azurite: Azurite) -> TestQueue:
    """A queue of the test's own, empty."""
    return new_queue(azurite)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A function app without functions, which polls quickly."""
    root = tmp_path / "app"
    write_host_json(root, queues=QUICK)
    return root


class StartHost(Protocol):
    """
    Starts a host for an app; its output has what it logs.

    `options` are those of `tests.end_to_end.embedded_host`.
    """

    def __call__(
        self, root: Path, *options: str, port: int = 0, settings: Settings = NO_SETTINGS
    ) -> Program: ...


@pytest.fixture(scope="module")
def start_module_host(
    azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartHost]:
    """Starts hosts for all tests of a module."""
    with ExitStack() as programs:
        yield _starter(azurite, tmp_path_factory.mktemp("output"), programs)


@pytest.fixture
def start_host(azurite: Azurite, tmp_path: Path) -> Iterator[StartHost]:
    """Starts hosts, and ends them after the test."""
    with ExitStack() as programs:
        yield _starter(azurite, tmp_path, programs)


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
    return port


def _starter(azurite: Azurite, folder: Path, programs: ExitStack) -> StartHost:
    outputs = (folder / f"output-{number}" for number in count())

    def start(
        root: Path, *options: str, port: int = 0, settings: Settings = NO_SETTINGS
    ) -> Program:
        arguments = ["-m", "tests.end_to_end.embedded_host", str(root), str(port), *options]
        environ = {"AzureWebJobsStorage": azurite.connection_string, **settings}
        return programs.enter_context(running(arguments, ROOT, next(outputs), **environ))

    return start
