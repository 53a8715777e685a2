"""Each safeguard of the protocol is needed: without it, a history goes wrong."""

import pytest

from tests.simulation.histories import play
from tests.simulation.mutants import MUTANTS, Mutant

HISTORIES = 4000
"""
At most. Most mutants are noticed in the first few; the rarest go wrong in 1 of some 300 histories
that have the faults which show them, and any change to the product gives its seeds others.
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.safeguard)
def test_safeguard_is_needed(mutant: Mutant) -> None:
    """The simulation notices that it is missing."""
    product = mutant.product()
    assert any(play(seed, product, mutant.shown_by)[1].wrong for seed in range(HISTORIES))
