"""What goes over the wire to Cosmos DB, and what its answers become."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from botbuilder.azure import CosmosDbPartitionedStorage

from shared.errors import (
    StateConflict,
    StateContainerMissing,
    StateError,
    StateForbidden,
    StateThrottled,
    StateTooLarge,
    StateUnavailable,
    StateUnreadable,
)
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.retries import MAX_THROTTLED_REPEATS
from shared.storage.cosmos.storage import MAX_READ_REPEATS, CosmosStorage
from tests.unit.storage.fake_cosmos import (
    Answer,
    FakeCosmos,
    break_off,
    error,
    hang_up,
    item,
    say_nothing,
    talk_html,
)
from tests.unit.storage.operations import Operation, create, delete, overwrite, read, replace

DOCS = "/dbs/bot/colls/state/docs"

WRITES = [create, replace, overwrite, delete]
ALL = [read, *WRITES]


@pytest.fixture
async def cosmos() -> AsyncIterator[FakeCosmos]:
    fake = FakeCosmos()
    async with fake.serve():
        yield fake


@pytest.fixture
async def storage(cosmos: FakeCosmos) -> AsyncIterator[CosmosStorage]:
    made = CosmosStorage(cosmos.settings, DocumentCodec([]))
    yield made
    await made.close()


class TestRequests:
    @pytest.mark.parametrize(
        ("operation", "answer", "request_line"),
        [
            (read, item(), f"GET {DOCS}/key"),
            (create, item(), f"POST {DOCS}"),
            (replace, item(), f"PUT {DOCS}/key"),
            (overwrite, item(), f"POST {DOCS}"),
            (delete, error(404), f"DELETE {DOCS}/key"),
        ],
    )
    async def test_the_first_operation_is_the_first_request(
        self,
        cosmos: FakeCosmos,
        storage: CosmosStorage,
        operation: Operation,
        answer: Answer,
        request_line: str,
    ) -> None:
        """No account, database or container is asked for, let alone created, before or after."""
        cosmos.otherwise = answer
        await operation(storage)
        await operation(storage)
        assert [request_line] * 2 == cosmos.requests

    async def test_the_sdks_initialize_does_nothing(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """The storage is one of the SDK's, and creates nothing when it is used as one."""
        assert isinstance(storage, CosmosDbPartitionedStorage)
        await storage.initialize()
        assert [] == cosmos.requests

    async def test_the_partition_key_is_the_id(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """Reads, writes and deletions name the escaped key as the document's partition."""
        cosmos.otherwise = item()
        await storage.read(["a/b"])
        await storage.write({"a/b": {}})
        await storage.delete(["a/b"])
        assert [["a*47b"]] * 3 == [
            json.loads(headers["x-ms-documentdb-partitionkey"]) for headers in cosmos.headers
        ]

    async def test_requests_say_which_library_sends_them(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """Microsoft's support asks for it."""
        await storage.read(["key"])

        assert cosmos.headers[0]["User-Agent"].startswith("azsdk-python-cosmos")

    async def test_a_replacement_is_conditional(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """The ETag that was read goes along; the new one comes back."""
        cosmos.otherwise = item(e_tag='"2"')
        document = {"e_tag": '"1"'}
        await storage.write({"key": document})
        assert ('"1"', '"2"') == (cosmos.headers[0]["If-Match"], document["e_tag"])

    async def test_fifty_conversations_are_read_at_once(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """Every answer waits until all requests are there, so none may wait for another."""
        all_there = asyncio.Barrier(50)

        async def answer(request: web.Request) -> web.StreamResponse:
            await all_there.wait()
            return await item({"name": "Ada"})(request)

        cosmos.otherwise = answer
        found = await asyncio.gather(*(storage.read([f"key-{n}"]) for n in range(50)))
        assert [{"name": "Ada", "e_tag": '"1"'}] * 50 == [
            document for documents in found for document in documents.values()
        ]

    async def test_the_keys_of_one_read_are_read_at_once(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """A turn waits for its two documents as long as for one."""
        both_there = asyncio.Barrier(2)

        async def answer(request: web.Request) -> web.StreamResponse:
            await both_there.wait()
            return await item()(request)

        cosmos.otherwise = answer
        assert {"conversation", "user"} == (await storage.read(["conversation", "user"])).keys()


class TestFailures:
    @pytest.mark.parametrize("operation", ALL)
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (error(400), StateError),
            (error(401), StateForbidden),
            (error(403), StateForbidden),
            (error(403, 5300), StateForbidden),
            (error(403, 3), StateUnavailable),
            (error(404, 1002), StateUnavailable),
            (error(404, 1003), StateContainerMissing),
            (error(408), StateUnavailable),
            (error(409), StateConflict),
            (error(410), StateUnavailable),
            (error(412), StateConflict),
            (error(413), StateTooLarge),
            (error(429, retry_after_ms="0"), StateThrottled),
            (error(449), StateConflict),
            (error(500), StateUnavailable),
            (error(503), StateUnavailable),
            (hang_up, StateUnavailable),
            (break_off, StateUnavailable),
        ],
    )
    async def test_each_failure_is_an_error_of_its_own(
        self,
        cosmos: FakeCosmos,
        storage: CosmosStorage,
        operation: Operation,
        answer: Answer,
        expected: type[StateError],
    ) -> None:
        """And says nothing of what the server said, which may be anybody's data."""
        cosmos.otherwise = answer
        with pytest.raises(StateError) as raised:
            await operation(storage)
        assert expected is type(raised.value)
        assert "Ada" not in str(raised.value)

    @pytest.mark.parametrize(
        ("operation", "expected"),
        [
            (create, StateContainerMissing),
            (overwrite, StateContainerMissing),
            (replace, StateConflict),
        ],
    )
    async def test_not_found_means_what_the_write_could_miss(
        self,
        cosmos: FakeCosmos,
        storage: CosmosStorage,
        operation: Operation,
        expected: type[StateError],
    ) -> None:
        """A replacement misses its document; a creation can only miss the container."""
        cosmos.otherwise = error(404)
        with pytest.raises(expected):
            await operation(storage)

    async def test_a_missing_role_is_named(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """Whoever reads the error knows what to give to whom."""
        cosmos.otherwise = error(403)
        with pytest.raises(StateForbidden, match="Built-in Data Contributor"):
            await read(storage)

    @pytest.mark.parametrize("operation", [read, create])
    async def test_an_answer_that_is_not_json_is_a_failure(
        self, cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation
    ) -> None:
        """A proxy in between may answer, and not in JSON."""
        cosmos.otherwise = talk_html
        with pytest.raises(StateUnavailable):
            await operation(storage)

    async def test_an_item_without_a_document_is_refused(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """Something else writes to the container."""

        async def other(_: web.Request) -> web.StreamResponse:
            return web.json_response({"id": "key", "_etag": '"1"', "name": "Ada"})

        cosmos.otherwise = other
        with pytest.raises(StateUnreadable, match="does another app write there"):
            await read(storage)

    @pytest.mark.parametrize("operation", ALL)
    async def test_silence_is_a_failure(self, cosmos: FakeCosmos, operation: Operation) -> None:
        """After `timeout_s` seconds the turn goes on, and the connection is given up."""
        cosmos.otherwise = say_nothing
        storage = CosmosStorage(cosmos.settings, DocumentCodec([]), timeout_s=0.05)
        with pytest.raises(StateUnavailable):
            await operation(storage)
        await storage.close()

    async def test_nobody_there_is_a_failure(self) -> None:
        """A connection that is refused is no different from an answer that does not come."""
        gone = FakeCosmos()
        async with gone.serve():
            pass
        storage = CosmosStorage(gone.settings, DocumentCodec([]))
        with pytest.raises(StateUnavailable):
            await create(storage)
        await storage.close()

    async def test_one_failure_of_several_reads_is_told_after_all(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """No request is left behind that nobody waits for."""
        cosmos.script.extend([error(403), item()])
        with pytest.raises(StateForbidden):
            await storage.read(["one", "two"])
        assert 2 == len(cosmos.requests)


class TestRepetition:
    @pytest.mark.parametrize("operation", ALL)
    async def test_a_throttled_request_is_repeated_when_the_server_says(
        self, cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation
    ) -> None:
        """It was not carried out, so a write may be repeated too, but not before Retry-After."""
        cosmos.script.append(error(429, retry_after_ms="60"))
        cosmos.otherwise = item()
        await operation(storage)
        assert 2 == len(cosmos.requests)
        assert cosmos.arrived_s[1] - cosmos.arrived_s[0] >= 0.06

    async def test_patience_ends_by_number(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """A server that goes on refusing is believed, and its last wish is handed on."""
        cosmos.otherwise = error(429, retry_after_ms="2")
        with pytest.raises(StateThrottled) as raised:
            await create(storage)
        assert 0.002 == raised.value.retry_after_s
        assert 1 + MAX_THROTTLED_REPEATS == len(cosmos.requests)

    async def test_patience_ends_by_seconds(
        self, cosmos: FakeCosmos, storage: CosmosStorage
    ) -> None:
        """A delay that the turn does not have is not begun."""
        cosmos.otherwise = error(429, retry_after_ms="60000")
        with pytest.raises(StateThrottled) as raised:
            await create(storage)
        assert 60.0 == raised.value.retry_after_s
        assert 1 == len(cosmos.requests)

    @pytest.mark.parametrize("answer", [error(503), error(500), error(404, 1002), break_off])
    async def test_a_failed_read_is_repeated(
        self, cosmos: FakeCosmos, storage: CosmosStorage, answer: Answer
    ) -> None:
        """Reading twice harms nobody."""
        cosmos.script.extend([answer] * MAX_READ_REPEATS)
        cosmos.otherwise = item({"name": "Ada"})
        assert "Ada" == (await storage.read(["key"]))["key"]["name"]
        assert 1 + MAX_READ_REPEATS == len(cosmos.requests)

    @pytest.mark.parametrize("operation", WRITES)
    @pytest.mark.parametrize("answer", [error(500), error(503), error(408), break_off])
    async def test_a_failed_write_is_not_repeated(
        self, cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation, answer: Answer
    ) -> None:
        """It may have happened: who wrote finds out by reading."""
        cosmos.script.append(answer)
        cosmos.otherwise = item()
        with pytest.raises(StateUnavailable):
            await operation(storage)
        assert 1 == len(cosmos.requests)
