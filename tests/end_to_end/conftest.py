"""What the end-to-end tests stand on."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.end_to_end.channel import FakeChannel


@pytest.fixture
async def channel() -> AsyncIterator[FakeChannel]:
    """A channel that no other test speaks through."""
    async with FakeChannel(channel_id=f"test-{uuid4().hex[:8]}") as channel:
        yield channel
