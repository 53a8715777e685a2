"""
An event loop without real time, threads or sockets, whose every choice comes from a seed.

asyncio itself (tasks, locks, timeouts) is the real one. When several callbacks are ready,
chance picks; when none is, the clock jumps to the next timer. A part of the callbacks, those of one
process, can stand still for a while, or for ever.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple, Unpack

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_ENDLESS = 300_000
"""Steps of the longest history that is no deadlock."""

_CANCELLATIONS = 5
"""At the end a task is cancelled so often; a few go on all the same."""

_NEVER_S = float("inf")


class SimulatedDeadlock(Exception):
    """Somebody waits for what nobody will do."""


class _Handle(asyncio.TimerHandle):
    """Something to be called: as much of it as asyncio asks for, since millions are made."""

    __slots__ = ("args", "callback", "context", "is_cancelled")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_cancelled = False

    def cancel(self) -> None:
        """It stays where it is, and is skipped."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        return self.is_cancelled


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs one coroutine, and whatever it starts, to its end."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._random = chance.random
        self._time_s = 0.0
        self._callbacks: list[_Handle] = []
        self._timers: list[tuple[float, int, _Handle]] = []
        self._timers_made = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._faults: list[dict[str, Any]] = []
        self._dead: list[_Handle] = []
        self.stands_until_s: Callable[[Context], float] | None = None
        """Until when a process does nothing, by the context of its callbacks; inf: it died."""

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """
        Run `main`.

        Raises:
            SimulatedDeadlock: nothing is ready, no timer is set, and `main` waits.
        """
        asyncio.events._set_running_loop(self)
        try:
            task = self.create_task(main)
            for _ in range(_ENDLESS):
                if task.done():
                    break
                self._step()
            else:
                raise SimulatedDeadlock("this goes on and on")
            task.result()
            if self._faults:
                raise AssertionError(f"lost exception: {self._faults}")
        finally:
            self._end()
            asyncio.events._set_running_loop(None)

    def _end(self) -> None:
        """Whoever still waits would complain when it is collected."""
        self.stands_until_s = None
        self._callbacks += self._dead
        for _ in range(_CANCELLATIONS):
            waiting = [task for task in self._tasks if not task.done()]
            if not waiting:
                break
            for task in waiting:
                task.cancel()
            for _ in range(_ENDLESS):
                if not self._callbacks:
                    break
                self._step()

    def _step(self) -> None:
        ready = self._callbacks
        if not ready:
            self._go_to_next_timer()
        chosen = int(self._random() * len(ready))
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        handle = ready.pop()
        if handle.is_cancelled:
            return
        if self.stands_until_s is not None:
            until_s = self.stands_until_s(handle.context)
            if until_s > self._time_s:
                self._stand(handle, until_s)
                return
        try:
            handle.context.run(handle.callback, *handle.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._faults.append({"callback": handle.callback, "exception": error})

    def _go_to_next_timer(self) -> None:
        timers = self._timers
        if not timers:
            raise SimulatedDeadlock("nobody will go on")
        self._time_s = max(self._time_s, timers[0][0])
        while timers and timers[0][0] <= self._time_s:
            self._callbacks.append(heapq.heappop(timers)[2])

    def _stand(self, handle: _Handle, until_s: float) -> None:
        if until_s == _NEVER_S:
            self._dead.append(handle)
        else:
            self._timers_made += 1
            heapq.heappush(self._timers, (until_s, self._timers_made, handle))

    def time(self) -> float:
        return self._time_s

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, context)
        self._callbacks.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time_s + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = _Handle(callback, args, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, **options)
        self._tasks.append(task)
        return task

    def run_in_executor(
        self, _executor: object, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Without threads: it happens at once."""
        done: asyncio.Future[_T] = asyncio.Future(loop=self)
        done.set_result(func(*args))
        return done

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return True

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._faults.append(context)


async def pause(delay_s: float) -> None:
    """Sleep like `asyncio.sleep`, which asks more questions; of these there are very many."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    handle = loop.call_later(delay_s, _wake, future)
    try:
        await future
    finally:
        handle.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.set_result(None)
