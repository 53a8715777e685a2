"""
Seeded histories of the counting bot: run one, judge it, print it.
"""

import logging
import random
from collections.abc import Callable, Iterator
from typing import Any

from shared.turns import Surroundings, TransactionalBot
from tests.simulation.bot import CountingBot
from tests.simulation.invariants import violations
from tests.simulation.own_bot import differences, own_world
from tests.simulation.world import World

_VERBS = ("reply 1", "reply 3", "note", "edit 2", "silent", "boom")
_WEIGHTS = (5, 5, 2, 1, 1, 1)


def counting_text(chance: random.Random) -> str:
    """What a user says to the counting bot."""
    return chance.choices(_VERBS, _WEIGHTS)[0]


def play(
    seed: int,
    transactional_bot: Callable[..., Any] = TransactionalBot,
    surroundings: Callable[..., Any] = Surroundings,
) -> tuple[World, list[str]]:
    """One history, and what is wrong with it."""
    world = World(seed, transactional_bot, surroundings, CountingBot, counting_text)
    return world, _judge(world, violations)


def play_own(seed: int) -> tuple[World, list[str]]:
    """One history of the bot in `shared.bot`, and where it differs from a serial run."""
    world = own_world(seed, TransactionalBot, Surroundings)
    return world, _judge(world, differences)


def failing_seeds(seeds: range, own: bool = False) -> list[int]:
    """Those of the seeds whose history is not one of atomic turns."""
    # What the histories log is what they are about.
    logging.disable(logging.CRITICAL)
    return [seed for seed in seeds if (play_own if own else play)(seed)[1]]


def _judge(world: World, judge: Callable[[World], Iterator[str]]) -> list[str]:
    try:
        world.run()
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    return list(judge(world))


def describe(world: World) -> str:
    """The history, one event a line."""
    return "\n".join(
        f"{at_s:9.3f}  {who:<14} {where:<8} {verb:<40} {outcome}"
        for at_s, who, where, verb, outcome in world.events
    )
