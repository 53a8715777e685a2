"""Bells go into a queue as the Functions host reads it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from local.node_services.emulators import Azurite
from shared.bells.base import Bell
from shared.bells.storage_queue import QUEUE, StorageQueueBells
from shared.errors import BellUnavailable
from shared.settings import QueueSettings

BELL = Bell("emulator/conversations/1", "token", ("owner", 3))


@pytest.fixture(scope="module")
def azurite(npm_packages: None) -> Iterator[Azurite]:
    """A storage account of these tests."""
    with Azurite() as service:
        yield service


@pytest.fixture
def queue(azurite: Azurite) -> Iterator[QueueClient]:
    """The queue as the Functions host reads it. It does not exist yet."""
    clients: Any = QueueClient  # Its annotations say that its class methods take a string.
    with clients.from_connection_string(
        azurite.connection_string,
        QUEUE,
        message_decode_policy=TextBase64DecodePolicy(),  # type: ignore[no-untyped-call]
    ) as client:
        with suppress(ResourceNotFoundError):
            client.delete_queue()
        yield client


async def ring(connection_string: str, delay_s: float = 0) -> None:
    bells = StorageQueueBells(QueueSettings(connection_string))
    try:
        await bells.ring(BELL, delay_s)
    finally:
        await bells.close()


async def test_a_bell_is_a_message_that_the_host_can_decode(
    azurite: Azurite, queue: QueueClient
) -> None:
    """What the queue holds is base64 of the bell's text, and the queue is made if it is missing."""
    await ring(azurite.connection_string)

    assert [BELL] == [Bell.from_text(message.content) for message in queue.receive_messages()]


async def test_bells_may_make_the_missing_queue_at_once(
    azurite: Azurite, queue: QueueClient
) -> None:
    """Whoever finds that another one has made it rings all the same."""
    await asyncio.gather(*(ring(azurite.connection_string) for _ in range(5)))

    assert [BELL] * 5 == [
        Bell.from_text(message.content) for message in queue.receive_messages(max_messages=10)
    ]


async def test_a_bell_is_never_early(azurite: Azurite, queue: QueueClient) -> None:
    """Until the delay is over nobody is given the message, and then somebody is."""
    await ring(azurite.connection_string, delay_s=1.2)

    early = list(queue.receive_messages())
    waiting = queue.get_queue_properties().approximate_message_count
    await asyncio.sleep(2.5)

    assert [] == early
    assert 1 == waiting
    assert 1 == len(list(queue.receive_messages()))


def test_a_bell_rings_in_any_event_loop(azurite: Azurite, queue: QueueClient) -> None:
    """One object serves every event loop that rings, with connections of its own in each."""
    bells = StorageQueueBells(QueueSettings(azurite.connection_string))
    for _ in range(2):
        asyncio.run(bells.ring(BELL, 0))

    assert 2 == len(list(queue.receive_messages(max_messages=10)))


async def test_a_queue_that_is_away_is_an_error_of_ours(azurite: Azurite) -> None:
    """Where nothing listens, ringing fails with BellUnavailable."""
    away = azurite.connection_string.replace(f":{azurite.ports['queue']}/", ":9/")

    with pytest.raises(BellUnavailable):
        await ring(away)


async def test_a_queue_that_does_not_answer_is_given_up(azurite: Azurite) -> None:
    """A put without an answer ends by itself, and is not sent again."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        there = azurite.connection_string.replace(f":{azurite.ports['queue']}/", f":{port}/")

        with pytest.raises(BellUnavailable, match="TimeoutError"):
            await ring(there)

        deaf.settimeout(0.5)
        calls = 0
        with suppress(TimeoutError):
            while True:
                deaf.accept()[0].close()
                calls += 1
    assert 1 == calls
