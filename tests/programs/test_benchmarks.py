"""The benchmark's own arithmetic, and that its table says what was measured."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.refused import measure
from benchmarks.sampler import REST, part_of
from benchmarks.summary import (
    ROWS,
    Limit,
    Row,
    growth_figures,
    medians,
    parts_table,
    percentile,
    table,
    verdict,
)

ROOT = Path(__file__).parents[2]


def test_percentiles_are_values_that_occurred() -> None:
    """The p-th percentile is the smallest value that p percent of all do not exceed."""
    values = [15, 20, 35, 40, 50]

    assert 15 == percentile(values, 0)
    assert 20 == percentile(values, 30)
    assert 35 == percentile(values, 50)
    assert 50 == percentile(values, 99)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.integers(1, 100))
def test_a_percentile_is_exceeded_by_the_rest(values: list[float], rank: int) -> None:
    """At least `rank` percent of the values are at most the percentile."""
    found = percentile(values, rank)

    assert found in values
    assert 100 * sum(value <= found for value in values) >= rank * len(values)


def test_a_round_that_was_disturbed_does_not_count() -> None:
    """The table shows the median of the rounds, figure by figure."""
    rounds = [{"cpu": 8.0, "p50": 90.0}, {"cpu": 70.0, "p50": 95.0}, {"cpu": 9.0, "p50": 99.0}]

    assert {"cpu": 9.0, "p50": 95.0} == medians(rounds)


@pytest.mark.parametrize(
    ("limit", "ours", "kept"),
    [
        (Limit("stock", 0.5), 10, True),
        (Limit("stock", 0.5), 11, False),
        (Limit("stock", 3, at_least=True), 60, True),
        (Limit("stock", 3, at_least=True), 59, False),
    ],
)
def test_a_limit_is_a_multiple_of_another_stack(limit: Limit, ours: float, kept: bool) -> None:
    """Costs have an upper limit and yields a lower one; both may just be met."""
    assert kept == limit.allows(ours, 20)


def test_the_table_names_what_missed_its_goal() -> None:
    """Each limit is shown with the ratio that was measured, and whether it was kept."""
    row = Row("cpu", "CPU", limits=(Limit("stock", 0.5), Limit("bare", 2)))
    figures = {"stock": {"cpu": 20.0}, "ours": {"cpu": 8.0}, "bare": {"cpu": 2.0}}

    assert "≤ 0.5 x stock: 0.40 ✓, ≤ 2 x bare: 4.00 **missed**" == verdict(row, figures)


def test_the_table_has_a_column_for_each_measured_stack() -> None:
    """What was not measured has neither a column nor a line."""
    lines = table({"ours": {"cpu_ms_8": 8.25}, "stock": {"cpu_ms_8": 30.0}}).splitlines()

    assert 3 == len(lines)
    assert "|  | Bot Framework SDK | this template | goal of this template |" == lines[0]
    assert lines[2].startswith("| CPU per turn, 8 conversations (ms) | 30.0 | 8.2 | ")


def test_every_line_of_the_table_is_another_figure() -> None:
    """No figure is shown twice."""
    assert len(ROWS) == len({row.figure for row in ROWS})


def test_growth_compares_the_largest_load_with_the_smallest() -> None:
    """A stack whose CPU per turn stays flat grows by a factor of one."""
    growth = {"conversations": {1: 8.0, 8: 7.0, 64: 8.0}, "state_kb": {1: 8.0, 100: 12.0}}

    assert {"growth_conversations": 1.0, "growth_state": 1.5} == growth_figures(growth)


@pytest.mark.parametrize(
    ("paths", "part"),
    [
        (
            ["/lib/json/encoder.py", "/site-packages/azure/cosmos/_base.py"],
            "azure-cosmos, azure-core",
        ),
        (["/lib/asyncio/tasks.py", "/app/shared/turns/turn.py"], "event loop, TLS, sockets"),
        (["/lib/copy.py", "/app/shared/turns/turn.py", "/app/shared/app.py"], "atomic turns"),
        (["/app/shared/bot/names.py", "/site-packages/botbuilder/core/bot.py"], "the bot"),
        (["/app/shared/sdk_json.py"], "endpoint, authentication, replies"),
        (["/lib/runpy.py"], REST),
    ],
)
def test_cpu_time_counts_for_the_innermost_part(paths: list[str], part: str) -> None:
    """What the standard library does, but for the event loop, it does for its caller."""
    assert part == part_of(paths)


def test_the_parts_of_a_turn_add_up_to_it() -> None:
    """Shares become milliseconds; a part that a stack has not is zero there."""
    parts = {"ours": {"the SDK": 0.75, "HTTP": 0.25}, "bare": {"HTTP": 1.0}}
    figures = {"ours": {"cpu_ms_8": 4.0}, "bare": {"cpu_ms_8": 1.5}}

    assert [
        "| the SDK | 3.00 | 0.00 |",
        "| HTTP | 1.00 | 1.50 |",
    ] == parts_table(parts, figures).splitlines()[2:]


@pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="the benchmark needs Linux or macOS")
def test_samples_are_taken_of_what_runs() -> None:
    """A process that computes is seen computing."""
    program = """
import json, os
from benchmarks.refused import measure
from benchmarks.sampler import Sampler
sampler = Sampler()
sampler.start()
while not sampler.samples:
    json.dumps(list(range(1000)))
print(list(sampler.samples), flush=True)
os._exit(0)
"""
    said = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True, timeout=60)

    assert f"['{REST}']\n" == said


async def test_refused_requests_are_refused() -> None:
    """What the benchmark measures as refused is, small and large; else it stops."""
    measured = await measure(rounds=1, requests=1)

    assert measured
    assert all(small_s > 0 and large_s > 0 for _, small_s, large_s in measured)


def test_the_bot_that_is_measured_is_not_the_one_in_shared_bot() -> None:
    """Every stack holds the sample's conversation, whatever bot has moved in."""
    conversation = """
import asyncio, json, sys
import azure.functions as func
from benchmarks.stacks import ours

async def say(text):
    activity = {
        "type": "message", "channelId": "test", "serviceUrl": "http://localhost/",
        "conversation": {"id": "c"}, "from": {"id": "ada"}, "recipient": {"id": "bot"},
        "deliveryMode": "expectReplies", "text": text, "timestamp": "2026-01-02T03:04:05Z",
    }
    answer = await ours.main(func.HttpRequest(
        "POST", "http://localhost/", body=json.dumps(activity).encode(),
        headers={"Content-Type": "application/json"},
    ))
    for reply in json.loads(answer.get_body())["activities"]:
        print(reply["text"].partition(" at: ")[0])

async def talk():
    for text in ("hello", "Ada", "a fine day"):
        await say(text)

asyncio.run(talk())
print(*(name for name in sys.modules if name.startswith("shared.bot.")))
"""
    said = subprocess.check_output(
        [sys.executable, "-c", conversation],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AZURE_FUNCTIONS_ENVIRONMENT": "Development"},
        text=True,
        timeout=60,
    )

    assert [
        "What is your name?",
        "Thanks Ada. To see conversation data, type anything.",
        "Ada sent: a fine day",
        "Message received",
        "Message received from: test",
        "",
    ] == said.splitlines()
