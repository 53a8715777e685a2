"""
The template's own bot in the simulation, held against a run without races and faults.
"""

import asyncio
import random
from collections import Counter

from botbuilder.core import TurnContext

from shared.bot import STATE_TYPES, create_bot
from shared.storage.codec.documents import DocumentCodec
from tests.simulation.adapter import ChannelFaults, SimulatedAdapter, answer_of
from tests.simulation.channel import SimulatedChannel
from tests.simulation.copies import Product
from tests.simulation.faults import DOCUMENT_ERRORS, IN_SMALL, Fault
from tests.simulation.judge.verdict import Verdict
from tests.simulation.loop import SimulatedLoop
from tests.simulation.script import Places, Said
from tests.simulation.store import SimulatedStore
from tests.simulation.store_client import StoreClient, StoreFaults
from tests.simulation.world import World

APART: Places = {"one": ("ada",), "two": ("bob",), "team": ("cy", "dee", "eve")}
"""
Nobody is in two conversations.

Turns of two conversations are not serial, so that a bot that puts both into one property of
a user's state may differ from a serial run and be right.
"""

TEXTS = ("hello", "Ada", "42", "ada@example.com", "It is late.", "what?", "")
"""What users say. Add what your bot understands."""

NEVER = frozenset(
    {
        *DOCUMENT_ERRORS,
        *IN_SMALL,
        Fault.DOCUMENT_DELETED,
        Fault.DOCUMENT_EXPIRED,
        Fault.DOCUMENT_RESTORED,
        Fault.JOURNAL_POISONED,
        Fault.CHANNEL_REFUSED,
        Fault.CHANNEL_NEVER_ANSWERS,
        Fault.CHANNEL_LONG_OUTAGE,
        Fault.SHARED_PROPERTY,
        Fault.SAME_ID,
        *(fault for fault in Fault if fault.name.startswith("BOT_")),
    }
)
"""
Faults that the comparison leaves out.

A serial run has no match for what is lost with a document, or refused; and how the bot fails
is the counting bot's to show.
"""


def own_text(chance: random.Random, _drawn: frozenset[Fault]) -> str:
    """What a user says to the template's bot."""
    return chance.choice(TEXTS)


def own_world(seed: int, product: Product, always: frozenset[Fault]) -> World:
    """A history of the template's bot."""
    world = World(
        seed,
        product,
        lambda storage, _witness: create_bot(storage),
        own_text,
        APART,
        DocumentCodec(STATE_TYPES),
        always,
        NEVER - always,
    )
    # The next message finishes what a channel that gave up has left.
    world.plan.last_words = True
    return world


def judge_own(world: World) -> Verdict:
    """Where the history differs from its turns one after the other, in commit order."""
    verdict = Verdict()
    for place in world.places:
        turns = world.chronicle.of_place(place)
        serial = _Serial()
        serial.loop.run(serial.run([turn.said for turn in turns]))
        for key in serial.store.all_keys():
            stored = dict(world.store.current(key) or {})
            stored.pop("$turns", None)
            if stored != serial.store.current(key):
                verdict.wrong.append(f"{key} is not as after a serial run")
        seen = Counter(one.key for one in world.channel.accepted if one.conversation_id == place)
        for turn in turns:
            committed = turn.replies + turn.answer
            if committed != serial.replies[turn.said.label]:
                verdict.wrong.append(f"{turn.said.label} was answered {committed}")
            seen.subtract(turn.replies)
        lost = [key for key, count in seen.items() if count < 0]
        if lost:
            verdict.wrong.append(f"lost in {place}: {lost}")
    return verdict


class _Serial:
    """The bare bot on a store and a channel that work."""

    def __init__(self) -> None:
        self.loop = SimulatedLoop(random.Random(0))
        self.store = SimulatedStore(codec=DocumentCodec(STATE_TYPES))
        self.replies: dict[str, list[str]] = {}
        """What was said, by the label of the activity."""

    async def run(self, order: list[Said]) -> None:
        chance = random.Random(0)
        client = StoreClient(self.store, chance, StoreFaults())
        for said in order:
            channel = SimulatedChannel()
            adapter = SimulatedAdapter(channel, chance, ChannelFaults())
            context = TurnContext(adapter, said.to_activity())
            await create_bot(client).on_turn(context)
            on_channel = [one.key for one in channel.accepted]
            self.replies[said.label] = on_channel + answer_of(context)
            await asyncio.sleep(0)
