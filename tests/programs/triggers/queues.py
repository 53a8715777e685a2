"""A queue as a test fills it and looks into it."""

import base64
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.node_services.emulators import Azurite
from tests.programs.programs import eventually

MISSING_S = 3.0
"""In which each host of these tests asks for a queue."""

# Its class methods are declared with types that do not fit.
_QUEUE_CLIENT: Any = QueueClient


class TestQueue:
    """A queue and its poison queue."""

    __test__ = False

    def __init__(self, connection_string: str, name: str) -> None:
        self.name = name
        self._client = _QUEUE_CLIENT.from_connection_string(connection_string, name)
        self._poison = _QUEUE_CLIENT.from_connection_string(connection_string, f"{name}-poison")

    def create(self) -> None:
        """Create the queue; the poison queue is left to the host."""
        self._client.create_queue()

    def create_and_clear(self) -> None:
        """Leave nothing in the queue, nor in its poison queue; create it if it is missing."""
        with suppress(ResourceExistsError):
            self._client.create_queue()
        self._client.clear_messages()
        with suppress(ResourceNotFoundError):
            self._poison.clear_messages()

    def put(self, text: str, **options: Any) -> None:
        """Put a message with the base64 of this text."""
        self.put_raw(base64.b64encode(text.encode()).decode(), **options)

    def put_raw(self, text: str, **options: Any) -> None:
        """Put a message with exactly this text."""
        self._client.send_message(text, **options)

    def receive(self) -> Any:
        """Receive a message as another host would, and hand it back at once."""
        (message,) = self._client.receive_messages(max_messages=1)
        self._client.update_message(message.id, message.pop_receipt, visibility_timeout=0)
        return message

    def remake(self) -> None:
        """Delete the queue, let hosts find it missing, and create it again."""
        self.delete()
        time.sleep(MISSING_S)

        def is_there() -> bool:
            # For a while Azure refuses the name of a queue that is being deleted.
            with suppress(ResourceExistsError, ResourceNotFoundError):
                self.create()
                return True
            return False

        eventually(is_there)

    def delete(self) -> None:
        """Delete the queue."""
        self._client.delete_queue()

    def count(self) -> int:
        """Return how many messages there are, hidden ones too."""
        return int(self._client.get_queue_properties().approximate_message_count)

    def visible(self) -> list[str]:
        """Return the texts of messages that could be received now."""
        return [message.content for message in self._client.peek_messages(32)]

    def poison(self) -> list[Any]:
        """Return the messages in the poison queue."""
        try:
            return list(self._poison.peek_messages(32))
        except ResourceNotFoundError:
            return []


def new_queue(azurite: Azurite) -> TestQueue:
    """A queue of a name that no other has."""
    queue = TestQueue(azurite.connection_string, f"queue-{uuid4()}")
    queue.create()
    return queue
