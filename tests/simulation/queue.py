"""
The queue of bells, on which everything can go wrong that does with a real one.
"""

import asyncio
import random
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from shared.bells.base import RING_S, Bell
from shared.errors import BellUnavailable
from tests.simulation.faults import Fault
from tests.simulation.instances import Instance
from tests.simulation.store_client import PROCESS

POLL_S = 2.0
"""How often it is asked (host.json)."""

HIDDEN_S = 600.0
"""
A received message is seen by nobody for so long.

It is shown again if whoever received it has died, or never got it.
"""

LATE_S = (5.0, 20.0, 60.0)


@dataclass(frozen=True)
class QueueOutage:
    """A time in which the queue refuses connections."""

    begins_s: float
    ends_s: float
    instance: int | None = None
    """None: those of all instances."""

    def is_on(self, instance: Instance | None, now_s: float) -> bool:
        """Whether this instance cannot reach the queue."""
        is_meant = self.instance is None or (
            instance is not None and instance.number == self.instance
        )
        return is_meant and self.begins_s <= now_s < self.ends_s


@dataclass
class QueueFaults:
    """How likely what is, and what is always so for a while."""

    late: float = 0.0
    """A bell is heard much later than it should be."""
    doubled: float = 0.0
    at_once: float = 0.0
    """A bell is handled twice at the same time."""
    not_rung: float = 0.0
    """A ring fails, or is said to have failed."""
    stands: float = 0.0
    """Whoever has rung stands still, before it writes what it has rung for."""
    receive_lost: float = 0.0
    """A message is received, and the answer is lost: nobody sees it for `HIDDEN_S`."""
    outages: list[QueueOutage] = field(default_factory=list)

    def heal(self) -> None:
        """From now on the queue works; what is hidden stays so for its time."""
        self.late = self.doubled = self.at_once = self.not_rung = self.receive_lost = 0.0
        self.stands = 0.0
        self.outages.clear()


@dataclass(eq=False)
class Message:
    """A bell in the queue."""

    bell: Bell
    received: int = 0
    is_hidden: bool = False
    is_being_handled: bool = False


Tell = Callable[[str, str, Fault | None], None]


class SimulatedQueue:
    """What was rung by any instance, and is not done yet."""

    def __init__(
        self,
        chance: random.Random,
        faults: QueueFaults,
        show: Callable[[Message], None],
        tell: Tell,
        stand: Callable[[], None],
        healed_at_s: float,
    ) -> None:
        """
        `show` is told when a message can be received, `stand` when whoever rings is to pause.

        Nothing is late after `healed_at_s`.
        """
        self._chance = chance
        self._faults = faults
        self._show = show
        self._tell = tell
        self._stand = stand
        self._healed_at_s = healed_at_s
        self.messages: list[Message] = []
        self.rung: list[tuple[float, Bell]] = []
        self.failed_s: list[tuple[float, str]] = []
        """When it did not take a bell, or did not say so, and for which conversation."""

    async def ring(self, bell: Bell, delay_s: float) -> None:
        """As `Bells.ring`."""
        await asyncio.sleep(self._chance.uniform(0.001, 0.02))
        instance = PROCESS.get()
        if self.is_away(instance):
            await asyncio.sleep(self._chance.choice((0.01, 0.5, RING_S - 0.1)))
            self._fail(bell, Fault.QUEUE_OUTAGE)
        if self._happens(self._faults.not_rung):
            if self._chance.random() < 0.5:
                self.put(bell, delay_s)
            await asyncio.sleep(self._chance.choice((0.01, 0.5, RING_S - 0.1)))
            self._fail(bell, Fault.NOT_RUNG)
        self.put(bell, delay_s)
        if self._happens(self._faults.stands):
            self._stand()
        await asyncio.sleep(self._chance.uniform(0.001, 0.02))

    def _fail(self, bell: Bell, fault: Fault) -> None:
        self.failed_s.append((_time_s(), bell.conversation))
        self._tell("ring", f"{bell.conversation} {bell.token}: not taken", fault)
        raise BellUnavailable("simulated")

    def put(self, bell: Bell, delay_s: float) -> None:
        """Have it heard, some time after the delay."""
        self.rung.append((_time_s(), bell))
        self._tell("ring", f"{bell.conversation} {bell.token} {bell.pulse} in {delay_s:.0f}", None)
        in_s = delay_s + self._chance.uniform(0, POLL_S)
        if self._happens(self._faults.late):
            late_s = self._chance.choice(LATE_S)
            in_s = max(in_s, min(in_s + late_s, self._healed_at_s - _time_s()))
            self._tell("ring", f"{bell.token} comes late", Fault.BELL_LATE)
        copies = 1
        if self._happens(self._faults.at_once):
            copies = 2
        elif self._happens(self._faults.doubled):
            self._tell("ring", f"{bell.token} comes twice", Fault.BELL_DOUBLED)
            self.show_in(self.add(bell), in_s + self._chance.uniform(0, 20))
        for _ in range(copies):
            self.show_in(self.add(bell), in_s)

    def add(self, bell: Bell) -> Message:
        """One more message, which nobody is shown yet."""
        message = Message(bell)
        self.messages.append(message)
        return message

    def show_in(self, message: Message, in_s: float) -> None:
        """Let the message be received after that time."""

        def show() -> None:
            message.is_hidden = False
            self._show(message)

        # The queue goes on, whatever has become of the process that rang.
        asyncio.get_running_loop().call_later(in_s, show, context=Context())

    def loses_receive(self) -> bool:
        """Whether the answer to the receive of a message gets lost now."""
        return self._happens(self._faults.receive_lost)

    def is_away(self, instance: Instance | None) -> bool:
        """Whether an instance does not reach the queue."""
        now_s = _time_s()
        if instance is not None and now_s < instance.cut_off_until_s:
            return True
        return any(one.is_on(instance, now_s) for one in self._faults.outages)

    def bells_of(self, conversation: str) -> list[Message]:
        """Those that are rung for it, and not done."""
        return [one for one in self.messages if one.bell.conversation == conversation]

    async def close(self) -> None:
        """Nothing is open."""

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability


def _time_s() -> float:
    return asyncio.get_running_loop().time()
