"""State in Cosmos DB."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy

from shared.connections.departures import Departure
from shared.connections.per_loop import PerLoop
from shared.connections.resolver import Resolver
from shared.connections.time_limit import TimeLimit
from shared.errors import StateConflict
from shared.settings import CosmosSettings
from shared.storage.accessor import tell_unreadable
from shared.storage.base import StateStorage
from shared.storage.codec.documents import Document, DocumentCodec
from shared.storage.cosmos.client import ContainerClient, load_managed_identity
from shared.storage.cosmos.errors import (
    READING,
    STORING,
    container_missing,
    is_absent,
    no_item,
    translate,
)
from shared.storage.cosmos.retries import Retries
from shared.storage.cosmos.sdk import CosmosDbPartitionedConfig, CosmosDbPartitionedStorage
from shared.storage.document_ids import document_id
from shared.storage.etags import ANY_E_TAG, CONFLICT, e_tag_of, set_e_tag
from shared.storage.items import document_in, item_of
from shared.storage.sizes import to_json

OPERATION_TIMEOUT_S = 5.0
"""For one document to be read, written or deleted, all repetitions included."""

FIND_TIMEOUT_S = 20.0
"""For a search through all documents."""

MAX_READ_REPEATS = 2
"""After failures that are not the request's fault. Writes are not repeated: see `write`."""

_NOBODY = ("-", "--")
"""Keys that no document has: a turn reads two at once."""

T = TypeVar("T")


class CosmosStorage(CosmosDbPartitionedStorage, StateStorage):
    """
    The SDK's documents, keys and container, without its management calls and blocking ones.

    It has one client for each event loop; make one storage per worker. The container must exist,
    with the partition key /id. Nothing but requests for documents is sent, not even one for the
    account: all go to `endpoint`, which Azure directs to the region that takes writes.
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
        Send nothing yet.

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
        resolver = Resolver()
        self._clients = PerLoop(
            lambda: ContainerClient(settings, identity_client_id, resolver), ContainerClient.close
        )
        if not settings.key:
            load_managed_identity()

    @property
    def container(self) -> ContainerProxy:
        """azure-cosmos' client of the container, for the running event loop."""
        return self._clients.get().container

    @container.setter
    def container(self, _: None) -> None:
        """The SDK's constructor says that there is none yet."""

    async def initialize(self) -> None:
        """Do nothing: the SDK's creates databases and containers."""

    async def read(self, keys: Iterable[str]) -> dict[str, Document]:
        """Return the documents there are, in `timeout_s` seconds. See `StateStorage.read`."""
        with STORING:
            ids = {key: document_id(key) for key in keys}
        items = await _all(self._read_item(item_id) for item_id in ids.values())
        found = {}
        with READING:
            for key, item in zip(ids, items, strict=True):
                if item is not None:
                    found[key] = self._codec.decode(document_in(item, key))
                    set_e_tag(found[key], item["_etag"])
        return found

    async def write(self, changes: dict[str, Document]) -> None:
        """
        Store each document if nobody else has, in `timeout_s` seconds. See `StateStorage.write`.

        A write is not repeated once its outcome is in doubt, but the connection below may do
        so once by itself: that is where the echo of a write as StateConflict comes from.
        """
        with STORING:
            items = {
                key: item_of(key, self._codec.encode(document)) for key, document in changes.items()
            }
            e_tags = {key: e_tag_of(document) for key, document in changes.items()}

        async def store(key: str) -> None:
            set_e_tag(changes[key], await self._write_item(items[key], e_tags[key]))

        await _all(store(key) for key in changes)

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove the documents there are. See `StateStorage.delete`."""
        with STORING:
            ids = [document_id(key) for key in keys]
        await _all(self._delete_item(item_id) for item_id in ids)

    async def find(self, path: tuple[str, ...], unchanged_s: float) -> list[str]:
        """
        Return the keys of documents with something at `path`. See `StateStorage.find`.

        It is a query over all partitions, in `FIND_TIMEOUT_S` seconds: without an index of
        `path` it reads every document there is.
        """
        place = "".join(f"[{json.dumps(name)}]" for name in ("document", *path))
        query = f"SELECT c.realId, c._ts FROM c WHERE IS_DEFINED(c{place})"  # noqa: S608
        try:
            async with TimeLimit.after(FIND_TIMEOUT_S):
                found = [item async for item in self.container.query_items(query)]
                now_s = _sent_at_s(self.container.client_connection.last_response_headers)
        except Exception as error:
            raise translate(error) from error
        return [item["realId"] for item in found if item["_ts"] <= now_s - unchanged_s]

    def encode(self, document: Document) -> bytes:
        """Return what is stored for it. See `StateStorage.encode`."""
        with STORING:
            return to_json(self._codec.encode(document))

    async def connect(self) -> None:
        """Open the connections that a turn begins with, and get the token if one is needed."""
        # The cheapest requests there are: a document that does not exist costs 1 RU.
        await self.read(_NOBODY)

    async def close(self) -> None:
        """Close the connections of all event loops. See `StateStorage.close`."""
        await self._clients.close()

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
        await self._request(
            lambda: self.container.delete_item(item_id, partition_key=item_id), brings_item=False
        )

    async def _request(
        self,
        send: Callable[[], Awaitable[dict[str, Any] | None]],
        *,
        max_repeats: int = 0,
        brings_item: bool = True,
    ) -> dict[str, Any] | None:
        """Return the answer to `send`, an item with its ETag; None: the document does not exist."""
        retries = Retries(max_repeats)
        departure = Departure.watch()
        try:
            async with TimeLimit.after(self._timeout_s) as limit:
                while True:
                    try:
                        answer = await send()
                        if brings_item and not _is_item(answer):
                            raise no_item()
                        return answer
                    except Exception as error:
                        if is_absent(error):
                            return None
                        meant = translate(error, may_have_left=departure.possible)
                        delay_s = retries.delay_s_after(meant)
                        now_s = asyncio.get_running_loop().time()
                        if delay_s is None or now_s + delay_s >= limit.until_s:
                            raise meant from error
                    await asyncio.sleep(delay_s)
        except TimeoutError as error:
            raise translate(error) from error


async def _all(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await `requests` at once, every one to its end, and then raise the first error if any."""
    requests = list(requests)
    if len(requests) == 1:
        # Most turns: no need for a task.
        return [await requests[0]]
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    results = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results


def _is_item(answer: object) -> bool:
    e_tag = answer.get("_etag") if isinstance(answer, dict) else None
    return isinstance(e_tag, str) and e_tag != ""


def _sent_at_s(headers: Mapping[str, str]) -> float:
    """When the store gave an answer, by its own clock, in seconds since 1970."""
    return parsedate_to_datetime(headers["Date"]).timestamp()
