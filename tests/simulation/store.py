"""
A store that keeps the storage contract, fails in all the ways a real one does, and lags.
"""

import asyncio
import pickle
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from botbuilder.core import Storage

from shared.errors import StateConflict, StateThrottled, StateUnavailable

Document = dict[str, Any]


class Codec(Protocol):
    """What makes plain JSON of a document; none is needed where it is that already."""

    def encode(self, document: Any) -> Any: ...

    def decode(self, stored: Any) -> Any: ...


@dataclass
class StoreFaults:
    """How likely what is; all zero for a store that works."""

    unavailable: float = 0.0
    """Nothing happens, and an error says so."""
    throttled: float = 0.0
    answer_lost: float = 0.0
    """A write happens, and an error says that it may not have."""
    repeated: float = 0.0
    """A write happens, is repeated by the client library, and conflicts with itself."""
    late: float = 0.0
    """A write fails, and happens some time later if its condition still holds."""
    lagging: float = 0.0
    """A read comes from a replica that is behind."""
    slow: float = 0.0
    """A request takes seconds instead of milliseconds."""


@dataclass(frozen=True)
class Version:
    """What a document was from some time on."""

    since_s: float
    e_tag: str
    content: bytes


class SimulatedStore:
    """What is stored, for all instances; and how it came about."""

    def __init__(
        self,
        tell: Callable[[str, str, Document], None] | None = None,
        codec: Codec | None = None,
    ) -> None:
        self._codec = codec
        self._versions: dict[str, list[Version]] = {}
        self._writes = 0
        self._tell = tell or (lambda _key, _e_tag, _document: None)

    def read(self, key: str, not_after_s: float) -> tuple[Document, str] | None:
        """The document as it was then."""
        for version in reversed(self._versions.get(key, [])):
            if version.since_s <= not_after_s:
                content = pickle.loads(version.content)
                return (self._codec.decode(content) if self._codec else content), version.e_tag
        return None

    def current(self, key: str) -> Document | None:
        """The document without its ETag, as it is now."""
        found = self.read(key, float("inf"))
        return found[0] if found else None

    def all_keys(self) -> list[str]:
        return sorted(self._versions)

    def write(self, key: str, document: Document, now_s: float) -> str:
        """Write if the condition in the document's "e_tag" holds; returns the new ETag."""
        versions = self._versions.setdefault(key, [])
        expected = document.get("e_tag")
        if expected != "*" and expected != (versions[-1].e_tag if versions else None):
            raise StateConflict(f"{key}: expected {expected}")
        self._writes += 1
        e_tag = f"e{self._writes}"
        content = {name: value for name, value in document.items() if name != "e_tag"}
        encoded = self._codec.encode(content) if self._codec else content
        versions.append(Version(now_s, e_tag, pickle.dumps(encoded)))
        self._tell(key, e_tag, content)
        return e_tag

    def delete(self, key: str) -> None:
        self._versions.pop(key, None)


class StoreClient(Storage):
    """One instance's way to the store."""

    def __init__(
        self,
        store: SimulatedStore,
        chance: random.Random,
        faults: StoreFaults,
        tell: Callable[[str, str, str], None] = lambda _verb, _key, _outcome: None,
    ) -> None:
        self._store = store
        self._chance = chance
        self._faults = faults
        self._tell = tell

    async def read(self, keys: Iterable[str]) -> dict[str, Document]:
        documents = {}
        for key in keys:
            await self._travel()
            self._fail_cleanly("read", key)
            lag_s = self._chance.uniform(0, 0.5) if self._happens(self._faults.lagging) else 0.0
            found = self._store.read(key, _time_s() - lag_s)
            self._tell("read", key, f"{found[1] if found else 'absent'}{' (old)' * bool(lag_s)}")
            await self._travel()
            if found:
                documents[key] = {**found[0], "e_tag": found[1]}
        return documents

    async def write(self, changes: dict[str, Document]) -> None:
        for key, document in changes.items():
            await self._travel()
            self._fail_cleanly("write", key)
            if self._happens(self._faults.late):
                self._write_late(key, dict(document))
                raise StateUnavailable("no answer")
            try:
                e_tag = self._store.write(key, document, _time_s())
            except StateConflict:
                self._tell("write", key, f"conflict, based on {document.get('e_tag')}")
                await self._travel()
                raise
            self._tell("write", key, f"{document.get('e_tag')} -> {e_tag}")
            await self._travel()
            if self._happens(self._faults.answer_lost):
                self._tell("write", key, "answer lost")
                raise StateUnavailable("answer lost")
            if self._happens(self._faults.repeated):
                self._tell("write", key, "repeated, conflict")
                raise StateConflict("repeated")
            document["e_tag"] = e_tag

    async def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            await self._travel()
            self._store.delete(key)

    def _write_late(self, key: str, document: Document) -> None:
        def happen() -> None:
            try:
                e_tag = self._store.write(key, document, _time_s())
                self._tell("late write", key, f"{document.get('e_tag')} -> {e_tag}")
            except StateConflict:
                self._tell("late write", key, "conflict")

        self._tell("write", key, "no answer")
        asyncio.get_running_loop().call_later(self._chance.uniform(0, 1.0), happen)

    def _fail_cleanly(self, verb: str, key: str) -> None:
        if self._happens(self._faults.unavailable):
            self._tell(verb, key, "unavailable")
            raise StateUnavailable("simulated")
        if self._happens(self._faults.throttled):
            self._tell(verb, key, "throttled")
            raise StateThrottled("simulated", retry_after_s=self._chance.uniform(0.01, 1.0))

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability

    async def _travel(self) -> None:
        if self._happens(self._faults.slow):
            self._tell("wait", "", "slow")
            await asyncio.sleep(self._chance.uniform(1.0, 7.0))
        else:
            await asyncio.sleep(self._chance.uniform(0.001, 0.02))


def _time_s() -> float:
    return asyncio.get_running_loop().time()
