"""What the bot imports when the worker starts, which every cold start waits for."""

import subprocess
import sys

from tests.end_to_end.deployment import ROOT

LATE = ("emoji", "recognizers_number", "recognizers_sequence", "recognizers_text")


def test_what_the_first_name_needs_is_not_imported_at_start() -> None:
    """Recognizers-Text takes longer to import than all of the rest of the bot."""
    imported = subprocess.check_output(
        [sys.executable, "-c", "import shared.bot, sys; print(*sys.modules)"], cwd=ROOT, text=True
    ).split()

    assert "shared.bot.names" in imported
    assert set() == set(LATE) & set(imported)
