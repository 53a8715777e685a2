"""Whatever Cosmos DB's client and the network do, the storage raises StateErrors."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from shared.errors import (
    StateConflict,
    StateContainerMissing,
    StateError,
    StateNotStorable,
    StateThrottled,
    StateUnavailable,
    StateUnreadable,
)
from shared.settings import CosmosSettings
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.errors import DEFAULT_RETRY_AFTER_S
from shared.storage.cosmos.storage import CosmosStorage
from tests.unit.raw_channel import serve_raw
from tests.unit.storage.fake_cosmos import Answer, FakeCosmos, error, item
from tests.unit.storage.operations import Operation, create, delete, overwrite, read, replace

BRINGING_ITEMS = [read, create, replace, overwrite]
ALL = [*BRINGING_ITEMS, delete]


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


def saying(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=named)

    return answer


@pytest.mark.parametrize("operation", BRINGING_ITEMS)
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"5", b'"Ada"', b"[]", b"{}", b'{"_etag": 5}', b'{"_etag": ""}', b'["_etag"]'],
)
async def test_a_success_without_an_item_is_a_failure(
    cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation, body: bytes
) -> None:
    """Something in between has answered: the document is neither absent nor written for certain."""
    cosmos.otherwise = saying(body)
    with pytest.raises(StateUnavailable):
        await operation(storage)


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize(
    "answer",
    [
        saying(b"\xff"),
        saying(b'{"_etag": "\xed\xa0\x80"}'),
        saying(b"[" * 100_000),
        saying(b"{}", 404, x_ms_substatus="many"),
        saying(b"{}", 302, Location="http://127.0.0.1:9/"),
        saying(b"\xff", 503),
    ],
    ids=range(6),
)
async def test_an_answer_that_the_client_cannot_read_is_a_failure(
    cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation, answer: Answer
) -> None:
    """A write may have happened before."""
    cosmos.otherwise = answer
    with pytest.raises(StateError) as raised:
        await operation(storage)
    assert StateUnavailable is type(raised.value)


@pytest.mark.parametrize("operation", ALL)
async def test_what_is_not_http_is_a_failure(operation: Operation) -> None:
    """A port of something else."""
    with serve_raw() as other:
        other.answer, other.hang_up = b"Hello.\r\n\r\n", True
        settings = CosmosSettings(other.url, "bot", "state", key="YQ==", verify_tls=False)
        storage = CosmosStorage(settings, DocumentCodec([]))
        with pytest.raises(StateError) as raised:
            await operation(storage)
        await storage.close()
    assert StateUnavailable is type(raised.value)


@pytest.mark.parametrize(
    ("asked", "retry_after_s"),
    [("250", 0.25), ("-1", 0), *((odd, DEFAULT_RETRY_AFTER_S) for odd in ("", "x", "nan", "inf"))],
)
async def test_whatever_wait_is_asked_for_is_a_number(
    cosmos: FakeCosmos, storage: CosmosStorage, asked: str, retry_after_s: float
) -> None:
    """Nobody can sleep until NaN."""
    cosmos.otherwise = saying(b"{}", 429, x_ms_retry_after_ms=asked)
    with pytest.raises(StateThrottled) as raised:
        await create(storage)
    assert retry_after_s == raised.value.retry_after_s


@pytest.mark.parametrize("key", [5, None, ("a",), b"a", "a\ud800", ""])
@pytest.mark.parametrize("verb", ["read", "write", "delete"])
async def test_a_key_that_is_none_is_refused_before_anything_is_sent(
    cosmos: FakeCosmos, storage: CosmosStorage, key: Any, verb: str
) -> None:
    """Whatever its type."""
    with pytest.raises(StateNotStorable):
        await getattr(storage, verb)({key: {}})
    assert [] == cosmos.requests


@pytest.mark.parametrize("item_id", ["a ", "a\n", "a" * 256, "a/b", "a\\b", "a?b", "a#b", "a\tb"])
async def test_an_id_that_the_client_refuses_is_not_storable(
    cosmos: FakeCosmos, storage: CosmosStorage, item_id: str
) -> None:
    """azure-cosmos raises a bare ValueError for it."""
    with pytest.raises(StateNotStorable, match="ValueError"):
        await storage._write_item({"id": item_id, "realId": "a", "document": {}}, None)
    assert [] == cosmos.requests


async def test_a_document_that_the_codec_cannot_walk_is_not_storable(
    cosmos: FakeCosmos, storage: CosmosStorage
) -> None:
    """Such as one that contains itself."""
    document: dict[str, Any] = {}
    document["itself"] = document
    with pytest.raises(StateNotStorable):
        await storage.write({"key": document})
    assert [] == cosmos.requests


class Broken(DocumentCodec):
    """Fails in ways that a codec does not."""

    def encode(self, document: object) -> dict[str, Any]:
        raise RuntimeError("Ada")

    def decode(self, stored: object) -> object:
        raise RuntimeError("Ada")


@pytest.mark.parametrize(
    ("operation", "expected"), [(read, StateUnreadable), (create, StateNotStorable)]
)
async def test_an_error_of_any_type_becomes_one_of_state(
    cosmos: FakeCosmos, operation: Operation, expected: type[StateError]
) -> None:
    """With what it said left out, which may be anybody's data."""
    cosmos.otherwise = item()
    storage = CosmosStorage(cosmos.settings, Broken([]))
    with pytest.raises(expected, match="RuntimeError") as raised:
        await operation(storage)
    await storage.close()
    assert "Ada" not in str(raised.value)


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize(
    "raised",
    [
        RuntimeError("Session is closed"),
        AttributeError("'NoneType' object has no attribute 'connect'"),
        OSError("reset"),
        TimeoutError(),
        KeyError("token"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_the_network_raises_is_a_failure(
    cosmos: FakeCosmos,
    storage: CosmosStorage,
    operation: Operation,
    raised: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before any connection too: it says nothing against the document."""

    async def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("aiohttp.ClientSession._request", fail)
    with pytest.raises(StateUnavailable):
        await operation(storage)


@pytest.mark.parametrize("operation", ALL)
async def test_a_cancellation_stays_one(
    cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation
) -> None:
    """Whoever cancels waits for it."""
    arrived = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    cosmos.otherwise = answer
    task = asyncio.ensure_future(operation(storage))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_closed_storage_opens_anew(cosmos: FakeCosmos, storage: CosmosStorage) -> None:
    """A turn that is still under way when the worker closes does not fail for it."""
    cosmos.otherwise = item()
    await read(storage)
    await storage.close()
    await read(storage)
    assert 2 == len(cosmos.requests)


async def test_what_arrived_while_a_bot_computed_is_in_time() -> None:
    """A bot that blocks the event loop for longer than a request may take fails no write by it."""
    with serve_raw() as server:
        body = b'{"id": "key", "_etag": "1", "document": {}}'
        server.answer = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        server.may_answer = threading.Event()
        settings = CosmosSettings(server.url, "bot", "state", key="YQ==", verify_tls=False)
        storage = CosmosStorage(settings, DocumentCodec([]), timeout_s=0.2)
        document: dict[str, Any] = {"name": "Ada"}
        writing = asyncio.create_task(storage.write({"key": document}))
        await asyncio.to_thread(server.asked.wait)
        server.may_answer.set()
        time.sleep(0.5)  # noqa: ASYNC251  # as a bot would
        await writing
        await storage.close()
    assert "1" == document["e_tag"]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [(create, StateContainerMissing), (overwrite, StateContainerMissing), (replace, StateConflict)],
)
async def test_absence_is_still_told_from_an_odd_answer(
    cosmos: FakeCosmos, storage: CosmosStorage, operation: Operation, expected: type[StateError]
) -> None:
    """Only a 404 is one."""
    cosmos.otherwise = error(404)
    with pytest.raises(expected):
        await operation(storage)
