"""A queue as a test fills it and looks into it."""

import base64
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

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

    def put(self, text: str, **options: Any) -> None:
        """Put a message with the base64 of this text."""
        self.put_raw(base64.b64encode(text.encode()).decode(), **options)

    def put_raw(self, text: str, **options: Any) -> None:
        """Put a message with exactly this text."""
        self._client.send_message(text, **options)

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
