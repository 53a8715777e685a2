"""Each safeguard of the protocol is needed: without it, a history goes wrong."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.histories import play
from tests.simulation.mutants import MUTANTS, Mutant, load

HISTORIES = 500
"""A quarter of those that the product survives."""


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """A mutant has much to complain about."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.safeguard)
def test_safeguard_is_needed(mutant: Mutant, tmp_path: Path) -> None:
    """The simulation notices that it is missing."""
    turns = load(mutant, tmp_path)
    assert any(
        play(seed, turns.TransactionalBot, turns.Surroundings)[1] for seed in range(HISTORIES)
    )
