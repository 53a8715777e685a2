"""The starters of the services that a developer's machine runs in Azure's place."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from local.node_services.emulators import Azurite, CosmosServer
from local.node_services.npm import FOLDER, LocalServiceError, install_npm_packages

# Its class methods are declared with types that do not fit.
QUEUE_CLIENT: Any = QueueClient


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


pytestmark = pytest.mark.usefixtures("npm_packages")


@pytest.fixture
def cosmos() -> Iterator[CosmosServer]:
    with CosmosServer() as server:
        yield server


def test_what_is_installed_is_not_installed_again() -> None:
    """The second start has nothing to tell, and needs no network."""
    told: list[str] = []
    install_npm_packages(told.append)
    assert [] == told


def test_a_stopped_server_is_gone(cosmos: CosmosServer) -> None:
    """With it its port."""
    assert answers(cosmos.port)
    cosmos.stop()
    assert not answers(cosmos.port)


def test_a_port_can_be_chosen(cosmos: CosmosServer) -> None:
    """What has just been free is taken again, so that settings need not change."""
    cosmos.stop()
    with CosmosServer(cosmos.port) as again:
        assert again.endpoint == cosmos.endpoint


def test_a_taken_port_is_told_in_one_sentence(cosmos: CosmosServer) -> None:
    """The error names the service and the port."""
    with pytest.raises(LocalServiceError) as raised:
        CosmosServer(cosmos.port).start()
    assert (
        f"The Cosmos DB server cannot use port {cosmos.port}, which another program has taken; "
        "stop that program, or choose another port."
    ) == str(raised.value)


def test_without_node_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer who has only Python learns what to do."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalServiceError, match="install Node 20 or newer"):
        CosmosServer().start()


def test_a_service_that_does_not_start_says_why(cosmos: CosmosServer) -> None:
    """The last line that it printed is handed on."""
    broken = CosmosServer()
    broken.script = FOLDER / "package.json"
    with pytest.raises(LocalServiceError, match="The Cosmos DB server did not start: "):
        broken.start()


def test_containers_may_be_created_twice(cosmos: CosmosServer) -> None:
    """A second start finds what the first one made."""
    cosmos.create_container("bot", "state")
    cosmos.create_container("bot", "state")


def test_azurite_serves_blobs_queues_and_tables() -> None:
    """All that the Functions host may want, each on a port of its own."""
    with Azurite() as azurite:
        assert {"blob", "queue", "table"} == azurite.ports.keys()
        assert all(answers(port) for port in azurite.ports.values())
    assert not any(answers(port) for port in azurite.ports.values())


def test_azurite_lets_in_who_has_its_connection_string() -> None:
    """The key in it is the one that the emulator checks signatures with."""
    with Azurite() as azurite:
        queue = QUEUE_CLIENT.from_connection_string(azurite.connection_string, "queue")
        queue.create_queue()
        queue.send_message("text")

        assert ["text"] == [message.content for message in queue.peek_messages()]


def test_azurite_can_keep_its_data(tmp_path: Path) -> None:
    """In a folder instead of in memory."""
    with Azurite(folder=tmp_path):
        pass
    assert any(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_services_die_with_their_starter() -> None:
    """Even if it has no time to stop them."""
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time; from local.node_services.emulators import CosmosServer\n"
            "server = CosmosServer(); server.start(); print(server.port, flush=True)\n"
            "time.sleep(60)",
        ],
        cwd=FOLDER.parents[1],
        stdout=subprocess.PIPE,
    )
    assert starter.stdout is not None
    port = int(starter.stdout.readline())
    assert answers(port)
    os.kill(starter.pid, signal.SIGKILL)
    starter.communicate()
    while answers(port):  # Until pytest's time-out, if it lives.
        time.sleep(0.01)
