"""For how long a service is asked again that does not answer as it should."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport

from local.bootstrap import development_storage
from local.functions_host.triggers.queue import Queue


class Ill(AsyncHttpResponse):
    """The answer 503."""

    def __init__(self, request: Any) -> None:
        super().__init__(request, None)
        self.status_code = 503
        self.headers = {}

    def body(self) -> bytes:
        """Return nothing."""
        return b""

    async def load_body(self) -> None:
        """Do nothing."""


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


@pytest.mark.parametrize("outcome", [refused, broken, Ill])
def test_trouble_of_less_than_24_seconds_is_got_over(outcome: Callable[[Any], Any]) -> None:
    """There are six tries, and from 24 to 27 s between the first and the last."""
    trouble = Trouble(outcome)
    queue = Queue(development_storage.connection_string(), "queue", transport=trouble)

    with pytest.raises(AzureError):
        asyncio.run(queue.receive(1, 1.0))

    assert 6 == trouble.sent
    assert 24 <= trouble.waited_s <= 27
