"""
The triggers of the host: who hears a bell, who sweeps, and who is stopped when the queue is away.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.errors import StateError
from tests.simulation.faults import Fault
from tests.simulation.instances import CURRENT, Handling, Instance
from tests.simulation.queue import HIDDEN_S, Message, QueueOutage
from tests.simulation.script import Said
from tests.simulation.store_client import PROCESS

if TYPE_CHECKING:
    from tests.simulation.world import World

SWEEP_S = 60.0
TIMER_SILENT_S = 120.0
"""So long nobody sweeps, at most, when the instance has died that did."""

VISIBILITY_S = 30.0
"""After which a bell that failed is heard again (host.json)."""

RECEIPTS = 5
"""A message that was received so often in vain is poison (host.json)."""

REFUSED_S = 24.0
"""A host whose queue refuses connections for longer stops its process."""


class Triggers:
    """What the host does with the instances of a world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.poisoned: list[Message] = []
        self.holder: Instance | None = None
        """Whoever sweeps."""
        self.failed: list[str] = []
        """Errors with which bells failed though the queue was there."""
        self.promises: list[tuple[float, str, str]] = []
        """When a conversation said of a bell that it was in charge which was not in the queue."""
        self.timer_died_s: list[float] = []
        """When an instance died that was to sweep."""

    # The queue

    def show(self, message: Message) -> None:
        """Hand a message to an instance; one that fails comes again, as the queue does it."""
        world = self._world
        now_s = world.loop.time()
        able = [
            one for one in world.instances if one.can_hear(now_s) and not world.queue.is_away(one)
        ]
        if not able:
            world.queue.show_in(message, 1.0)
            return
        message.received += 1
        if message.received > RECEIPTS:
            world.queue.messages.remove(message)
            world.tell("", "queue", "poison", message.bell.token)
            self.poisoned.append(message)
            return
        if world.queue.loses_receive():
            world.note_queue("receive", f"{message.bell.token}: no answer", Fault.BELL_HIDDEN)
            self._hide(message)
            return
        self._hear(message, world.chance.choice(able))

    def _hide(self, message: Message, since_s: float | None = None) -> None:
        now_s = self._world.loop.time()
        message.is_hidden = True
        hidden_s = HIDDEN_S if since_s is None else since_s + HIDDEN_S - now_s
        self._world.queue.show_in(message, max(0.0, hidden_s))

    def _hear(self, message: Message, instance: Instance) -> None:
        world, bell, received_s = self._world, message.bell, self._world.loop.time()
        others = world.queue.bells_of(bell.conversation)
        if any(one.bell == bell and one.is_being_handled for one in others):
            world.happened[Fault.BELL_AT_ONCE] += 1
        message.is_being_handled = True
        if world.plan.deaths_with_bells and not world.healed_at_s:
            world.plan.deaths_with_bells -= 1
            instance.life = min(instance.life, world.chance.randint(1, 8))
        has_failed: list[bool] = []

        async def hear() -> None:
            world.note_queue("hear", f"{bell.conversation} {bell.token} {bell.pulse}", None)
            if not instance.is_alive:
                return
            try:
                await instance.bot.on_bell(bell)
            except Exception as error:
                world.tell(instance.name, "queue", "fail", repr(error))
                has_failed.append(True)
                has_trouble = world.document_troubles[bell.conversation] or any(
                    one == bell.conversation for _, one in world.queue.failed_s
                )
                if not has_trouble:
                    self.failed.append(repr(error))

        def over() -> None:
            message.is_being_handled = False
            if not instance.is_alive:
                # The worker alone, or the whole host, which alone can show it again at once.
                if world.chance.random() < 0.5 and not world.healed_at_s:
                    world.tell(instance.name, "queue", "hide", bell.token)
                    world.happened[Fault.HOST_DIES] += 1
                    self._hide(message, received_s)
                else:
                    world.queue.show_in(message, VISIBILITY_S)
            elif has_failed:
                world.queue.show_in(message, VISIBILITY_S)
            else:
                world.queue.messages.remove(message)
                self.look(bell.conversation)

        self._start(instance, "bell", hear, over)

    def look(self, key: str) -> None:
        """Note if the conversation relies on a bell that is not in the queue."""
        world = self._world
        journal = (world.store.current(key) or {}).get("$turns")
        if not isinstance(journal, dict) or Fault.VERSION_BEFORE in world.plan.drawn:
            # That version writes back what it does not know, and rings for nothing.
            return
        is_free = not any(journal.get(name) for name in ("running", "last", "inbox"))
        tokens = {one.bell.token for one in world.queue.bells_of(key)}
        watch = journal.get("watch")
        # What is merely left is taken over by any bell.
        is_for_any = not journal.get("running") and not _is_put_off(journal)
        if watch and not is_free and watch not in tokens and not (is_for_any and tokens):
            self.promises.append((world.loop.time(), key, watch))

    def stop_hosts(self, outage: QueueOutage) -> None:
        """Have the processes stopped whose queue is away for too long."""
        world = self._world
        world.loop.call_at(
            outage.begins_s + REFUSED_S + world.chance.uniform(0, 1), self._stop, outage
        )

    def _stop(self, outage: QueueOutage) -> None:
        world, now_s = self._world, self._world.loop.time()
        if world.healed_at_s or now_s >= outage.ends_s:
            return
        stopped = [one for one in world.instances if one.is_alive and outage.is_on(one, now_s)]
        for one in stopped:
            fault = Fault.WORKER_STOPS if outage.instance is not None else Fault.WORKERS_STOP
            world.wore_out(one, fault)
        world.loop.call_later(REFUSED_S, self._stop, outage)

    # The timer

    async def sweep(self) -> None:
        """What the timer does: one instance sweeps, and another only some time after its death."""
        world = self._world
        await asyncio.sleep(world.chance.uniform(0, SWEEP_S))
        holder = self.holder = self._anybody()
        while True:
            if not holder.is_alive:
                self.timer_died_s.append(holder.died_at_s)
                silent_until_s = holder.died_at_s + world.chance.uniform(0, TIMER_SILENT_S)
                await asyncio.sleep(max(0.0, silent_until_s - world.loop.time()))
                world.happened[Fault.TIMER_DIES] += 1
                holder = self.holder = self._anybody()
            if holder.can_hear(world.loop.time()):
                self._start(holder, "sweep", partial(self._sweep, holder))
            await asyncio.sleep(SWEEP_S)

    async def _sweep(self, holder: Instance) -> None:
        self._world.tell(holder.name, "timer", "sweep", "")
        with suppress(StateError):
            await holder.bot.sweep()

    def _anybody(self) -> Instance:
        alive = [one for one in self._world.instances if one.is_alive and not one.is_older]
        return self._world.chance.choice(alive)

    # Both

    def _start(
        self,
        instance: Instance,
        what: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin what no request has asked for; `over` is told when it has ended, or died."""
        nobody = Said(what, what, "", "", "")
        handling = Handling(nobody, instance, number=0, began_at_s=self._world.loop.time())
        instance.handlings.append(handling)
        context = copy_context()
        context.run(CURRENT.set, handling)
        context.run(PROCESS.set, instance)

        async def watch() -> None:
            await handling.over.wait()
            over()

        async def begin() -> None:
            try:
                await work()
            finally:
                if instance.is_alive:
                    handling.over.set()

        self._world.loop.create_task(watch(), context=Context())
        self._world.loop.create_task(begin(), context=context)


def _is_put_off(journal: dict[str, Any]) -> bool:
    """Whether what comes first waits for a bell of its own."""
    first = [journal.get("last") or {}, *journal.get("inbox", [])]
    return any(one.get("fruitless") or one.get("failed") for one in first[:2])
