"""What tests of several rooms share."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
async def busy_bot() -> AsyncIterator[None]:
    """Turns in `asyncio.to_thread` that occupy every thread of the event loop."""
    done = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    turns = [asyncio.create_task(asyncio.to_thread(done.wait)) for _ in range(10)]
    await asyncio.sleep(0)
    yield
    done.set()
    await asyncio.gather(*turns)
