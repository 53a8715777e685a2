"""What can be asked of a storage, one request each, about the document `key`."""

from collections.abc import Awaitable, Callable
from typing import Any

from shared.storage.base import StateStorage

Operation = Callable[[Any], Awaitable[Any]]


async def read(storage: StateStorage) -> None:
    await storage.read(["key"])


async def create(storage: StateStorage) -> None:
    await storage.write({"key": {"name": "Ada"}})


async def replace(storage: StateStorage) -> None:
    await storage.write({"key": {"name": "Ada", "e_tag": '"1"'}})


async def overwrite(storage: StateStorage) -> None:
    await storage.write({"key": {"name": "Ada", "e_tag": "*"}})


async def delete(storage: StateStorage) -> None:
    await storage.delete(["key"])
