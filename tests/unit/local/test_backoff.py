"""How long an empty queue is left alone."""

from random import Random

import pytest

from local.functions_host.triggers.backoff import Backoff
from tests.unit.local.chance import Middle


def test_it_doubles_up_to_the_longest_interval() -> None:
    """The waits are 0.1 s, then 0.1 s and 0.1 s, 0.2 s, 0.4 s and so on, then the longest one."""
    backoff = Backoff(2.0, Middle())

    waits = [backoff.next_s() for _ in range(8)]

    assert pytest.approx([0.1, 0.2, 0.3, 0.5, 0.9, 1.7, 2.0, 2.0]) == waits


def test_a_message_begins_it_anew() -> None:
    """After a message the queue is asked again in 0.1 s."""
    backoff = Backoff(2.0, Middle())
    for _ in range(8):
        backoff.next_s()

    backoff.reset()

    assert pytest.approx([0.1, 0.2]) == [backoff.next_s(), backoff.next_s()]


def test_hosts_do_not_ask_in_step() -> None:
    """What is added is from 0.8 to 1.2 times as long, at random; the longest interval is exact."""
    several = [Backoff(2.0, Random(seed)) for seed in range(200)]

    waits = [[backoff.next_s() for _ in range(8)] for backoff in several]

    third = [each[2] for each in waits]
    assert 0.26 <= min(third) < 0.28 < 0.32 < max(third) <= 0.34
    assert {2.0} == {each[-1] for each in waits}
