"""Each event loop has connections of its own."""

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from botbuilder.schema import Activity

from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.channel.single_flight import SingleFlight
from shared.channel.tokens import TokenSource
from shared.connections.per_loop import PerLoop
from tests.unit.raw_channel import RawChannel, serve_raw


class Kept:
    """Something that can be closed where it was made."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed_in: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed_in = asyncio.get_running_loop()


async def get(each: PerLoop[Kept]) -> Kept:
    return each.get()


@pytest.fixture
def each() -> PerLoop[Kept]:
    return PerLoop(Kept, Kept.close)


def test_a_loop_gets_its_own(each: PerLoop[Kept]) -> None:
    """One after the other, and what the first had is closed in it, by its end."""

    async def twice() -> tuple[Kept, Kept]:
        return each.get(), each.get()

    (first, again), (second, _) = asyncio.run(twice()), asyncio.run(twice())
    assert first is again
    assert first is not second
    assert [first.loop, second.loop] == [first.closed_in, second.closed_in]


def test_loops_at_the_same_time_get_their_own(each: PerLoop[Kept]) -> None:
    """Two threads may use it at once."""
    both = threading.Barrier(2)

    async def meet() -> Kept:
        kept = each.get()
        both.wait(10)
        return kept

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: asyncio.run(meet()), range(2))
    assert first is not second


def test_nothing_is_kept_for_loops_that_have_ended(each: PerLoop[Kept]) -> None:
    """Neither of those that `asyncio.run` ends, nor of those that somebody just closes."""
    for _ in range(10):
        asyncio.run(get(each))
        loop = asyncio.new_event_loop()
        loop.run_until_complete(get(each))
        loop.close()
    asyncio.run(get(each))
    assert 0 == len(each._kept)


async def test_all_are_closed_together(each: PerLoop[Kept]) -> None:
    """Each in its own loop, while it runs; afterwards one gets a new one."""
    here = each.get()
    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    there = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(get(each), other))
    await each.close()
    other.call_soon_threadsafe(other.stop)
    await asyncio.to_thread(thread.join)
    other.close()
    assert [here.loop, there.loop] == [here.closed_in, there.closed_in]
    assert here is not each.get()
    await each.close()


@pytest.fixture
def channel() -> Iterator[RawChannel]:
    with serve_raw() as channel:
        yield channel


def texts(channel: RawChannel) -> list[str]:
    return [body["text"] for body in channel.bodies]


Say = Callable[[str], Coroutine[Any, Any, object]]


@pytest.fixture
def say(channel: RawChannel) -> Say:
    """A bot's way to say something, with a token that is fetched once."""
    tokens = TokenSource(lambda _: AccessToken("token", 2**40))
    pool = ConnectorPool("app", "audience", tokens, HttpPool())

    async def say(text: str) -> object:
        client = await pool.create(channel.url)
        return await client.conversations.send_to_conversation("c", Activity(text=text))

    return say


def run(say: Say, text: str) -> None:
    async def main() -> None:
        await say(text)
        await say(text)

    asyncio.run(main())


def run_and_just_close(say: Say, text: str) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(say(text))
    loop.run_until_complete(say(text))
    loop.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the loop's own, of its transports
@pytest.mark.parametrize("run", [run, run_and_just_close])
def test_replies_leave_from_one_loop_after_the_other(
    channel: RawChannel, say: Say, run: Callable[[Say, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """And no session is left behind that complains when it is thrown away."""
    for n in range(5):
        run(say, str(n))
    asyncio.run(say("last"))
    gc.collect()
    assert [*(str(n) for n in range(5) for _ in range(2)), "last"] == texts(channel)
    assert "Unclosed" not in caplog.text


def test_replies_leave_from_two_loops_at_once(channel: RawChannel, say: Say) -> None:
    """A synchronous function of the same app has a thread and a loop of its own."""
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda n: run(say, str(n)), range(20)))
    assert sorted(str(n) for n in range(20) for _ in range(2)) == sorted(texts(channel))


def test_a_fetch_that_ended_with_its_loop_is_begun_anew() -> None:
    """Whoever comes next waits for a fetch of its own, not for one that nobody runs."""
    fetched: list[bool] = []

    async def fetch() -> None:
        await asyncio.sleep(0 if fetched else 60)
        fetched.append(True)

    flight = SingleFlight(fetch, "No test")

    async def give_up() -> None:
        flight.start()
        await asyncio.sleep(0)
        fetched.append(False)

    for left in (asyncio.run, run_without_cancelling):
        fetched.clear()
        left(give_up())
        asyncio.run(flight.join())
        assert [False, True] == fetched
    assert {} == flight._tasks


def run_without_cancelling(main: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # says that a task was pending
    loop.run_until_complete(main)
    loop.close()


def test_two_loops_do_not_wait_for_each_others_fetch() -> None:
    """Both fetches meet, each in the loop that wants it."""
    both = threading.Barrier(2)

    async def fetch() -> None:
        await asyncio.to_thread(both.wait, 10)

    flight = SingleFlight(fetch, "No test")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: asyncio.run(flight.join()), range(2)))
    assert not flight.is_under_way
