"""Every storage there is, one after the other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from botbuilder.core import Storage

from shared.storage import state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.storage import CosmosStorage
from shared.storage.memory import MemoryStorage


@state_type("UserProfile")
@dataclass
class UserProfile:
    name: str | None = None


@state_type("Note")
@dataclass
class Note:
    """Written as a whole document, like the SDK's StoreItem."""

    text: str
    e_tag: str | None = None


CODEC = DocumentCodec([UserProfile, Note])


@pytest.fixture(params=["memory", "cosmos"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """An empty storage."""
    if request.param == "memory":
        yield MemoryStorage(CODEC)
        return
    cosmos = CosmosStorage(request.getfixturevalue("cosmos_container"), CODEC)
    yield cosmos
    await cosmos.close()
