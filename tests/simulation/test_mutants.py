"""Each safeguard of the protocol is needed: without it, a history goes wrong."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.histories import play
from tests.simulation.mutants import MUTANTS, Mutant, load

HISTORIES = 6000
"""
At most. Most mutants are noticed in the first few; the rarest go wrong in 1 of 1,500 histories,
and any change to the product gives its seeds other histories.
"""


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """A mutant has much to complain about."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.safeguard)
def test_safeguard_is_needed(mutant: Mutant, tmp_path: Path) -> None:
    """The simulation notices that it is missing."""
    turns = load(mutant, tmp_path)
    assert any(
        play(seed, turns.TransactionalBot, turns.Surroundings)[1] for seed in range(HISTORIES)
    )
