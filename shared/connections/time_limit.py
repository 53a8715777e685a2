"""A time limit that allows for a blocked event loop."""

import asyncio
from types import TracebackType

LATE_S = 0.05
"""A timer that fires later than this was held up: something has blocked the event loop."""

SECOND_LOOK_S = 0.1
"""For reading what arrived meanwhile: some rounds of the event loop."""


class TimeLimit:
    """
    `asyncio.timeout_at`, except that time in which the event loop was blocked is made up for.

    A bot that computes for some seconds blocks the loop. After that the timer fires in the same
    round in which the answer, which has been there for long, is read; and the task that waits
    for it would be cancelled all the same. So a timer that fires late is set once more.

    Raises:
        TimeoutError: at its end, if the time was up before.
    """

    def __init__(self, until_s: float) -> None:
        """`until_s` is a time of the event loop's clock."""
        self.until_s = until_s
        self._timeout = asyncio.timeout(None)

    @classmethod
    def after(cls, delay_s: float) -> "TimeLimit":
        """Limit what follows to `delay_s` seconds from now."""
        return cls(asyncio.get_running_loop().time() + delay_s)

    async def __aenter__(self) -> "TimeLimit":
        await self._timeout.__aenter__()
        self._timer = asyncio.get_running_loop().call_at(self.until_s, self._time_is_up)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def _time_is_up(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self.until_s > LATE_S:
            self._timer = loop.call_later(SECOND_LOOK_S, self._end)
        else:
            self._end()

    def _end(self) -> None:
        # Cancels the task in the next round, and turns that into a TimeoutError.
        self._timeout.reschedule(asyncio.get_running_loop().time())
