"""
One instance's way to the store, on which everything can go wrong that does with a real one.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from botbuilder.core import Storage

from shared.errors import StateConflict, StateThrottled, StateTooLarge, StateUnavailable
from tests.simulation.faults import DOCUMENT_ERRORS, ON_READ, ON_WRITE, Fault
from tests.simulation.loop import pause
from tests.simulation.store import Document, SimulatedStore


@dataclass(frozen=True)
class DocumentFault:
    """What the store answers for one document, for a while or for good."""

    fault: Fault
    key: str
    verbs: tuple[str, ...]
    begins_s: float
    ends_s: float
    error: int
    """Which of the errors of the fault."""

    def now(self, verb: str, key: str, now_s: float) -> Exception | None:
        """What is raised for a request now, if anything is."""
        if key != self.key or verb not in self.verbs:
            return None
        if not self.begins_s <= now_s < self.ends_s:
            return None
        errors = DOCUMENT_ERRORS[self.fault]
        return errors[self.error % len(errors)]()

    @classmethod
    def verbs_of(cls, fault: Fault) -> tuple[str, ...]:
        """The requests that can meet it."""
        return ("read",) * (fault in ON_READ) + ("write",) * (fault in ON_WRITE)


@dataclass
class StoreFaults:
    """How likely what is, and what is always so for a while."""

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
    outages: list[tuple[float, float]] = field(default_factory=list)
    """From when until when nobody reaches the store."""
    documents: list[DocumentFault] = field(default_factory=list)

    def heal(self) -> None:
        """From now on the store works; what is wrong with a document for good stays."""
        self.unavailable = self.throttled = self.answer_lost = self.repeated = 0.0
        self.late = self.lagging = self.slow = 0.0
        self.outages.clear()
        self.documents = [one for one in self.documents if one.ends_s == float("inf")]


Tell = Callable[[str, str, str, Fault | None], None]


class StoreClient(Storage):
    """One instance's way to the store."""

    def __init__(
        self,
        store: SimulatedStore,
        chance: random.Random,
        faults: StoreFaults,
        tell: Tell = lambda _verb, _key, _outcome, _fault: None,
        is_cut_off: Callable[[], bool] = lambda: False,
        is_newer: bool = False,
    ) -> None:
        self._store = store
        self._is_newer = is_newer
        self._chance = chance
        self._faults = faults
        self._tell = tell
        self._is_cut_off = is_cut_off

    async def read(self, keys: Iterable[str]) -> dict[str, Document]:
        documents = {}
        for key in keys:
            await self._travel("read", key)
            await self._fail_cleanly("read", key)
            lags = self._happens(self._faults.lagging)
            lag_s = self._chance.uniform(0, 0.5) if lags else 0.0
            found = self._store.read(key, _time_s() - lag_s)
            outcome = f"{found[1] if found else 'absent'}{' (old)' * bool(lag_s)}"
            self._tell("read", key, outcome, Fault.STORE_LAGGING if lag_s else None)
            await self._travel("read", key)
            if cause := self._in_the_way():
                await self._get_nowhere("read", key, cause)
            if found:
                documents[key] = {**found[0], "e_tag": found[1]}
        return documents

    async def write(self, changes: dict[str, Document]) -> None:
        for key, document in changes.items():
            await self._travel("write", key)
            await self._fail_cleanly("write", key)
            sent = dict(document)
            if self._is_newer and "$turns" in sent:
                sent["$turns"] = _of_newer_version(sent["$turns"])
                self._tell("write", key, "with a newer journal", Fault.JOURNAL_NEWER)
            if self._happens(self._faults.late):
                self._write_late(key, sent)
                raise StateUnavailable("no answer")
            try:
                e_tag = self._store.write(key, sent, _time_s())
            except StateConflict:
                based_on = document.get("e_tag")
                self._tell("write", key, f"conflict, based on {based_on}", None)
                await self._travel("write", key)
                raise
            except (StateTooLarge, ValueError) as error:
                is_large = isinstance(error, StateTooLarge)
                fault = Fault.STATE_LARGE if is_large else Fault.ODD_IDS
                self._tell("write", key, f"{type(error).__name__}: {error}", fault)
                raise
            self._tell("write", key, f"{document.get('e_tag')} -> {e_tag}", None)
            await self._travel("write", key)
            if cause := self._in_the_way():
                await self._get_nowhere("write", key, cause)
            if self._happens(self._faults.answer_lost):
                self._tell("write", key, "answer lost", Fault.STORE_ANSWER_LOST)
                raise StateUnavailable("answer lost")
            if self._happens(self._faults.repeated):
                self._tell("write", key, "repeated, conflict", Fault.STORE_REPEATED)
                raise StateConflict("repeated")
            document["e_tag"] = e_tag

    async def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            await self._travel("delete", key)
            self._store.delete(key, _time_s())

    async def find(self, path: tuple[str, ...], unchanged_s: float) -> list[str]:
        """As `StateStorage.find`."""
        await self._travel("find", path[-1])
        await self._fail_cleanly("find", path[-1])
        return [key for key in self._store.all_keys() if self._is_found(key, path, unchanged_s)]

    def _is_found(self, key: str, path: tuple[str, ...], unchanged_s: float) -> bool:
        value: Any = self._store.current(key)
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value is not None and self._store.written_s(key) <= _time_s() - unchanged_s

    def _write_late(self, key: str, document: Document) -> None:
        def write() -> None:
            try:
                e_tag = self._store.write(key, document, _time_s())
                outcome = f"{document.get('e_tag')} -> {e_tag}"
            except Exception as error:
                outcome = type(error).__name__
            self._tell("late write", key, outcome, None)

        self._tell("write", key, "no answer", Fault.STORE_LATE)
        # The store does it, whatever has become of the process that asked for it.
        context = contextvars.copy_context()
        context.run(PROCESS.set, None)
        asyncio.get_running_loop().call_later(self._chance.uniform(0, 1.0), write, context=context)

    async def _fail_cleanly(self, verb: str, key: str) -> None:
        if cause := self._in_the_way():
            await self._get_nowhere(verb, key, cause)
        if self._happens(self._faults.unavailable):
            self._tell(verb, key, "unavailable", Fault.STORE_UNAVAILABLE)
            raise StateUnavailable("simulated")
        if self._happens(self._faults.throttled):
            self._tell(verb, key, "throttled", Fault.STORE_THROTTLED)
            raise StateThrottled("simulated", retry_after_s=self._chance.uniform(0.01, 1.0))
        for fault in self._faults.documents:
            error = fault.now(verb, key, _time_s())
            if error is not None:
                self._tell(verb, key, repr(error), fault.fault)
                raise error

    def _in_the_way(self) -> Fault | None:
        """Why a request, or the answer to one, gets nowhere now."""
        if self._is_cut_off():
            return Fault.PARTITION
        for begins_s, ends_s in self._faults.outages:
            if begins_s <= _time_s() < ends_s:
                return Fault.STORE_OUTAGE
        return None

    async def _get_nowhere(self, verb: str, key: str, fault: Fault) -> None:
        """That takes a while."""
        await asyncio.sleep(self._chance.choice((0.01, 0.1, 1.0, 3.0)))
        self._tell(verb, key, "no connection to the store", fault)
        raise StateUnavailable("no connection")

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability

    async def _travel(self, verb: str, key: str) -> None:
        if self._happens(self._faults.slow):
            delay_s = self._chance.uniform(1.0, 7.0)
            try:
                await asyncio.sleep(delay_s)
            finally:
                # Also where nobody has waited so long.
                self._tell(verb, key, f"slow: {delay_s:.1f} s on the way", Fault.STORE_SLOW)
        else:
            await pause(self._chance.uniform(0.001, 0.02))


PROCESS: contextvars.ContextVar[Any] = contextvars.ContextVar("process", default=None)
"""The instance that a callback belongs to. None: the world outside, which always goes on."""


def _of_newer_version(journal: dict[str, Any]) -> dict[str, Any]:
    """The journal as a version of the app writes it that knows more fields, in every struct."""
    newer = {**journal, "novel": {"in": ["a newer version"]}}
    if journal.get("last"):
        newer["last"] = {**journal["last"], "novel": 1}
        if journal["last"].get("writes"):
            newer["last"]["writes"] = {
                key: {**change, "novel": 1} for key, change in journal["last"]["writes"].items()
            }
    if journal.get("seen"):
        newer["seen"] = {
            key: {**seen, "novel": 1} if isinstance(seen, dict) else seen
            for key, seen in journal["seen"].items()
        }
    return newer


def _time_s() -> float:
    return asyncio.get_running_loop().time()
