"""What is measured of a stack, and under which load."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import BenchmarkError, Load, Server, Store
from benchmarks.state import grow_state
from benchmarks.summary import CROWD, percentile


@dataclass(frozen=True)
class Delays:
    """How much longer the services take than they need on this machine."""

    store_ms: int
    channel_ms: int


NONE = Delays(0, 0)
REAL = Delays(5, 20)
"""Roughly Cosmos DB in the same region, and the Bot Connector."""

DIALOGUE = ["Hello", "Ada"]
"""What each user says first: a greeting, and the name that the bot then asks for."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Extent:
    """How thorough a benchmark is."""

    rounds: int
    seconds: float
    """For each load."""
    cold_starts: int
    """In each round."""
    memory_turns: int
    """0: memory and growth are not measured."""
    growth_conversations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    growth_state_kb: tuple[int, ...] = (1, 10, 100)


FULL = Extent(rounds=5, seconds=8, cold_starts=3, memory_turns=1000)
QUICK = Extent(rounds=1, seconds=2, cold_starts=1, memory_turns=0)


class Experiment:
    """Puts stacks under load, one at a time, with the same store and the same users."""

    def __init__(
        self, store: Store, load: Load, extent: Extent, progress: Callable[[str], None]
    ) -> None:
        self._store = store
        self._load = load
        self._extent = extent
        self._progress = progress
        self._containers = 0

    def measure_round(self, stack: str, python: Path) -> Figures:
        """Return the figures of a table's column."""
        settings = self._new_container(stack)
        seconds = self._extent.seconds
        figures: Figures = {}
        with Server(stack, python, settings) as server:
            self._warm_up(server, conversations=32)
            for conversations in (8, 32):
                self._progress(f"{conversations} conversations")
                run = self._measure(server, NONE, conversations=conversations, seconds=seconds)
                figures[f"cpu_ms_{conversations}"] = run["cpu_ms"]
                figures[f"turns_per_s_{conversations}"] = run["turns"] / run["seconds"]
                figures[f"connections_per_100_turns_{conversations}"] = (
                    100 * run["connections"] / run["turns"]
                )
                figures[f"failed_{conversations}"] = run["failed"]
            self._progress('1 conversation, "real"')
            run = self._measure(server, REAL, conversations=1, seconds=seconds / 2)
            figures["first_reply_ms"] = median(run["first_replies_ms"])
            figures["latency_ms"] = median(run["latencies_ms"])
            figures["store_reads"] = run["store"]["reads"] / run["turns"]
            figures["store_writes"] = run["store"]["writes"] / run["turns"]
            figures["store_others"] = run["store"]["others"] / run["turns"]
            figures["store_trips"] = run["store"]["trips"] / run["turns"]
            self._progress('32 conversations, "real"')
            run = self._measure(server, REAL, conversations=32, seconds=seconds)
            figures["real_p50_ms"] = percentile(run["latencies_ms"], 50)
            figures["real_p99_ms"] = percentile(run["latencies_ms"], 99)
            figures["failed_real"] = run["failed"]
            self._progress(f'{CROWD} messages at once in one conversation, "real"')
            run = self._measure(server, REAL, crowd=CROWD)
            figures["crowd_message_ms"] = run["message_ms"]
            figures["crowd_other_ms"] = percentile(run["other_ms"], 50)
            figures["crowd_requests"] = (
                run["store"]["reads"] + run["store"]["writes"] + run["store"]["others"]
            ) / run["turns"]
            figures["crowd_failed"] = run["failed"]
            figures["failed_beside_crowd"] = run["other_failed"]
        self._progress("cold start")
        figures["cold_start_s"] = median(
            self._cold_start(stack, python, settings) for _ in range(self._extent.cold_starts)
        )
        return figures

    def measure_parts(self, stack: str, python: Path) -> dict[str, float]:
        """Return what share of its CPU time each part of the software uses."""
        self._progress("profile")
        with Server(stack, python, self._new_container(stack)) as server:
            self._warm_up(server, conversations=8)
            server.sample()
            self._measure(server, NONE, conversations=8, seconds=self._extent.seconds)
            samples = server.samples()
        return {part: count / sum(samples.values()) for part, count in samples.items()}

    def measure_memory(self, stack: str, python: Path) -> list[float]:
        """Return the megabytes held after the same number of turns, twice."""
        self._progress("memory")
        with Server(stack, python, self._new_container(stack)) as server:
            self._warm_up(server, conversations=8)
            held = []
            for _ in range(2):
                self._measure(server, NONE, conversations=8, turns=self._extent.memory_turns)
                held.append(server.memory_mb())
        return held

    def measure_growth(self, stack: str, python: Path) -> dict[str, dict[int, float]]:
        """Return the CPU per turn by conversations, and by kilobytes of conversation state."""
        seconds = self._extent.seconds / 2
        growth: dict[str, dict[int, float]] = {"conversations": {}, "state_kb": {}}
        settings = self._new_container(stack)
        with Server(stack, python, settings) as server:
            self._warm_up(server, conversations=max(self._extent.growth_conversations))
            for count in self._extent.growth_conversations:
                self._progress(f"growth, {count} conversations")
                run = self._measure(server, NONE, conversations=count, seconds=seconds)
                growth["conversations"][count] = run["cpu_ms"]
            for kilobytes in self._extent.growth_state_kb:
                self._progress(f"growth, {kilobytes} KB of state")
                grow_state(settings, kilobytes * 1024)
                run = self._measure(server, NONE, conversations=8, seconds=seconds)
                growth["state_kb"][kilobytes] = run["cpu_ms"]
        return growth

    def _new_container(self, stack: str) -> dict[str, str]:
        self._containers += 1
        return self._store.create_container(f"{stack}-{self._containers}")

    def _warm_up(self, server: Server, *, conversations: int) -> None:
        run = self._load.run(server.port, conversations=conversations, texts=DIALOGUE)
        if run["failed"]:
            raise BenchmarkError("The bot does not answer; its output above may say why.")
        self._load.run(server.port, conversations=8, seconds=self._extent.seconds / 4)

    def _measure(self, server: Server, delays: Delays, **how: Any) -> dict[str, Any]:
        self._store.meter(delay_ms=delays.store_ms)
        cpu_s = server.cpu_s()
        run = self._load.run(server.port, delay_ms=delays.channel_ms, **how)
        return {
            **run,
            "cpu_ms": 1000 * (server.cpu_s() - cpu_s) / run["turns"],
            "store": self._store.meter(delay_ms=0),
        }

    def _cold_start(self, stack: str, python: Path, settings: dict[str, str]) -> float:
        self._store.meter(delay_ms=REAL.store_ms)
        with Server(stack, python, settings) as server:
            # The conversation goes on: its state is in the store.
            run = self._load.run(server.port, delay_ms=REAL.channel_ms, conversations=1, turns=1)
        self._store.meter(delay_ms=0)
        seconds: float = run["first_reply_at_s"] - server.started_at_s
        return seconds
