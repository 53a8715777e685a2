"""Which texts are base64 to the Functions host."""

import pytest

from local.functions_host.triggers.queue_messages import decoded


@pytest.mark.parametrize("text", ["YWJj", " YW\tJj", "YW\r\nJj\n"])
def test_white_space_in_base64_does_not_count(text: str) -> None:
    """As .NET reads it, wherever it stands."""
    assert b"abc" == decoded(text, is_base64=True)


@pytest.mark.parametrize("text", ["YWJj!", "YWJ", "YWJ-", "YW=j", "=YWJ", "YWJj====", "äöü", "{}"])
def test_what_is_almost_base64_is_none(text: str) -> None:
    """One character too many, or too few, is enough."""
    with pytest.raises(ValueError, match="base64"):
        decoded(text, is_base64=True)
