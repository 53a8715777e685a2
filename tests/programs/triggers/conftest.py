"""An emulator of Azure Storage, queues in it, and hosts that listen to them."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from local.node_services.emulators import Azurite
from tests.programs.programs import Program, running
from tests.programs.triggers.queues import TestQueue
from tests.unit.local.function_app import write_host_json

ROOT = Path(__file__).resolve().parents[3]

QUICK = {"maxPollingInterval": "00:00:00.2"}
"""Settings under which a test does not wait for the next poll."""


@pytest.fixture(scope="session")
def azurite(npm_packages: None) -> Iterator[Azurite]:
    """An emulator of this test run."""
    with Azurite() as azurite:
        yield azurite


@pytest.fixture
def queue(azurite: Azurite) -> TestQueue:
    """A queue of the test's own, empty."""
    queue = TestQueue(azurite.connection_string, f"queue-{uuid4()}")
    queue.create()
    return queue


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A function app without functions, which polls quickly."""
    root = tmp_path / "app"
    write_host_json(root, queues=QUICK)
    return root


class StartHost(Protocol):
    """Starts a host for the app; its output has what it logs."""

    def __call__(self, hidden_s: float = 600, **environ: str) -> Program: ...


@pytest.fixture
def start_host(root: Path, azurite: Azurite, tmp_path: Path) -> Iterator[StartHost]:
    """Starts hosts on the emulator, and ends them after the test."""
    with ExitStack() as programs:
        outputs = (tmp_path / f"output-{number}" for number in count())

        def start(hidden_s: float = 600, **environ: str) -> Program:
            arguments = ["-m", "tests.end_to_end.embedded_host", str(root), "0", str(hidden_s)]
            settings = {"AzureWebJobsStorage": azurite.connection_string, **environ}
            return programs.enter_context(running(arguments, ROOT, next(outputs), **settings))

        yield start
