"""The conversation in histories in which everything goes wrong."""

import pytest

from tests.kit.fixtures import History


@pytest.mark.parametrize("seed", range(10))
def test_it_is_as_after_a_serial_run(history: History, seed: int) -> None:
    """State and replies are those of the same turns one after the other, in commit order."""
    assert [] == history(seed)
