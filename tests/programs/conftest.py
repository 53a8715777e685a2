"""A copy of the project with a bot of a few lines, to run dev.py in."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from tests.programs.programs import Program, running
from tests.unit.local.function_app import write_function, write_host_json

ROOT = Path(__file__).resolve().parents[2]

BOT = """
import json
import azure.functions as func

turns = 0

def main(req: func.HttpRequest) -> func.HttpResponse:
    global turns
    turns += 1
    activity = req.get_json()
    if activity["type"] != "message":
        texts = ["Welcome"]
    elif activity["text"] == "fail":
        raise ValueError
    elif activity["text"] == "show":
        texts = [json.dumps(activity)]
    elif activity["text"] == "refuse":
        return func.HttpResponse("no such thing\\nat all", status_code=400)
    elif activity["text"].startswith("repeat "):
        return func.HttpResponse(activity["text"], status_code=400)
    else:
        texts = [f"Turn {turns}: {activity['text']}"]
    replies = [{"type": "message", "text": text} for text in texts]
    return func.HttpResponse(json.dumps({"activities": replies}), mimetype="application/json")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's folder."""
    project = tmp_path / "project"
    only_sources = shutil.ignore_patterns("__pycache__", "node_modules")
    for folder in ("local", "shared"):
        shutil.copytree(ROOT / folder, project / folder, ignore=only_sources)
    shutil.copy(ROOT / "dev.py", project)
    # Nothing is installed in no time.
    (project / "tests").mkdir()
    for requirements in ("requirements.txt", "tests/requirements.txt"):
        (project / requirements).write_text("")
    write_host_json(project)
    write_function(project, "MessagesFunction", BOT, route="messages", methods=["post"])
    return project


class Run(Protocol):
    """Starts Python in the project, with these arguments and environment variables."""

    def __call__(self, *arguments: str, **environ: str) -> Program: ...


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Iterator[Run]:
    """Starts programs, and ends them after the test."""
    with ExitStack() as programs:
        outputs = (tmp_path / f"output-{number}" for number in count())

        def start(*arguments: str, **environ: str) -> Program:
            return programs.enter_context(running([*arguments], project, next(outputs), **environ))

        yield start
