"""Where there is no queue, a bell is a timer."""

import asyncio

import pytest

from shared.bells.base import Bell
from shared.bells.event_loop import EventLoopBells


async def test_a_bell_is_heard_after_its_delay() -> None:
    """The listener gets the bells in the order of their delays."""
    heard: list[str] = []
    both = asyncio.Event()
    bells = EventLoopBells()

    async def listen(bell: Bell) -> None:
        heard.append(bell.token)
        if len(heard) > 1:
            both.set()

    bells.listener = listen
    await bells.ring(Bell("one", "later"), 0.02)
    await bells.ring(Bell("one", "now"), 0)
    before = list(heard)
    await both.wait()

    assert [] == before
    assert ["now", "later"] == heard


async def test_a_bell_whose_listener_fails_rings_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It rings five times and no more, and each failure is logged without what it says."""
    monkeypatch.setattr("shared.bells.event_loop.AGAIN_S", 0.001)
    tries = 0
    last = asyncio.Event()
    bells = EventLoopBells()

    async def fail(bell: Bell) -> None:
        nonlocal tries
        tries += 1
        if tries >= 5:
            last.set()
        raise ValueError("a user's text")

    bells.listener = fail
    await bells.ring(Bell("one", "token"), 0)
    await last.wait()
    # Long enough for a sixth, if there were one.
    await asyncio.sleep(0.1)

    assert 5 == tries
    assert ["A bell was not answered (ValueError)."] * 5 == caplog.messages


async def test_closing_ends_what_is_heard_and_what_waits() -> None:
    """After it nothing rings any more, and whoever listens is cancelled."""
    begun, ended = asyncio.Event(), []
    bells = EventLoopBells()

    async def listen(bell: Bell) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(bell.token)
            raise

    bells.listener = listen
    await bells.ring(Bell("one", "first"), 0)
    await bells.ring(Bell("one", "second"), 0.01)
    await begun.wait()
    await bells.close()
    await asyncio.sleep(0.05)

    assert ["first"] == ended
