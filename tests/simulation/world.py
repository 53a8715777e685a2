"""
Instances that serve conversations over one store and one channel, while things go wrong.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol

from botbuilder.core import Bot, Storage, TurnContext
from botbuilder.schema import Activity

from shared.errors import BotApplicationError
from shared.turns.state.journal import Journal
from tests.simulation import disturbances
from tests.simulation.adapter import SimulatedAdapter, answer_of
from tests.simulation.bot import Witness
from tests.simulation.channel import SimulatedChannel
from tests.simulation.copies import Product, version_before
from tests.simulation.faults import IN_SMALL, Fault
from tests.simulation.instances import CURRENT, UNTIL_IT_DIES, Handling, Instance, Run
from tests.simulation.loop import SimulatedLoop
from tests.simulation.observer import Observer
from tests.simulation.plan import HEALED_AT_S, draw, schedule
from tests.simulation.queue import SimulatedQueue
from tests.simulation.script import Again, Places, Said, Texts, last_words, places_of, script
from tests.simulation.store import Codec, SimulatedStore
from tests.simulation.store_client import PROCESS, StoreClient
from tests.simulation.triggers import Triggers

CHANNEL_PATIENCE_S = 15.0

LEASE_ENDS_S = 40.0
"""So long after the last fault nothing waits for a dead owner any more."""

RUN_ENDS_S = 700.0
"""So long after it was started no bot runs any more, and what it kept waiting has an end."""

QUIET_S = 15_000.0
"""
So long after the last fault nothing is left to do.

A bot of five minutes whose document cannot be read is run forty times.
"""

MOST_KILLS = 20
"""
More often no activity ends its process.

An accepted one three times, and once more for each delivery whose claim the store did not take.
"""

SMALL_STORE_BYTES = 14_000
"""What the store takes where the product is played with small bounds."""


class CreateBot(Protocol):
    """Makes the bot that a history is about."""

    def __call__(self, storage: Storage, witness: Witness, /) -> Bot: ...


class WatchedBot(Bot):
    """A bot whose runs are noted."""

    def __init__(self, bot: Bot, world: "World") -> None:
        self._bot = bot
        self._world = world

    async def on_turn(self, context: TurnContext) -> None:
        handling = CURRENT.get()
        if handling is None:
            raise AssertionError("nobody runs this bot")
        run = Run(handling.said, handling.instance, self._world.loop.time())
        self._world.runs.append(run)
        try:
            await self._bot.on_turn(context)
        finally:
            run.ended_s = self._world.loop.time()


class SimulatedContexts:
    """Turn contexts for accepted activities, as an instance makes them."""

    def __init__(self, world: "World", instance: Instance) -> None:
        self._world = world
        self._instance = instance

    async def run(self, accepted: Any, logic: Callable[[TurnContext], Awaitable[None]]) -> None:
        """As `Contexts.run`."""
        activity = Activity.deserialize(json.loads(accepted.activity))
        handling = Handling(self._world.said_in(activity), self._instance, number=0)
        before = CURRENT.set(handling)
        try:
            await logic(TurnContext(self._world.adapter(handling), activity))
        finally:
            CURRENT.reset(before)


class World(Observer):
    """One seeded history, and everything that it left behind."""

    def __init__(
        self,
        seed: int,
        product: Product,
        create_bot: CreateBot,
        texts: Texts,
        usual: Places,
        codec: Codec | None = None,
        always: frozenset[Fault] = frozenset(),
        never: frozenset[Fault] = frozenset(),
    ) -> None:
        self.chance = random.Random(seed)
        super().__init__(SimulatedLoop(self.chance))
        self.loop.stands_until_s = self._stands_until_s
        self.plan = draw(self.chance, always, never)
        self.is_small = bool(self.plan.drawn & IN_SMALL)
        self.product = product.small() if self.is_small else product
        self.places = places_of(self.chance, self.plan.drawn, usual)
        self.said = script(self.chance, self.plan.drawn, self.places, texts)
        schedule(self.plan, self.chance, self.said, self.places)
        if Fault.VERSION_BEFORE in self.plan.drawn:
            # What that version leaves unfinished has no bell, and waits for the next message.
            self.said += last_words(self.chance, self.places, HEALED_AT_S)
        self._know(self.said)
        self.store = SimulatedStore(
            self.note_write, codec, SMALL_STORE_BYTES if self.is_small else None
        )
        self.channel = SimulatedChannel(self.note_channel)
        self.triggers = Triggers(self)
        self.queue = SimulatedQueue(
            self.chance,
            self.plan.queue,
            self.triggers.show,
            self.note_queue,
            lambda: disturbances.stand(self),
            HEALED_AT_S,
        )
        self.handlings: list[Handling] = []
        self.instances: list[Instance] = []
        self.runs: list[Run] = []
        self.healed_at_s = 0.0
        self.last_fault_s = float("inf")
        """From here on nothing goes wrong any more."""
        self.had_bell: dict[str, bool] = {}
        """Whether each conversation had a bell then, and none that was hidden."""
        self.all_well_at_s = float("inf")
        """From here on no fault has any effect left."""
        self._create_bot = create_bot
        self._tokens = 0

    def run(self) -> "World":
        """Play the history to its end."""
        try:
            self.loop.run(self._main())
        finally:
            self.is_over = True
        return self

    # What happens

    async def _main(self) -> None:
        is_beside = Fault.VERSION_BEFORE in self.plan.drawn
        for number in range(self.chance.choice((1, 2, 2, 3)) + is_beside):
            self._start_instance(f"i{number}", number, is_older=is_beside and number > 0)
        if is_beside:
            self.loop.call_at(self.plan.replaced_at_s, self._replace_version_before)
        for event in self.plan.events:
            self.loop.call_at(event.at_s, disturbances.disturb, self, event)
        deliveries = [self._deliver(said) for said in self.said]
        deliveries += [self._deliver(said) for said in self.said if said.twice_at_once]
        healing = self.loop.call_at(HEALED_AT_S, self._heal)
        sweeping = self.loop.create_task(self.triggers.sweep(), context=Context())
        for outage in self.plan.queue.outages:
            self.triggers.stop_hosts(outage)
        await asyncio.gather(*deliveries)
        await asyncio.sleep(max(0.0, self.plan.lasts_until_s - self.loop.time()))
        healing.cancel()
        self._heal()
        await asyncio.sleep(max(0.0, self.all_well_at_s - self.loop.time()))
        await self._until_quiet()
        sweeping.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(RUN_ENDS_S):
                for handling in self.handlings:
                    await handling.over.wait()
        # Whatever the bot has left running comes to its end.
        await asyncio.sleep(3.0)
        self.is_over = True

    def _know(self, said: list[Said]) -> None:
        self.said_of_turn.update({one.identity.turn_id or "": one for one in said})

    async def _until_quiet(self) -> None:
        """Wait until every conversation is free, and no bell is left."""
        until_s = self.loop.time() + QUIET_S
        while self.queue.messages or self._open():
            await asyncio.sleep(5.0)
            for label, kills in self.kills_of.items():
                if kills > MOST_KILLS:
                    raise AssertionError(f"{label} has killed its process {kills} times")
            if self.loop.time() > until_s:
                raise AssertionError(
                    f"never quiet: {self._open()}, {len(self.queue.messages)} bells"
                )

    def _open(self) -> list[str]:
        """The conversations with something unfinished."""
        journals = {
            key: (self.store.current(key) or {}).get("$turns")
            for key in self.store.all_keys()
            # Only somebody's hand makes anything else look like one.
            if "/conversations/" in key
        }
        return [
            key
            for key, one in journals.items()
            if isinstance(one, dict) and one.get("open") and not self._is_only_marked(key, one)
        ]

    def _is_only_marked(self, key: str, journal: dict[str, Any]) -> bool:
        """Whether somebody's hand has left the mark on a free conversation."""
        return Fault.JOURNAL_POISONED in self.happened and Journal.of(key, journal).is_free

    def said_in(self, activity: Activity) -> Said:
        """What was said, by as much of the activity as the product has kept."""
        label = (activity.channel_data or {}).get("label")
        sender = activity.from_property
        here = [one for one in self.said if one.place == activity.conversation.id]
        theirs = [one for one in here if one.user == (sender and sender.id)]
        for one in self.said:
            if one.label == label or (one.activity_id == activity.id and one in theirs):
                return one
        # What a bot says first in a conversation answers an id that the SDK has made up.
        return (theirs or here)[0]

    def _heal(self) -> None:
        if not self.healed_at_s:
            self.healed_at_s = self.loop.time()
            self.last_fault_s = max(
                self.healed_at_s,
                self.plan.channel.throttled_until_s,
                *(event.at_s + max(0.0, event.length_s) for event in self.plan.events),
            )
            self.loop.call_at(self.last_fault_s, self._note_bells, context=Context())
            hangs = self.plan.drawn & {Fault.BOT_HANGS, Fault.BOT_SWALLOWS}
            self.all_well_at_s = self.last_fault_s + (RUN_ENDS_S if hangs else LEASE_ENDS_S)
        self.plan.store.heal()
        self.plan.channel.heal()
        self.plan.queue.heal()
        self.plan.deaths = 0
        self.plan.ttl_s = None
        for instance in self.instances:
            instance.life = UNTIL_IT_DIES

    def _note_bells(self) -> None:
        for key in self.store.all_keys():
            bells = self.queue.bells_of(key)
            self.had_bell[key] = bool(bells) and not any(one.is_hidden for one in bells)

    def _replace_version_before(self) -> None:
        """A deployment comes to its end: it waits for what is under way, mostly."""
        for instance in self.instances:
            if instance.is_older and instance.is_alive:
                instance.is_leaving = True
                self.loop.call_later(self.chance.choice((0.0, 1.0, 20.0)), self.retire, instance)

    def retire(self, instance: Instance) -> None:
        """End a process whose time to leave is over, if it still lives."""
        if instance.is_alive:
            self.wore_out(instance, Fault.VERSION_BEFORE if instance.is_older else Fault.LEAVES)

    def _start_instance(self, name: str, number: int, *, is_older: bool = False) -> None:
        instance = Instance(name, number, is_older=is_older)
        if Fault.CLOCK_SKEW in self.plan.drawn:
            instance.clock_ahead_s = self.chance.choice(
                (0.0, self.chance.uniform(-10, 10), self.chance.uniform(-3600, 3600))
            )
            if instance.clock_ahead_s and self.instances:
                self.happened[Fault.CLOCK_SKEW] += 1
        instance.is_newer = Fault.JOURNAL_NEWER in self.plan.drawn and self.chance.random() < 0.5
        client = StoreClient(
            self.store,
            self.chance,
            self.plan.store,
            self.note_store,
            lambda: self.loop.time() < instance.cut_off_until_s,
            instance.is_newer,
        )
        product = version_before() if is_older else self.product
        mailbox = {"bells": self.queue, "contexts": SimulatedContexts(self, instance)}
        instance.bot = product.transactional_bot(
            lambda storage: WatchedBot(self._create_bot(storage, self), self),
            client,
            **({} if is_older else mailbox),
            now_s=lambda: 1_800_000_000 + instance.clock_ahead_s + self.loop.time(),
            chance=product.chance(token=self._next_token, jitter=self.chance),
        )
        if self.plan.deaths:
            self.plan.deaths -= 1
            instance.life = self.chance.randint(1, 60)
        self.instances.append(instance)
        version = ", the version before" * is_older
        self.tell(name, "world", "start", f"clock {instance.clock_ahead_s:+.1f} s{version}")

    async def _deliver(self, said: Said) -> None:
        """What a channel does: try, a few times at most, until the activity was taken."""
        await asyncio.sleep(max(0.0, said.at_s - self.loop.time()))
        instance = self._any_instance()
        for number in range(1, said.tries + 1):
            handling = await self._post(said, instance, number)
            if handling.status == 200:
                break
            await asyncio.sleep(self.chance.uniform(0, 3))
            instance = self._any_instance()
        if said.again is not None:
            await asyncio.sleep(said.again.after_s)
            self._happen_again(said.again)
            await self._post(said, self._instance_for(said.again, instance), said.tries + 1)

    def _happen_again(self, again: Again) -> None:
        is_late = again.after_s > HEALED_AT_S
        self.happened[Fault.REDELIVERED_LATE if is_late else Fault.REDELIVERED] += 1

    def _instance_for(self, again: Again, first: Instance) -> Instance:
        alive = self._serving()
        if again.where == "same" and first.is_alive:
            return first
        others = [one for one in alive if one is not first]
        return self.chance.choice(others if again.where == "other" and others else alive)

    def _any_instance(self) -> Instance:
        return self.chance.choice(self._serving())

    def _serving(self) -> list[Instance]:
        return [one for one in self.instances if one.is_alive and not one.is_leaving]

    async def _post(self, said: Said, instance: Instance, number: int) -> Handling:
        handling = Handling(said, instance, number, began_at_s=self.loop.time())
        self.handlings.append(handling)
        instance.handlings.append(handling)
        self.tell(handling.name, "world", "deliver", f"{said.kind} {said.text!r} to {said.place}")
        self._count_script_faults(said)
        task = self.loop.create_task(self._handle(handling))
        if number == 1 and said.cancelled_after_s is not None:
            self.loop.call_later(said.cancelled_after_s, self._cancel, handling, task)
        try:
            async with asyncio.timeout(CHANNEL_PATIENCE_S):
                await handling.over.wait()
        except TimeoutError:
            self.tell(handling.name, "channel", "wait", "no answer in time")
        return handling

    def _count_script_faults(self, said: Said) -> None:
        if said.twice_at_once:
            self.happened[Fault.REDELIVERED_AT_ONCE] += 1
        disturbances.count_script(self, said)

    def _cancel(self, handling: Handling, task: asyncio.Task[None]) -> None:
        if not task.done() and handling.instance.is_alive:
            self.happened[Fault.REQUEST_CANCELLED] += 1
            self.tell(handling.name, "world", "cancel", "")
            handling.was_cancelled = True
            task.cancel()

    async def _handle(self, handling: Handling) -> None:
        CURRENT.set(handling)
        PROCESS.set(handling.instance)
        instance = handling.instance
        context = TurnContext(self.adapter(handling), handling.said.to_activity())
        try:
            await instance.bot.on_turn(context)
            handling.answer = answer_of(context)
            # A process that died in its last step has not answered.
            handling.status = 200 if instance.is_alive else None
            if instance.is_alive and not instance.is_older:
                handling.lacks_bell = self._lacks_bell(handling.said)
        except asyncio.CancelledError:
            handling.failure = "CancelledError"
        except BotApplicationError as error:
            handling.status, handling.failure = 503, type(error).__name__
        except Exception as error:
            handling.status, handling.failure = 500, type(error).__name__
        finally:
            if not self.is_over:
                handling.ended_at_s = self.loop.time()
                outcome = f"{handling.status} {handling.failure}{handling.answer or ''}"
                self.tell(handling.name, "world", "answer", outcome)
                handling.over.set()

    def _lacks_bell(self, said: Said) -> bool:
        """Whether what is answered is not done yet, and nobody has rung for it."""
        key = said.identity.home_key
        journal = (self.store.current(key) or {}).get("$turns")
        if not isinstance(journal, dict):
            return False
        left = [one["id"] for one in journal.get("inbox", [])]
        last = journal.get("last")
        # The version before keeps a turn whose answer may be asked for again.
        if isinstance(last, dict) and (
            last.get("replies", [])[last.get("sent", 0) :] or last.get("writes")
        ):
            left.append(last.get("id"))
        has_failed = any(one == key for _, one in self.queue.failed_s)
        is_left = said.identity.turn_id in left and not has_failed
        return is_left and not self.queue.bells_of(key)

    def adapter(self, handling: Handling) -> SimulatedAdapter:
        """The way of an instance to the channel."""
        return SimulatedAdapter(
            self.channel,
            self.chance,
            self.plan.channel,
            handling,
            lambda: self.loop.time() < handling.instance.cut_off_until_s,
        )

    def outlived(self, key: str, e_tag: str) -> None:
        if self.plan.ttl_s is not None:
            self.loop.call_later(self.plan.ttl_s, disturbances.expire, self, key, e_tag)

    def wore_out(self, instance: Instance, fault: Fault = Fault.KILL) -> None:
        """End a process: nothing of it happens any more."""
        self.tell(instance.name, "world", "stop", fault.value)
        if fault not in (Fault.VERSION_BEFORE, Fault.LEAVES):
            # These happen where both write to one conversation, or something is left.
            self.happened[fault] += 1
        if self.healed_at_s:
            # A bot does so whenever it runs.
            self.last_fault_s = max(self.last_fault_s, self.loop.time())
            self._note_bells()
        instance.is_alive = False
        instance.died_at_s = self.loop.time()
        instance.stands_until_s = float("inf")
        for handling in instance.handlings:
            handling.over.set()
        if not instance.has_left:
            self.replace(instance)

    def replace(self, instance: Instance) -> None:
        """Start another process on the machine of one that has ended, or will soon."""
        is_older = instance.is_older and self.loop.time() < self.plan.replaced_at_s
        self._start_instance(f"{instance.name}'", instance.number, is_older=is_older)

    def _stands_until_s(self, context: Any) -> float:
        instance = context.get(PROCESS)
        if instance is None or instance.stands_until_s <= self.loop.time():
            return 0.0
        instance.stood += 1
        return float(instance.stands_until_s)

    def wrote_home(self, key: str) -> None:
        self.triggers.look(key)

    def _next_token(self) -> str:
        self._tokens += 1
        return f"t{self._tokens}"
