"""
What is seen of a history while it happens: its story, and what the judge needs to know.
"""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.simulation.chronicle import Chronicle
from tests.simulation.faults import DOCUMENT_TROUBLES, Fault
from tests.simulation.instances import CURRENT, Instance
from tests.simulation.loop import SimulatedLoop
from tests.simulation.store import Document
from tests.simulation.store_client import PROCESS

if TYPE_CHECKING:
    from tests.simulation.script import Said

_STORE_TROUBLES = frozenset(
    {
        Fault.STORE_UNAVAILABLE,
        Fault.STORE_THROTTLED,
        Fault.STORE_ANSWER_LOST,
        Fault.STORE_REPEATED,
        Fault.STORE_LATE,
        Fault.STORE_SLOW,
        Fault.STORE_OUTAGE,
        Fault.PARTITION,
        *DOCUMENT_TROUBLES,
    }
)
"""Whoever meets these may be unable to note what it did."""


class Observer:
    """Whoever is told what happens."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.loop = loop
        self.events: list[tuple[float, str, str, str, str]] = []
        self.happened: Counter[Fault] = Counter()
        self.chronicle = Chronicle()
        self.said_of_turn: dict[str, Said] = {}
        """What each turn id stands for."""
        self.errors: list[tuple[float, str]] = []
        """What the product logged as errors."""
        self.runs_of: Counter[str] = Counter()
        """How often the bot was run, by what was said."""
        self.kills_of: Counter[str] = Counter()
        """How often it ended its process."""
        self.conflicts: Counter[str] = Counter()
        """Writes that came too late, by document."""
        self.refused_late: list[tuple[str, str]] = []
        """What forgotten tasks of the bot tried, and the error that refused it."""
        self.document_troubles: dict[str, list[float]] = defaultdict(list)
        """When a document was refused, or could not be read, by its key."""
        self.written_before: set[str] = set()
        """ETags of what the version of the app before this one has written."""
        self._wrote_last: dict[str, Instance] = {}
        self.is_over = False
        """What happens now is of no interest any more."""
        self._runs = 0

    def wore_out(self, instance: Instance, fault: Fault = Fault.KILL) -> None:
        """A process has lived long enough."""
        raise NotImplementedError

    def outlived(self, key: str, e_tag: str) -> None:
        """A document was written, and may not live for ever."""
        raise NotImplementedError

    def wrote_home(self, key: str) -> None:
        """The home document of a conversation was written."""
        raise NotImplementedError

    def tell(self, who: str, where: str, verb: str, outcome: str) -> None:
        """Add a line to the story."""
        self.events.append((self.loop.time(), who, where, verb, outcome))

    def note_error(self, message: str) -> None:
        """Note what the product logs as an error."""
        if not self.is_over:
            self.errors.append((self.loop.time(), message))
            self.tell(_who(), "log", "error", message.partition("\n")[0])

    def next_run(self) -> int:
        self._runs += 1
        handling = CURRENT.get()
        if handling is not None:
            self.runs_of[handling.said.label] += 1
        return self._runs

    def die(self) -> None:
        handling = CURRENT.get()
        if handling is not None and handling.instance.is_alive:
            self.kills_of[handling.said.label] += 1
            self.wore_out(handling.instance, Fault.BOT_KILLS)

    def late(self, what: str, refusal: Exception | None) -> None:
        if self.is_over:
            return
        fault = Fault.BOT_SENDS_LATE if what == "late-send" else Fault.BOT_WRITES_LATE
        self.happened[fault] += 1
        self.refused_late.append((what, type(refusal).__name__ if refusal else ""))
        self.tell(_who(), "bot", what, repr(refusal))

    def note_store(self, verb: str, key: str, outcome: str, fault: Fault | None) -> None:
        if self.is_over:
            return
        self.tell(_who(), "store", f"{verb} {key}", outcome)
        self._note_fault(fault)
        self.conflicts[key] += outcome.startswith("conflict")
        handling = CURRENT.get()
        if fault in DOCUMENT_TROUBLES:
            self.document_troubles[key].append(self.loop.time())
        if handling is not None and fault in _STORE_TROUBLES:
            handling.store_troubles.append((self.loop.time(), key))

    def note_channel(self, verb: str, outcome: str, fault: Fault | None) -> None:
        if self.is_over:
            return
        self.tell(_who(), "channel", verb, outcome)
        self._note_fault(fault)

    def note_queue(self, verb: str, outcome: str, fault: Fault | None) -> None:
        if self.is_over:
            return
        self.tell(_who(), "queue", verb, outcome)
        self._note_fault(fault)

    def _note_fault(self, fault: Fault | None) -> None:
        if fault is not None:
            self.happened[fault] += 1
        instance = PROCESS.get()
        if instance is None or not instance.is_alive:
            return
        instance.life -= 1
        if instance.life == 0:
            self.wore_out(instance)

    def note_write(self, key: str, e_tag: str, document: Document) -> None:
        handling = CURRENT.get()
        if self.is_over or handling is None:
            return
        now_s = self.loop.time()
        try:
            self.chronicle.wrote(key, e_tag, document, self.said_of_turn, now_s)
        except Exception as error:
            # To the product it would look like an error of the store.
            self.chronicle.faults.append(
                f"{key} was written so that it was not understood: {error!r}"
            )
        if handling.instance.is_older:
            self.written_before.add(e_tag)
        if self._wrote_last.get(key, handling.instance).is_older != handling.instance.is_older:
            self.happened[Fault.VERSION_BEFORE] += 1
        self._wrote_last[key] = handling.instance
        if "/conversations/" in key:
            self.wrote_home(key)
        self.outlived(key, e_tag)


def _who() -> str:
    handling = CURRENT.get()
    return handling.name if handling else ""
