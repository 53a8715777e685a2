"""Listens to a queue and runs a function for each message, by the Functions host's rules."""

import asyncio
import logging
from collections.abc import Sequence
from random import Random
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from local.functions_host.triggers.backoff import Backoff
from local.functions_host.triggers.queue import Message, Queue
from local.functions_host.triggers.queue_messages import decoded, to_function
from local.functions_host.triggers.queue_settings import QueueSettings
from local.functions_host.triggers.runner import Runner
from local.functions_host.triggers.under_way import UnderWay
from local.functions_host.triggers.waiting import within

POISON = "-poison"

_SERVER_ERROR = 500
_CONFLICT = 409

log = logging.getLogger("local.functions_host.triggers")


class QueueListener:
    """
    One function and its queue.

    A message is hidden from everybody while it is run: for `hidden_s` seconds, and again for as
    long whenever half of that is over. If the host dies it comes back after that time.
    """

    def __init__(
        self,
        queue: Queue,
        poison_queue: Queue | None,
        runner: Runner,
        settings: QueueSettings,
        hidden_s: float,
        random: Random,
        under_way: UnderWay,
        left: Sequence[Message],
    ) -> None:
        """
        Without a poison queue, which a poison queue has not, a failed message stays hidden.

        `left` are those whose runs have died with the last worker.
        """
        self._queue = queue
        self._poison_queue = poison_queue
        self._runner = runner
        self._settings = settings
        self._hidden_s = hidden_s
        self._random = random
        self._under_way = under_way
        self._left = list(left)
        self._queue_is_there = False
        self._runs: set[asyncio.Task[None]] = set()
        self._as_bytes = runner.function.binding.get("dataType") == "binary"

    async def listen(self, stop: asyncio.Event) -> None:
        """
        Receive messages and start runs until `stop`; return when all runs have ended.

        Raises:
            AzureError: what would stop the Functions host: the queue refuses a request, or cannot
                be reached. Runs under way go on.
        """
        backoff = Backoff(self._settings.max_polling_interval_s, self._random)
        stopped = asyncio.create_task(stop.wait())
        try:
            while self._left:
                await self._fail_with_worker(self._left.pop())
            while not stop.is_set():
                messages = await self._receive()
                if stop.is_set():
                    # The Functions host drops them, which hides them for as long as a death would.
                    await self._give_back(messages)
                elif messages:
                    self._runs |= {asyncio.create_task(self._process(each)) for each in messages}
                    backoff.reset()
                    await self._wait_for_room(stopped)
                else:
                    await self._pause(backoff.next_s(), stopped)
            while self._runs:
                await self._next_end()
        finally:
            stopped.cancel()

    async def close(self, *, is_replaced: bool) -> None:
        """Give the connections back."""
        await self._queue.close()
        if self._poison_queue is not None:
            await self._poison_queue.close()

    async def _receive(self) -> list[Message]:
        """Return the next messages: none while the queue is missing or the service is ill."""
        try:
            self._queue_is_there = self._queue_is_there or await self._queue.exists()
            if not self._queue_is_there:
                return []
            return await self._queue.receive(self._settings.batch_size, self._hidden_s)
        except HttpResponseError as error:
            self._queue_is_there = False
            status = error.status_code or 0
            is_missing = isinstance(error, ResourceNotFoundError)
            if is_missing or status == _CONFLICT or status >= _SERVER_ERROR:
                return []
            raise

    async def _give_back(self, messages: list[Message]) -> None:
        for message in messages:
            await self._queue.hide(message, 0)

    async def _wait_for_room(self, stopped: "asyncio.Task[Any]") -> None:
        while len(self._runs) > self._settings.new_batch_threshold and not stopped.done():
            await self._next_end(stopped)

    async def _pause(self, wait_s: float, stopped: "asyncio.Task[Any]") -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        while (left_s := until_s - loop.time()) > 0 and not stopped.done():
            await self._next_end(stopped, left_s)

    async def _next_end(
        self, stopped: "asyncio.Task[Any] | None" = None, timeout_s: float | None = None
    ) -> None:
        """Wait until a run ends, or the listener stops, or the time is over."""
        others = {stopped} if stopped else set()
        done, _ = await asyncio.wait(
            self._runs | others, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        ended = done & self._runs
        self._runs -= ended
        failures = [run.exception() for run in ended]
        for failure in failures:
            if failure is not None:
                raise failure

    async def _process(self, message: Message) -> None:
        if message.dequeue_count > self._settings.max_dequeue_count:
            await self._fail(message)
            return
        try:
            body = decoded(message.text, is_base64=self._settings.base64)
        except ValueError:
            log.warning(
                "Message decoding has failed! Check MessageEncoding settings. MessageId=%s.",
                message.id,
            )
            await self._poison(message)
            return
        with self._under_way.run(self._runner.function.name, message.id, message):
            if await self._run_hidden(message, body):
                await self._queue.delete(message)
            else:
                await self._fail(message)

    async def _run_hidden(self, message: Message, body: bytes) -> bool:
        """Return whether the run has succeeded. Meanwhile nobody else sees the message."""
        ended = asyncio.Event()
        run = asyncio.create_task(self._run(message, body))
        renewal = asyncio.create_task(self._keep_hidden(message, ended))
        await asyncio.wait({run, renewal}, return_when=asyncio.FIRST_COMPLETED)
        if not run.done():
            # The Functions host would stop now, with the run in it: its end changes nothing.
            await renewal
        ended.set()
        succeeded = await run
        # A renewal under way changes the receipt, so its answer must be known.
        await renewal
        return succeeded

    async def _run(self, message: Message, body: bytes) -> bool:
        return await self._runner.run(
            to_function(message, body, as_bytes=self._as_bytes),
            reason=f"New queue message detected on '{self._queue.name}'.",
            details=(
                f"MessageId: {message.id}, DequeueCount: {message.dequeue_count}, "
                f"InsertionTime: {message.inserted_on.isoformat(timespec='milliseconds')}"
            ),
        )

    async def _keep_hidden(self, message: Message, ended: asyncio.Event) -> None:
        is_ours = True
        while not await within(self._hidden_s / 2, ended):
            # Once somebody else has it the run goes on, but nothing is left to be kept.
            is_ours = is_ours and await self._queue.hide(message, self._hidden_s)
            self._under_way.tell(self._runner.function.name, message.id, message)

    async def _fail_with_worker(self, message: Message) -> None:
        log.error("Executed 'Functions.%s' (Failed): its worker died.", self._runner.function.name)
        await self._fail(message)

    async def _fail(self, message: Message) -> None:
        if self._poison_queue is None:
            return
        if message.dequeue_count >= self._settings.max_dequeue_count:
            await self._poison(message)
        else:
            await self._queue.hide(message, self._settings.visibility_timeout_s)

    async def _poison(self, message: Message) -> None:
        if self._poison_queue is None:
            return
        log.warning(
            "Message has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            self._settings.max_dequeue_count,
            self._poison_queue.name,
        )
        await self._poison_queue.put(message.text)
        await self._queue.delete(message)
