"""Bells as messages on a queue of Azure Storage, which a queue-triggered function hears."""

from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from shared.bells.base import RING_S, Bell
from shared.connections.azure_transport import AzureTransport
from shared.connections.per_loop import PerLoop
from shared.connections.resolver import Resolver
from shared.connections.threads import Threads
from shared.connections.time_limit import TimeLimit
from shared.errors import BellUnavailable
from shared.settings import QueueSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

QUEUE = "bells"
"""As in BellFunction/function.json. Apps that share the storage account share the queue."""


class StorageQueueBells:
    """
    The queue, with one client for each event loop. Nothing is loaded before the first ring.

    A queue that does not exist is made, so a developer's Azurite needs no preparation.
    """

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings
        self._resolver = Resolver()
        self._clients = PerLoop(self._client, _Client.close)
        self._loading = Threads("bells", 1)

    async def ring(self, bell: Bell, delay_s: float) -> None:
        """Put the bell into the queue. See `Bells.ring`."""
        # 0.3 s of imports, which only slow turns need, and during which others go on.
        await self._loading.run(_load)
        # A delay is in whole seconds there; a bell may be late, but not early.
        await self._clients.get().put(bell.to_text(), ceil(delay_s))

    async def close(self) -> None:
        """Close the connections of all event loops."""
        await self._clients.close()

    def _client(self) -> "_Client":
        return _Client(self._settings, self._resolver)


class _Client:
    """The queue's client, with everything of one event loop."""

    def __init__(self, settings: QueueSettings, resolver: Resolver) -> None:
        from azure.identity.aio import ManagedIdentityCredential
        from azure.storage import queue
        from azure.storage.queue.aio import QueueClient

        self._queue: Any  # By its own annotations, its coroutines are not coroutines.
        self._credential: AsyncTokenCredential | None = None
        options: dict[str, Any] = {
            # The Functions host takes nothing else, and the client's default is none.
            "message_encode_policy": queue.TextBase64EncodePolicy(),  # type: ignore[no-untyped-call]
            "transport": AzureTransport(resolver),
            # By default a put is repeated after 15 s, when a channel has given up.
            "retry_total": 0,
        }
        if settings.connection_string:
            client: Any = QueueClient
            self._queue = client.from_connection_string(
                settings.connection_string, QUEUE, **options
            )
        else:
            self._credential = ManagedIdentityCredential(
                client_id=settings.identity_client_id, transport=AzureTransport(resolver)
            )
            self._queue = QueueClient(
                settings.service_url, QUEUE, credential=self._credential, **options
            )

    async def put(self, text: str, delay_s: int) -> None:
        """
        Put a message into the queue, once.

        Raises:
            BellUnavailable: it is not known to be there.
        """
        try:
            async with TimeLimit.after(RING_S):
                try:
                    await self._queue.send_message(text, visibility_timeout=delay_s)
                except ResourceNotFoundError:
                    # Another bell may have made it since.
                    with suppress(ResourceExistsError):
                        await self._queue.create_queue()
                    await self._queue.send_message(text, visibility_timeout=delay_s)
        except (AzureError, OSError, TimeoutError) as error:
            reason = type(error).__name__
            raise BellUnavailable(f"The queue did not take a bell ({reason}).") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._queue.close()
        if self._credential is not None:
            await self._credential.close()


def _load() -> None:
    import azure.identity.aio
    import azure.storage.queue.aio  # noqa: F401  (loading them is the point)
