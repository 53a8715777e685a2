"""
Instances that serve conversations over one store and one channel, until chance kills them.
"""

import asyncio
import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botbuilder.core import Bot, Storage, TurnContext
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, DeliveryModes

from shared.errors import BotApplicationError
from tests.simulation.channel import ChannelFaults, SimulatedAdapter, SimulatedChannel
from tests.simulation.loop import SimulatedLoop
from tests.simulation.store import Codec, Document, SimulatedStore, StoreClient, StoreFaults

HEALED_AT_S = 60.0
"""From here on nothing fails any more, so that every history comes to an end."""

_SENT_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

CHANNEL_PATIENCE_S = 15.0

Places = dict[str, tuple[str, ...]]
"""Conversations, and who speaks in them."""

SHARED = {"one": ("ada",), "two": ("ada",), "team": ("ada", "bob", "cy")}
"""Ada is in all conversations, and her document is written from each."""

_STORE_TROUBLE = ("unavailable", "throttled", "no answer", "answer lost", "repeated", "slow")

_current: ContextVar["Handling | None"] = ContextVar("handling", default=None)


@dataclass(frozen=True)
class Said:
    """An activity that a user sends, and how chance treats it."""

    activity_id: str
    place: str
    user: str
    text: str
    kind: str
    """"message", "expectReplies" or "invoke"."""
    at_s: float
    twice_at_once: bool
    again_after_s: float | None

    def to_activity(self) -> Activity:
        """The activity, made anew for each delivery, as it is from an HTTP request."""
        return Activity(
            type="invoke" if self.kind == "invoke" else "message",
            id=self.activity_id,
            timestamp=_SENT_AT,
            channel_id="simulated",
            service_url="https://channel.example",
            from_property=ChannelAccount(id=self.user),
            recipient=ChannelAccount(id="bot"),
            conversation=ConversationAccount(id=self.place),
            text=self.text,
            name=self.text if self.kind == "invoke" else None,
            delivery_mode=DeliveryModes.expect_replies if self.kind == "expectReplies" else None,
        )


@dataclass
class Handling:
    """One delivery of an activity to one instance."""

    said: Said
    instance: str
    status: int | None = None
    """None: it is not over, or its process died."""
    answer: list[str] = field(default_factory=list)
    began_at_s: float = 0.0
    answered_at_s: float = 0.0
    store_faults_at_s: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.said.activity_id}@{self.instance}"


@dataclass
class Instance:
    """A process."""

    name: str
    bot: Any
    life: int
    """It dies when it has asked store and channel so many times."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    is_alive: bool = True


@dataclass
class Committed:
    """A turn as the store got to know it."""

    place: str
    turn_id: str
    by: str
    replies: list[str]
    answer: list[str] | None
    at_s: float
    e_tag: str


class World:
    """One seeded history, and everything that it left behind."""

    def __init__(
        self,
        seed: int,
        transactional_bot: Callable[..., Any],
        surroundings: Callable[..., Any],
        create_bot: Callable[[Storage, Callable[[], int]], Bot],
        texts: Callable[[random.Random], str],
        places: Places = SHARED,
        codec: Codec | None = None,
    ) -> None:
        self.places = places
        self.chance = random.Random(seed)
        self.loop = SimulatedLoop(self.chance)
        self.events: list[tuple[float, str, str, str, str]] = []
        self.store = SimulatedStore(self._note_commit, codec)
        self.channel = SimulatedChannel(
            lambda verb, outcome: self._tell(self._who(), "channel", verb, outcome)
        )
        self.committed: dict[tuple[str, str], Committed] = {}
        self.handlings: list[Handling] = []
        self.instances: list[Instance] = []
        self.given_up: set[str] = set()
        self._transactional_bot = transactional_bot
        self._surroundings = surroundings
        self._create_bot = create_bot
        self._runs = 0
        self._tokens = 0
        self._store_faults, self._channel_faults = _faults(self.chance)
        self._deaths_left = self.chance.choice((0, 0, 1, 1, 2, 3))
        store, channel = self._store_faults, self._channel_faults
        self.is_calm = not any(
            (
                self._deaths_left,
                store.slow,
                store.unavailable,
                store.throttled,
                *vars(channel).values(),
            )
        )
        """Nobody dies, nothing has to be asked for again, and the channel works."""
        self.said = _script(self.chance, texts, places)

    def run(self) -> "World":
        self.loop.run(self._main())
        return self

    # What happens

    async def _main(self) -> None:
        for number in range(self.chance.choice((1, 2, 2, 3))):
            self._start_instance(f"i{number}")
        deliveries = [self._deliver(said) for said in self.said]
        deliveries += [self._deliver(said) for said in self.said if said.twice_at_once]
        healing = self.loop.call_at(HEALED_AT_S, self._heal)
        await asyncio.gather(*deliveries)
        healing.cancel()
        self._heal()
        await asyncio.sleep(40)
        await asyncio.gather(*(self._deliver(said) for said in self.last_words()))
        await asyncio.wait([task for one in self.instances for task in one.tasks])

    def last_words(self) -> list[Said]:
        """One message for each conversation, after all faults: it finishes what is unfinished."""
        return [
            Said(f"last-{place}", place, users[0], "reply 1", "message", 0.0, False, None)
            for place, users in self.places.items()
        ]

    def _heal(self) -> None:
        for faults in (self._store_faults, self._channel_faults):
            for name in vars(faults):
                setattr(faults, name, 0.0)
        self._deaths_left = 0
        for instance in self.instances:
            instance.life = 1_000_000

    def _start_instance(self, name: str) -> None:
        skew_s = self.chance.choice((0.0, 0.0, self.chance.uniform(-10, 10)))
        surroundings = self._surroundings(
            now_s=lambda: 1_800_000_000 + skew_s + self.loop.time(),
            token=self._next_token,
            chance=self.chance,
        )
        client = StoreClient(self.store, self.chance, self._store_faults, self._store_asked)
        bot = self._transactional_bot(
            lambda storage: self._create_bot(storage, self._next_run),
            client,
            surroundings=surroundings,
        )
        life = 1_000_000
        if self._deaths_left:
            self._deaths_left -= 1
            life = self.chance.randint(1, 60)
        self.instances.append(Instance(name, bot, life))
        self._tell(name, "world", "start", f"clock {skew_s:+.1f} s")

    async def _deliver(self, said: Said) -> None:
        """What a channel does: try until it is told that the activity was taken."""
        await asyncio.sleep(max(0.0, said.at_s - self.loop.time()))
        while True:
            if await self._post(said) == 200:
                break
            await asyncio.sleep(self.chance.uniform(0, 3))
        if said.again_after_s is not None:
            await asyncio.sleep(said.again_after_s)
            await self._post(said)

    async def _post(self, said: Said) -> int | None:
        instance = self.chance.choice([one for one in self.instances if one.is_alive])
        handling = Handling(said, instance.name, began_at_s=self.loop.time())
        self.handlings.append(handling)
        self._tell(handling.name, "world", "deliver", f"{said.kind} {said.text!r} to {said.place}")
        task = self.loop.create_task(self._handle(instance, handling))
        instance.tasks.append(task)
        await asyncio.wait([task], timeout=CHANNEL_PATIENCE_S)
        return handling.status

    async def _handle(self, instance: Instance, handling: Handling) -> None:
        _current.set(handling)
        adapter = SimulatedAdapter(self.channel, self.chance, self._channel_faults, handling)
        context = TurnContext(adapter, handling.said.to_activity())
        try:
            await instance.bot.on_turn(context)
            handling.answer = _answer(context)
            handling.status = 200
        except asyncio.CancelledError:
            return
        except BotApplicationError as error:
            handling.status = 503
            self._tell(handling.name, "world", "answer", f"503 {type(error).__name__}")
            return
        handling.answered_at_s = self.loop.time()
        self._tell(handling.name, "world", "answer", f"200 {handling.answer or ''}")

    def _kill(self, instance: Instance) -> None:
        self._tell(instance.name, "world", "kill", "")
        instance.is_alive = False
        for task in instance.tasks:
            task.cancel()
        self._start_instance(f"{instance.name}'")

    # What is noted

    def _store_asked(self, verb: str, key: str, outcome: str) -> None:
        handling = _current.get()
        self._tell(self._who(), "store", f"{verb} {key}", outcome)
        if handling is None:
            return
        if outcome.startswith(_STORE_TROUBLE):
            handling.store_faults_at_s.append(self.loop.time())
        instance = next(one for one in self.instances if one.name == handling.instance)
        instance.life -= 1
        if instance.life == 0 and instance.is_alive:
            self._kill(instance)

    def _note_commit(self, key: str, e_tag: str, document: Document) -> None:
        last = document["$turns"].get("last")
        if last is None or "/conversations/" not in key:
            return
        place = key.rpartition("/")[2]
        self.committed.setdefault(
            (place, last["id"]),
            Committed(
                place,
                last["id"],
                last.get("by", ""),
                last.get("replies", []),
                last.get("answer"),
                self.loop.time(),
                e_tag,
            ),
        )

    def _tell(self, who: str, where: str, verb: str, outcome: str) -> None:
        self.events.append((self.loop.time(), who, where, verb, outcome))

    def _who(self) -> str:
        handling = _current.get()
        return handling.name if handling else ""

    def _next_run(self) -> int:
        self._runs += 1
        return self._runs

    def _next_token(self) -> str:
        self._tokens += 1
        return f"t{self._tokens}"


def _script(
    chance: random.Random, texts: Callable[[random.Random], str], all_places: Places
) -> list[Said]:
    crowd = chance.choice((0.05, 0.5, 3.0, 12.0))
    # Few conversations collide more; all of them show what one does to another.
    places = chance.sample(sorted(all_places), chance.randint(1, len(all_places)))
    said = []
    for number in range(chance.randint(2, 8)):
        place = chance.choice(places)
        kind = chance.choices(("message", "expectReplies", "invoke"), (8, 1, 1))[0]
        said.append(
            Said(
                activity_id=f"a{number}",
                place=place,
                user=chance.choice(all_places[place]),
                text=texts(chance),
                kind=kind,
                at_s=chance.uniform(0, crowd),
                twice_at_once=chance.random() < 0.15,
                again_after_s=chance.choice((0.0, 1.0, 8.0)) if chance.random() < 0.2 else None,
            )
        )
    return said


def _faults(chance: random.Random) -> tuple[StoreFaults, ChannelFaults]:
    """Mostly few kinds of faults at once, so that each history tests something."""
    rate = chance.choice((0.0, 0.02, 0.05, 0.15))
    store, channel = StoreFaults(), ChannelFaults()
    for faults in (store, channel):
        for name in vars(faults):
            setattr(faults, name, rate if chance.random() < 0.4 else 0.0)
    store.slow = chance.choice((0.0, 0.0, 0.0, 0.02, 0.1))
    channel.slow = chance.choice((0.0, 0.0, 0.0, 0.02, 0.1))
    store.lagging = chance.choice((0.0, 0.0, 0.3, 0.8))
    return store, channel


def _answer(context: TurnContext) -> list[str]:
    replies = [reply.text for reply in context.buffered_reply_activities]
    response = context.turn_state.get("BotFrameworkAdapter.InvokeResponse")
    if response is not None:
        replies.append(str(response.value.body or response.value.status))
    return replies
