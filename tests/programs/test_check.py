"""`dev.py check` holds the project to its style, and lets the bot in it have another."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.bootstrap.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]

ODDLY_FORMATTED = """
from botbuilder.core import *
import os, json
from botbuilder.core import ActivityHandler
class bot( ActivityHandler ):
  def __init__(self, storage, seen=[]): self.storage=storage; self.seen = seen
  async def on_message_activity(self, turn_context):
      print( 'got a message' )
      unused=1
      x = lambda t : t.upper()
      try: await turn_context.send_activity(x(turn_context.activity.text)+"!")
      except Exception : raise
STATE_TYPES=[]
def create_bot(storage): return bot(storage)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What is checked of the project, with a bot of another style in it."""
    only_sources = shutil.ignore_patterns("__pycache__", "node_modules", "bot")
    for folder in ("local", "shared"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=only_sources)
    for file in ("dev.py", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    for folder in ("shared/bot", "tests/bot"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text(ODDLY_FORMATTED, encoding="utf-8")
    return tmp_path


def test_the_style_of_a_bot_turns_nothing_red(project: Path) -> None:
    """A bot without types, formatted oddly, passes; the same text elsewhere does not."""
    assert [] == _complaining_tools(project, "dev.py", "shared")
    (project / "shared" / "elsewhere.py").write_text(ODDLY_FORMATTED, encoding="utf-8")

    assert ["ruff check", "ruff format", "mypy"] == _complaining_tools(project, "shared")


def test_what_a_bot_brings_to_the_root_is_its_own(project: Path) -> None:
    """The folders and modules of a sample may stay where they were, beside the template's."""
    for name in ("app.py", "config.py", "bots/__init__.py", "dialogs/main_dialog.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(ODDLY_FORMATTED, encoding="utf-8")
    steps = [step for step in COMMANDS["check"].steps if "ruff" in step]

    assert 2 == len(steps)
    for step in steps:
        subprocess.run([sys.executable, *step], cwd=project, check=True)


def _complaining_tools(project: Path, *paths: str) -> list[str]:
    """Those steps of the command that look at sources, and are not content with them."""
    steps = [step for step in COMMANDS["check"].steps if step[1] in ("ruff", "mypy")]
    return [
        " ".join(step[1:3])
        for step in steps
        if subprocess.run([sys.executable, *step, *paths], cwd=project, check=False).returncode
    ]
