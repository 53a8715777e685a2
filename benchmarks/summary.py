"""From the figures of several rounds to medians, goals and a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.sampler import PARTS, REST

TITLES = {
    "stock": "Bot Framework SDK",
    "agents": "Microsoft 365 Agents SDK",
    "ours": "this template",
    "bare": "bare requests",
}
"""The stacks in the order of the table's columns."""

CROWD = 150
"""
Messages at once in one conversation.

More than a person types, but a group at work, or a program that talks to a bot, may send as many.
"""


def percentile(values: Iterable[float], rank: float) -> float:
    """Return the smallest value that `rank` percent of all values do not exceed."""
    ordered = sorted(values)
    position = -(-len(ordered) * rank // 100)
    return ordered[max(0, int(position) - 1)]


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}


@dataclass(frozen=True)
class Limit:
    """An upper limit, or with `at_least` a lower one: a multiple of another stack's figure."""

    stack: str
    factor: float
    at_least: bool = False

    def allows(self, ours: float, theirs: float) -> bool:
        """Whether the limit is kept."""
        bound = self.factor * theirs
        return ours >= bound if self.at_least else ours <= bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.factor:.2g} x {self.stack}"


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of each stack, and the limits for ours."""

    figure: str
    title: str
    digits: int = 1
    limits: tuple[Limit, ...] = ()


ROWS = (
    Row(
        "cpu_ms_8",
        "CPU per turn, 8 conversations (ms)",
        limits=(Limit("stock", 0.28), Limit("agents", 0.6), Limit("bare", 2.5)),
    ),
    Row("cpu_ms_32", "CPU per turn, 32 conversations (ms)"),
    Row(
        "turns_per_s_8",
        "turns per second, 8 conversations",
        limits=(Limit("stock", 3.5, at_least=True), Limit("agents", 1.7, at_least=True)),
    ),
    Row(
        "turns_per_s_32",
        "turns per second, 32 conversations",
        limits=(Limit("stock", 3.5, at_least=True), Limit("agents", 1.7, at_least=True)),
    ),
    Row(
        "real_p50_ms",
        '"real", 32 conversations: p50 (ms)',
        0,
        (Limit("stock", 1 / 6), Limit("agents", 1), Limit("bare", 1.8)),
    ),
    Row(
        "real_p99_ms",
        '"real", 32 conversations: p99 (ms)',
        0,
        (Limit("stock", 1 / 6), Limit("agents", 1), Limit("bare", 1.8)),
    ),
    Row(
        "first_reply_ms",
        '"real", 1 conversation: time to the first reply (ms)',
        limits=(Limit("stock", 1),),
    ),
    Row("latency_ms", '"real", 1 conversation: time to the end of the turn (ms)'),
    Row("crowd_failed", f'"real", {CROWD} messages at once in one conversation: failed', 0),
    Row("crowd_message_ms", "these take, each (ms)", 0),
    Row("crowd_requests", "these take, requests to the store each"),
    Row("crowd_other_ms", "meanwhile in another conversation: p50 (ms)", 0),
    Row("cold_start_s", '"real", process start to first reply (s)', 2, (Limit("stock", 0.75),)),
    Row("connections_per_100_turns_8", "connections to the channel, for 100 turns", 0),
    Row("store_reads", "reads from the store per turn"),
    Row("store_writes", "writes to the store per turn"),
    Row("store_trips", "round trips to the store per turn"),
    Row("memory_mb", "memory after 1,000 turns (MB)", 0, (Limit("stock", 1),)),
    Row("memory_growth_mb", "memory added by 1,000 more turns (MB)"),
    Row("growth_conversations", "CPU per turn, 64 conversations against 1", 2),
    Row("growth_state", "CPU per turn, 100 KB of state against 1 KB", 2),
)


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return a Markdown table: a column for each stack, and whether ours is within its limits."""
    stacks = [stack for stack in TITLES if stack in figures]
    head = ["", *(TITLES[stack] for stack in stacks), "goal of this template"]
    rows = [
        [
            row.title,
            *(_cell(figures[stack].get(row.figure), row.digits) for stack in stacks),
            verdict(row, figures),
        ]
        for row in ROWS
        if any(row.figure in figures[stack] for stack in stacks)
    ]
    return _markdown(head, ["---", *["---:"] * len(stacks), "---"], rows)


def parts_table(
    parts: Mapping[str, Mapping[str, float]], figures: Mapping[str, Mapping[str, float]]
) -> str:
    """Return a Markdown table of what the CPU time of a turn goes to, in ms, for each stack."""
    stacks = [stack for stack in TITLES if stack in parts]
    names = sorted({name for stack in stacks for name in parts[stack]}, key=[*PARTS, REST].index)
    head = ["CPU per turn (ms)", *(TITLES[stack] for stack in stacks)]
    rows = [
        [
            name,
            *(_cell(parts[stack].get(name, 0) * figures[stack]["cpu_ms_8"], 2) for stack in stacks),
        ]
        for name in names
    ]
    return _markdown(head, ["---", *["---:"] * len(stacks)], rows)


def _markdown(head: list[str], alignment: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, alignment, *rows))


def verdict(row: Row, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the limits of a row, and which of them are not kept."""
    ours = figures.get("ours", {}).get(row.figure)
    judged = []
    for limit in row.limits:
        theirs = figures.get(limit.stack, {}).get(row.figure)
        if ours is None or theirs is None:
            judged.append(str(limit))
            continue
        actual = ours / theirs
        kept = "✓" if limit.allows(ours, theirs) else "**missed**"
        judged.append(f"{limit}: {actual:.2f} {kept}")
    return ", ".join(judged)


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def growth_figures(growth: Mapping[str, Mapping[Any, float]]) -> dict[str, float]:
    """Return how many times more CPU the largest load takes than the smallest."""
    conversations = list(growth["conversations"].values())
    state = list(growth["state_kb"].values())
    return {
        "growth_conversations": conversations[-1] / conversations[0],
        "growth_state": state[-1] / state[0],
    }
