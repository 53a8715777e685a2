"""When a queue is asked for messages, and when those that are run are hidden again."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from local.functions_host.triggers.queue import Message
from local.functions_host.triggers.queue_listener import QueueListener
from local.functions_host.triggers.queue_settings import QueueSettings
from local.functions_host.triggers.under_way import UnderWay
from tests.simulation.loop import SimulatedLoop
from tests.unit.local.chance import Middle

HIDDEN_S = 600.0

_NOW = datetime(2026, 11, 29, tzinfo=UTC)


class Refused(Exception):
    """The queue takes no more updates."""


class FakeQueue:
    """A queue in memory that answers at once and writes down when it was asked for what."""

    name = "queue"

    def __init__(self) -> None:
        self._waiting: list[tuple[float, Message]] = []
        self.asked: list[tuple[float, int]] = []
        """When for messages, and how many there were."""
        self.hidden: list[tuple[float, float]] = []
        """When a message was hidden again, and for how many seconds."""
        self.deleted: list[float] = []
        self.answers_after_s = 0.0
        self.refuses_updates = False
        self.troubles: list[Exception] = []
        """What comes instead of the next answers."""
        self.is_taken = False
        """Whether another host has received the messages by now."""

    def add(self, *runs_s: float, at_s: float = 0.0) -> None:
        """Have messages from that time on, each with how long its run is to take."""
        for run_s in runs_s:
            message = Message(str(uuid4()), str(run_s), 1, "receipt", _NOW, _NOW, _NOW)
            self._waiting.append((at_s, message))

    async def exists(self) -> bool:
        return True

    async def receive(self, count: int, hidden_s: float) -> list[Message]:
        received = [each for each in self._waiting if each[0] <= _now_s()][:count]
        self._waiting = [each for each in self._waiting if each not in received]
        self.asked.append((_now_s(), len(received)))
        if self.troubles:
            raise self.troubles.pop()
        await asyncio.sleep(self.answers_after_s)
        return [message for _, message in received]

    async def hide(self, message: Message, hidden_s: float) -> bool:
        if self.refuses_updates:
            raise Refused
        self.hidden.append((_now_s(), hidden_s))
        return not self.is_taken

    async def delete(self, message: Message) -> None:
        self.deleted.append(_now_s())


class FakeRunner:
    """Runs take as long as their messages say, and succeed."""

    function = SimpleNamespace(name="OnMessage", binding={})

    async def run(self, argument: Any, reason: str, details: str = "") -> bool:
        await asyncio.sleep(float(argument.get_body()))
        return True


def refusal(status: int) -> HttpResponseError:
    """An answer that the client takes for an error."""
    error = ResourceNotFoundError() if status == 404 else HttpResponseError()
    error.status_code = status
    return error


@pytest.fixture
def queue() -> FakeQueue:
    """An empty queue."""
    return FakeQueue()


def play(queue: FakeQueue, for_s: float, **settings: Any) -> float:
    """Listen to the queue for so long, in no time at all; return when the listener has ended."""
    asked: Any = queue
    runner: Any = FakeRunner()
    queue_settings = QueueSettings(base64=False, **settings)
    listener = QueueListener(
        asked, None, runner, queue_settings, HIDDEN_S, Middle(), UnderWay(None), []
    )
    ended: list[float] = []

    async def listen() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(for_s, stop.set)
        try:
            await listener.listen(stop)
        finally:
            ended.append(_now_s())

    with suppress(Refused, HttpResponseError):
        SimulatedLoop(Random(0)).run(listen())
    return ended[0]


def test_an_empty_queue_is_asked_at_once_and_then_ever_less_often(queue: FakeQueue) -> None:
    """The waits double, and end at the longest interval."""
    play(queue, 8.0, max_polling_interval_s=2.0)

    assert [0.0, 0.1, 0.3, 0.6, 1.1, 2.0, 3.7, 5.7, 7.7] == _times(queue)


def test_only_a_message_begins_it_anew(queue: FakeQueue) -> None:
    """After one the queue is asked again without a wait, and then after 0.1 s."""
    queue.add(0.01, at_s=10.0)

    play(queue, 20.0, max_polling_interval_s=60.0)

    assert [7.0, 13.5, 13.5, 13.6, 13.8] == _times(queue)[7:12]


def test_a_batch_follows_a_batch_without_a_wait(queue: FakeQueue) -> None:
    """As long as no more than newBatchThreshold are under way."""
    queue.add(*[1.0] * 7)

    play(queue, 0.5, batch_size=2, new_batch_threshold=4)

    assert [(0.0, 2), (0.0, 2), (0.0, 2)] == queue.asked


def test_too_many_runs_keep_the_next_batch_waiting(queue: FakeQueue) -> None:
    """The queue is not even asked until enough of them have ended."""
    queue.add(3.0, 5.0, 9.0, 1.0, 1.0)

    play(queue, 5.5, batch_size=3, new_batch_threshold=1)

    assert [(0.0, 3), (5.0, 2)] == queue.asked


def test_a_long_run_hides_its_message_again_every_five_minutes(queue: FakeQueue) -> None:
    """For ten minutes each time, until it has ended and the message is deleted."""
    queue.add(720.0)

    play(queue, 725.0)

    assert [(300.0, 600.0), (600.0, 600.0)] == queue.hidden
    assert [720.0] == queue.deleted


def test_a_renewal_that_fails_stops_the_listener_during_the_run(queue: FakeQueue) -> None:
    """The message stays, and its run goes on for nothing."""
    queue.add(720.0)
    queue.refuses_updates = True

    ended_at_s = play(queue, 800.0)

    assert 300.0 == ended_at_s
    assert [] == queue.deleted


def test_a_message_that_another_has_by_now_is_not_renewed_again(queue: FakeQueue) -> None:
    """The run goes on to its end, and the listener with it."""
    queue.add(1000.0)
    queue.is_taken = True

    ended_at_s = play(queue, 1100.0)

    assert [(300.0, 600.0)] == queue.hidden
    assert 1100.0 <= ended_at_s


def test_what_a_stop_finds_in_an_answer_is_given_back(queue: FakeQueue) -> None:
    """It is visible at once, and not run."""
    queue.add(1.0, 1.0)
    queue.answers_after_s = 1.5

    play(queue, 0.5)

    assert [(1.5, 0)] * 2 == queue.hidden
    assert [] == queue.deleted


@pytest.mark.parametrize("status", [404, 409, 500, 503])
def test_a_queue_that_is_missing_or_ill_is_asked_on(queue: FakeQueue, status: int) -> None:
    """In the same rhythm as one that is empty."""
    queue.troubles = [refusal(status)] * 3

    ended_at_s = play(queue, 1.0)

    assert [0.0, 0.1, 0.3, 0.6] == _times(queue)[:4]
    assert 1.0 <= ended_at_s


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_queue_that_refuses_stops_the_listener(queue: FakeQueue, status: int) -> None:
    """At its first answer."""
    queue.troubles = [refusal(status)]

    assert 0.0 == play(queue, 1.0)


def _times(queue: FakeQueue) -> list[float]:
    return [round(at, 3) for at, _ in queue.asked]


def _now_s() -> float:
    return asyncio.get_running_loop().time()
