"""
Seeded histories: play one, judge it, print it; or many, and count what happened in them.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType

from tests.simulation.bot import CountingBot
from tests.simulation.copies import Product, original
from tests.simulation.faults import Fault
from tests.simulation.judge import judge
from tests.simulation.judge.verdict import Verdict
from tests.simulation.own_bot import judge_own
from tests.simulation.own_world import own_world
from tests.simulation.script import SHARED, counting_text
from tests.simulation.world import World


@dataclass
class Tally:
    """What many histories came to."""

    histories: int = 0
    cpu_s: float = 0.0
    wrong: dict[int, list[str]] = field(default_factory=dict)
    """By seed, what is wrong with those histories that are."""
    happened: Counter[str] = field(default_factory=Counter)
    """By name, the histories in which a fault really happened."""
    figures: Counter[str] = field(default_factory=Counter)
    longest_s: dict[str, float] = field(default_factory=dict)
    """The longest of what took some time."""

    def add(self, other: "Tally") -> None:
        self.histories += other.histories
        self.cpu_s += other.cpu_s
        self.wrong.update(other.wrong)
        self.happened += other.happened
        self.figures += other.figures
        self.note(other.longest_s)

    def note(self, longest_s: dict[str, float]) -> None:
        """Keep what took longer than all before."""
        for what, took_s in longest_s.items():
            self.longest_s[what] = max(took_s, self.longest_s.get(what, 0.0))


def play(
    seed: int, product: Product | None = None, always: Iterable[Fault] = ()
) -> tuple[World, Verdict]:
    """One history of the counting bot, and what is wrong with it."""
    world = World(
        seed, product or original(), CountingBot, counting_text, SHARED, always=frozenset(always)
    )
    return world, _judge(world, judge)


def play_own(
    seed: int,
    always: Iterable[Fault] = (),
    bot: ModuleType | None = None,
    product: Product | None = None,
) -> tuple[World, Verdict]:
    """One history of `bot`, else of the one in `shared.bot`, beside serial runs."""
    world = own_world(seed, product or original(), frozenset(always), bot)
    return world, _judge(world, lambda world: judge_own(world, bot))


def tally(seeds: range, own: bool = False, always: tuple[Fault, ...] = ()) -> Tally:
    """Play the histories of these seeds."""
    result = Tally()
    began_s = time.process_time()
    for seed in seeds:
        world, verdict = play_own(seed, always) if own else play(seed, always=always)
        result.histories += 1
        result.happened.update(fault.value for fault in world.happened)
        result.figures += verdict.figures
        result.note(verdict.longest_s)
        if verdict.wrong:
            result.wrong[seed] = verdict.wrong
    result.cpu_s = time.process_time() - began_s
    return result


def _judge(world: World, judge: Callable[[World], Verdict]) -> Verdict:
    with _errors_noted(world):
        try:
            world.run()
        except (Exception, SystemExit) as error:
            return Verdict([f"{type(error).__name__}: {error}"])
    return judge(world)


@contextmanager
def _errors_noted(world: World) -> Iterator[None]:
    """What the product logs as an error belongs to the history, and is printed nowhere else."""
    handler = _Errors(world)
    root = logging.getLogger()
    others, level, disabled = root.handlers[:], root.level, root.manager.disable
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = others
        root.setLevel(level)
        logging.disable(disabled)


class _Errors(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.note_error(record.getMessage())


def describe(world: World) -> str:
    """The history, one event a line."""
    return "\n".join(
        f"{at_s:9.3f}  {who:<14} {where:<8} {verb:<40} {outcome}"
        for at_s, who, where, verb, outcome in world.events
    )
