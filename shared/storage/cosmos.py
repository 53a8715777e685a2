"""State in Cosmos DB."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from azure.core import AsyncPipelineClient, MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.settings import settings as azure_settings
from azure.cosmos.aio import CosmosClient
from azure.cosmos.aio._auth_policy_async import AsyncCosmosBearerTokenCredentialPolicy

from shared.errors import StateConflict
from shared.settings import CosmosSettings
from shared.storage.accessor import tell_unreadable
from shared.storage.codec import Document, DocumentCodec
from shared.storage.cosmos_errors import container_missing, is_absent, translate
from shared.storage.cosmos_patience import Patience
from shared.storage.cosmos_sdk import CosmosDbPartitionedConfig, CosmosDbPartitionedStorage
from shared.storage.etags import ANY_E_TAG, CONFLICT, e_tag_of, set_e_tag
from shared.storage.items import document_in, item_of
from shared.storage.keys import document_id

OPERATION_TIMEOUT_S = 5.0
"""For one document to be read, written or deleted, all repetitions included."""

CONNECT_TIMEOUT_S = 2.0

MAX_READ_REPEATS = 2
"""After failures that say nothing against the request. Writes are not repeated: see `write`."""

_NOBODY = ("-", "--")
"""Keys that no document has: a turn reads two at once."""

T = TypeVar("T")


class CosmosStorage(CosmosDbPartitionedStorage):
    """
    The SDK's documents, keys and container, without its management calls and blocking ones.

    It has one client; make one storage per worker. The container must exist, with the partition
    key /id. Nothing but requests for documents is sent, not even one for the account: all go to
    `endpoint`, which Azure directs to the region that takes writes.
    """

    def __init__(
        self,
        settings: CosmosSettings,
        codec: DocumentCodec,
        *,
        identity_client_id: str | None = None,
        timeout_s: float = OPERATION_TIMEOUT_S,
    ) -> None:
        """
        Make the client; nothing is sent yet.

        Without a key in `settings`, a managed identity is used: the user-assigned one with
        `identity_client_id`, or if that is None the system-assigned one.
        """
        super().__init__(
            CosmosDbPartitionedConfig(
                cosmos_db_endpoint=settings.endpoint,
                auth_key=settings.key,
                database_id=settings.database_id,
                container_id=settings.container_id,
            )
        )
        tell_unreadable()
        self._codec = codec
        self._timeout_s = timeout_s
        self._credential = None if settings.key else _managed_identity(identity_client_id)
        # By default each request looks for proxies and for a .netrc file, in two threads, and has
        # a timer set anew by each piece of its answer; `timeout_s` ends it already.
        transport = AioHttpTransport(use_env_settings=False, read_timeout=None)
        self.client = CosmosClient(
            settings.endpoint,
            self._credential or settings.key,
            connection_verify=settings.verify_tls,
            connection_timeout=CONNECT_TIMEOUT_S,
            transport=transport,
            # What is repeated is decided here. (0 would count as "not given", and leave nine
            # repetitions of a throttled request, each as late as the server likes.)
            retry_total=-1,
            # Would ask for the account, again and again, for as long as a region fails.
            enable_endpoint_discovery=False,
        )
        _shorten_pipeline(self.client.client_connection, transport)
        self.database = self.client.get_database_client(settings.database_id)
        # As it is set, the SDK's `initialize`, which creates databases, has nothing to do.
        self.container = self.database.get_container_client(settings.container_id)
        # Without this azure-cosmos reads the container, to learn its partition key, before it
        # writes the first document.
        self.container.client_connection.partition_key_definition_cache[
            self.container.container_link
        ] = {"paths": ["/id"], "kind": "Hash"}

    async def read(self, keys: Iterable[str]) -> dict[str, Document]:
        """
        Return the documents there are under `keys`, each with its ETag as "e_tag".

        They are read at once, not as of one moment. Nobody else has the objects returned.

        Raises:
            StateUnreadable: a document is one object, and not what the codec wrote. (Of others,
                each property that cannot be read is an `Opaque`.)
            StateThrottled, StateUnavailable, StateForbidden, StateContainerMissing: see there.
        """
        ids = {key: document_id(key) for key in keys}
        items = await _all(self._read_item(item_id) for item_id in ids.values())
        found = {}
        for key, item in zip(ids, items, strict=True):
            if item is not None:
                found[key] = self._codec.decode(document_in(item, key))
                set_e_tag(found[key], item["_etag"])
        return found

    async def write(self, changes: dict[str, Document]) -> None:
        """
        Store each document if nobody else has since it was read.

        A document without "e_tag" must not exist yet; "*" stores it whatever is there. On
        success its new ETag is written back, so one turn may save twice. Several documents are
        written at once, each for itself: on an error some may be stored and others not.

        A write is not repeated after its outcome is in doubt, but the connection below may do
        so once by itself. So StateConflict may be the echo of this very write: who needs to
        know finds out by reading.

        Raises:
            StateNotStorable: a document cannot be stored; nothing was written.
            StateConflict: another turn wrote first; read again and run the turn again.
            StateTooLarge: a document has more than 2 MB.
            StateUnavailable: no answer within `timeout_s` seconds; it may be stored or not.
            StateThrottled, StateForbidden, StateContainerMissing: see there; it is not stored.
        """
        items = {
            key: item_of(key, self._codec.encode(document)) for key, document in changes.items()
        }
        e_tags = {key: e_tag_of(document) for key, document in changes.items()}

        async def store(key: str) -> None:
            set_e_tag(changes[key], await self._write_item(items[key], e_tags[key]))

        await _all(store(key) for key in changes)

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove the documents there are under `keys`, whoever wrote them last."""
        ids = [document_id(key) for key in keys]
        await _all(self._delete_item(item_id) for item_id in ids)

    async def connect(self) -> None:
        """
        Open the connections that a turn begins with, and get the token for them if there is one.

        Raises what `read` raises.
        """
        # The cheapest requests there are: a document that does not exist costs 1 RU.
        await self.read(_NOBODY)

    async def close(self) -> None:
        """Close the connections. The storage cannot be used afterwards."""
        await self.client.close()
        if self._credential is not None:
            await self._credential.close()

    async def _read_item(self, item_id: str) -> dict[str, Any] | None:
        return await self._request(
            lambda: self.container.read_item(item_id, partition_key=item_id),
            max_repeats=MAX_READ_REPEATS,
        )

    async def _write_item(self, item: dict[str, Any], e_tag: str | None) -> str:
        def send() -> Awaitable[dict[str, Any]]:
            if e_tag is None:
                return self.container.create_item(item)
            if e_tag == ANY_E_TAG:
                return self.container.upsert_item(item)
            # An upsert would bring back a document that somebody has deleted.
            return self.container.replace_item(
                item["id"], item, etag=e_tag, match_condition=MatchConditions.IfNotModified
            )

        stored = await self._request(send)
        if stored is not None:
            return str(stored["_etag"])
        # Nothing to replace; the other two can only have missed the container.
        raise container_missing() if e_tag in (None, ANY_E_TAG) else StateConflict(CONFLICT)

    async def _delete_item(self, item_id: str) -> None:
        await self._request(lambda: self.container.delete_item(item_id, partition_key=item_id))

    async def _request(
        self, send: Callable[[], Awaitable[dict[str, Any] | None]], *, max_repeats: int = 0
    ) -> dict[str, Any] | None:
        """Return the answer to `send`; None: the document does not exist."""
        patience = Patience(max_repeats)
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                while True:
                    try:
                        return await send()
                    except AzureError as error:
                        if is_absent(error):
                            return None
                        delay_s = patience.delay_s_after(translate(error))
                        now_s = asyncio.get_running_loop().time()
                        if delay_s is None or now_s + delay_s >= (limit.when() or 0):
                            raise translate(error) from error
                    await asyncio.sleep(delay_s)
        except TimeoutError as error:
            raise translate(error) from error


async def _all(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await `requests` at once, every one to its end, and then raise the first error if any."""
    requests = list(requests)
    if len(requests) == 1:
        # Most turns: no need of a task.
        return [await requests[0]]
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    results = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results


def _shorten_pipeline(connection: Any, transport: AioHttpTransport) -> None:
    """
    Take out of the way of a request what does nothing for it, a quarter of its CPU.

    The policies of azure-core repeat requests (switched off), find proxies (none), log
    headers (nowhere), and parse the answer, which azure-cosmos then parses again. With a managed
    identity, the one that brings the token stays.
    """
    connection.default_headers["User-Agent"] = connection._user_agent
    connection.pipeline_client = AsyncPipelineClient(
        base_url=connection.url_connection,
        transport=transport,
        policies=[
            policy
            for policy in connection.pipeline_client._pipeline._impl_policies
            if isinstance(policy, AsyncCosmosBearerTokenCredentialPolicy)
        ],
    )
    # Looked up in the environment by each request otherwise.
    azure_settings.tracing_enabled = azure_settings.tracing_enabled()


def _managed_identity(client_id: str | None) -> AsyncTokenCredential:
    # Here and not above: it takes 0.2 s to import, which an emulator's user need not wait.
    from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id)
