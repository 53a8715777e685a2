"""How much one instance takes, and for how long: host.json and the Bicep files fit each other."""

import json
from datetime import timedelta
from typing import Any

from shared.turns.limits import RUN_GRACE_S, RUN_S, SEND_LIMIT_S, SETTLE_S, TURN_DEADLINE_S, WAITING
from tests.unit.infra.bicep import INFRA, template

CHANNEL_WAITS_S = 15
CPU_OF_A_TURN_S = 0.0033
"""docs/performance.md."""
SMALLEST_SHARE = 0.25
"""Of a core, with 512 MB."""
AZURE_CLOSES_S = 230
"""https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout"""

HOST: dict[str, Any] = json.loads((INFRA.parent / "host.json").read_text(encoding="utf-8"))
HTTP: dict[str, int] = HOST["extensions"]["http"]


def test_an_instance_is_added_long_before_one_refuses() -> None:
    """While the next instance starts, the one that is there takes all messages."""
    added_at = template("main").parameters["perInstanceConcurrency"]["default"]

    assert added_at * 10 < HTTP["maxOutstandingRequests"]


def test_no_message_waits_in_the_host() -> None:
    """What the host takes it hands to the worker, where turns wait in the order they came."""
    assert HTTP["maxConcurrentRequests"] == HTTP["maxOutstandingRequests"]


def test_the_smallest_instance_works_off_what_it_takes() -> None:
    """All that it takes at once is done before a channel gives up."""
    needed_s = HTTP["maxOutstandingRequests"] * CPU_OF_A_TURN_S / SMALLEST_SHARE

    assert needed_s < CHANNEL_WAITS_S


def test_one_conversation_cannot_take_all_places() -> None:
    """Others are served while as many turns of one wait as may."""
    assert WAITING * 10 < HTTP["maxConcurrentRequests"]


def test_a_turn_ends_long_before_its_worker_is_replaced() -> None:
    """The host replaces the worker, with all its turns, for one invocation that takes too long."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    timeout_s = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    longest_s = TURN_DEADLINE_S + RUN_S + RUN_GRACE_S + SEND_LIMIT_S + SETTLE_S

    assert 2 * longest_s < timeout_s
    assert 2 * AZURE_CLOSES_S < timeout_s
