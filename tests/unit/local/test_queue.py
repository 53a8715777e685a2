"""What becomes of requests that a queue does not answer as it should."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport

from local.bootstrap import development_storage
from local.functions_host.triggers.queue import Message, Queue


class Answer(AsyncHttpResponse):
    """An answer with nothing but a status."""

    def __init__(self, request: Any, status: int) -> None:
        super().__init__(request, None)
        self.status_code = status
        self.headers = {}
        self.content_type = None

    def body(self) -> bytes:
        """Return nothing."""
        return b""

    async def load_body(self) -> None:
        """Do nothing."""


def answering(status: int) -> Callable[[Any], Answer]:
    """Each request gets this status."""
    return lambda request: Answer(request, status)


def refused(_: Any) -> Any:
    """The request does not arrive."""
    raise ServiceRequestError("refused")


def broken(_: Any) -> Any:
    """The answer does not arrive."""
    raise ServiceResponseError("broken off")


class Trouble(AsyncHttpTransport[Any, Any]):
    """Each request ends in the same way, and waits take no time."""

    def __init__(self, outcome: Callable[[Any], Any]) -> None:
        self._outcome = outcome
        self.sent = 0
        self.waited_s = 0.0

    async def __aexit__(self, *exc_info: object) -> None:
        """Do nothing."""

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def send(self, request: Any, **options: Any) -> Any:
        """Answer, or fail."""
        self.sent += 1
        return self._outcome(request)

    async def sleep(self, duration: float) -> None:
        """Write it down instead."""
        self.waited_s += duration


def queue_in(trouble: Trouble) -> Queue:
    """A queue that is asked this way."""
    return Queue(development_storage.connection_string(), "queue", transport=trouble)


def message() -> Message:
    """One that was received some time ago."""
    now = datetime.now(UTC)
    return Message("id", "text", 1, "receipt", now, now, now)


@pytest.mark.parametrize("outcome", [refused, broken, answering(503)])
def test_trouble_of_less_than_24_seconds_is_got_over(outcome: Callable[[Any], Any]) -> None:
    """There are six tries, and from 24 to 27 s between the first and the last."""
    trouble = Trouble(outcome)

    with pytest.raises(AzureError):
        asyncio.run(queue_in(trouble).receive(1, 1.0))

    assert 6 == trouble.sent
    assert 24 <= trouble.waited_s <= 27


@pytest.mark.parametrize("status", [400, 404])
def test_a_message_that_another_has_by_now_is_left_to_it(status: int) -> None:
    """Its receipt is no longer valid: it is neither hidden nor deleted, and that is no error."""
    trouble = Trouble(answering(status))

    is_hidden = asyncio.run(queue_in(trouble).hide(message(), 600.0))
    asyncio.run(queue_in(trouble).delete(message()))

    assert not is_hidden
    assert 2 == trouble.sent


def test_a_message_that_may_not_be_hidden_is_an_error() -> None:
    """Nor may it be deleted: at this the Functions host stops."""
    trouble = Trouble(answering(403))

    with pytest.raises(AzureError):
        asyncio.run(queue_in(trouble).hide(message(), 600.0))
    with pytest.raises(AzureError):
        asyncio.run(queue_in(trouble).delete(message()))

    assert 2 == trouble.sent
