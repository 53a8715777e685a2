"""
The template's own bot in the simulation, held against a run without races and faults.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from botbuilder.core import TurnContext

from shared.bot import STATE_TYPES, create_bot
from shared.storage.codec import DocumentCodec
from tests.simulation.channel import ChannelFaults, SimulatedAdapter, SimulatedChannel
from tests.simulation.loop import SimulatedLoop
from tests.simulation.store import SimulatedStore, StoreClient, StoreFaults
from tests.simulation.world import Places, Said, World

APART: Places = {"one": ("ada",), "two": ("bob",), "team": ("cy", "dee", "eve")}
"""
Nobody is in two conversations.

Turns of two conversations are not serial, so that a bot that puts both into one property of
a user's state may differ from a serial run and be right.
"""

TEXTS = ("hello", "Ada", "42", "ada@example.com", "It is late.", "what?", "")
"""What users say. Add what your bot understands."""


def own_text(chance: random.Random) -> str:
    """What a user says to the template's bot."""
    return chance.choice(TEXTS)


def own_world(seed: int, transactional_bot: Any, surroundings: Any) -> World:
    """A history of the template's bot."""
    codec = DocumentCodec(STATE_TYPES)
    return World(
        seed,
        transactional_bot,
        surroundings,
        lambda storage, _next_run: create_bot(storage),
        own_text,
        APART,
        codec,
    )


def differences(world: World) -> Iterator[str]:
    """Where the history differs from its turns one after the other, in commit order."""
    said = {one.activity_id: one for one in (*world.said, *world.last_words())}
    for place in world.places:
        home = world.store.current(f"simulated/conversations/{place}") or {}
        order = [said[entry.partition(" ")[2]] for entry in home["$turns"]["done"]]
        serial = _Serial()
        serial.loop.run(serial.run(order))
        for key in serial.store.all_keys():
            stored = dict(world.store.current(key) or {})
            stored.pop("$turns", None)
            if stored != serial.store.current(key):
                yield f"{key} is not as after a serial run"
        seen = Counter(one.text for one in world.channel.accepted if one.conversation_id == place)
        for one in order:
            turn = world.committed.get((place, one.activity_id))
            committed = _replies(turn.replies) + _replies(turn.answer or []) if turn else []
            if committed != serial.replies[one.activity_id]:
                yield f"{one.activity_id} was answered {committed}"
            seen.subtract(_replies(turn.replies) if turn else [])
        lost = [text for text, count in seen.items() if count < 0]
        if lost:
            yield f"lost in {place}: {lost}"


class _Serial:
    """The bare bot on a store and a channel that work."""

    def __init__(self) -> None:
        self.loop = SimulatedLoop(random.Random(0))
        self.store = SimulatedStore(codec=DocumentCodec(STATE_TYPES))
        self.replies: dict[str, list[str]] = {}

    async def run(self, order: list[Said]) -> None:
        chance = random.Random(0)
        client = StoreClient(self.store, chance, StoreFaults())
        for said in order:
            channel = SimulatedChannel()
            adapter = SimulatedAdapter(channel, chance, ChannelFaults())
            context = TurnContext(adapter, said.to_activity())
            await create_bot(client).on_turn(context)
            buffered = [reply.text for reply in context.buffered_reply_activities]
            self.replies[said.activity_id] = buffered or [one.text for one in channel.accepted]
            await asyncio.sleep(0)


def _replies(operations: list[str]) -> list[str]:
    subjects = [json.loads(operation)["subject"] for operation in operations]
    return [subject["text"] for subject in subjects if "text" in subject]
