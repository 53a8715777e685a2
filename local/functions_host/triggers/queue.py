"""A queue in Azure Storage, with the tries and the time limits of the Functions host's client."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

# Six tries in 24 to 27 s, as by .NET's client. Before the n-th time that it tries again, the client
# waits for `increment_base` ^ n seconds. Whatever goes wrong, it has a limit of its own for that,
# which is 3 unless it is set.
TRIES = {
    "retry_total": 5,
    "retry_connect": 5,
    "retry_read": 5,
    "retry_status": 5,
    "initial_backoff": 0.0,
    "increment_base": 1.6,
    "random_jitter_range": 0.2,
}

# Its methods are declared with the types of the client that is not asynchronous.
_QUEUE_CLIENT: Any = QueueClient

_NOT_FOUND = 404
_POP_RECEIPT_MISMATCH = 400


@dataclass
class Message:
    """A received message. Each update gives it another receipt."""

    id: str
    text: str
    """As it lies in the queue, encoded."""
    dequeue_count: int
    pop_receipt: str
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime


class Queue:
    """
    One queue.

    Whatever is not said below raises azure.core's AzureError: no connection after all tries, or
    an answer such as 403.
    """

    def __init__(self, connection_string: str, name: str, **client_options: Any) -> None:
        """`client_options` go to azure-storage-queue, before the tries of the host's client."""
        self.name = name
        self._client = _QUEUE_CLIENT.from_connection_string(
            connection_string, name, **{**TRIES, **client_options}
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    async def exists(self) -> bool:
        """Tell whether the queue is there."""
        try:
            await self._client.get_queue_properties()
        except ResourceNotFoundError:
            return False
        return True

    async def receive(self, count: int, hidden_s: float) -> list[Message]:
        """Return up to `count` messages, and hide them from everybody for `hidden_s` seconds."""
        pages = self._client.receive_messages(
            messages_per_page=count, max_messages=count, visibility_timeout=round(hidden_s)
        ).by_page()
        async for page in pages:
            return [
                Message(
                    id=message.id,
                    text=message.content,
                    dequeue_count=message.dequeue_count,
                    pop_receipt=message.pop_receipt,
                    inserted_on=message.inserted_on,
                    expires_on=message.expires_on,
                    next_visible_on=message.next_visible_on,
                )
                async for message in page
            ]
        return []

    async def hide(self, message: Message, hidden_s: float) -> bool:
        """Hide the message for so long from now; return False if it is somebody else's by now."""
        try:
            # By its id: of a message object the client would write the text as well.
            updated = await self._client.update_message(
                message.id, message.pop_receipt, visibility_timeout=round(hidden_s)
            )
        except HttpResponseError as error:
            if _is_lost(error):
                return False
            raise
        message.pop_receipt = updated.pop_receipt
        return True

    async def delete(self, message: Message) -> None:
        """Delete the message. One that is somebody else's by now stays."""
        try:
            await self._client.delete_message(message.id, message.pop_receipt)
        except HttpResponseError as error:
            if not _is_lost(error):
                raise

    async def put(self, text: str) -> None:
        """Put a message with this text, for seven days; create the queue if it is missing."""
        try:
            await self._client.send_message(text)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):  # somebody else was faster
                await self._client.create_queue()
            await self._client.send_message(text)


def _is_lost(error: HttpResponseError) -> bool:
    # PopReceiptMismatch, MessageNotFound: it was hidden no longer, and another has received it.
    return error.status_code in (_POP_RECEIPT_MISMATCH, _NOT_FOUND)
