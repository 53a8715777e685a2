"""
The functions and lines of contract.toml, and the app that a host needs to be played on.

    python -m tests.programs.triggers.contract FOLDER CONNECTION_STRING
"""

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from tests.unit.local.function_app import write_function

CONTRACT: dict[str, Any] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)

SEEN = "contract-seen-{}"
"""The queue to which a function reports what it has seen: the host may be anywhere."""

_RECORD = """
import asyncio, json, os, signal, sys
import azure.functions as func
from azure.storage.queue import QueueClient

reports = QueueClient.from_connection_string(os.environ["AzureWebJobsStorage"], QUEUE)

def record(**seen):
    reports.send_message(json.dumps(seen))

"""


@dataclass(frozen=True)
class Line:
    """What is put into a function's queue, and what comes of it."""

    says: str
    function: str
    seen: list[dict[str, Any]] | None = None
    first: dict[str, Any] | None = None
    put: Sequence[str] = ()
    put_raw: Sequence[str] = ()
    put_bytes: int = 0
    options: Mapping[str, int] = field(default_factory=dict)
    refused: int | None = None
    poison: Sequence[str] = ()
    left: int = 0
    visible: int | None = None
    app: str = "main"
    only: str = ""

    @property
    def queue_name(self) -> str:
        """The function's queue, with its settings put in."""
        (function,) = (each for each in CONTRACT["functions"] if each["name"] == self.function)
        name = _queue_name(function)
        return str(CONTRACT["settings"].get(name.strip("%"), name))


LINES = [Line(**declared) for declared in CONTRACT["lines"]]


def seen_by(function: str) -> str:
    """Return the name of the queue to which the function reports."""
    return SEEN.format(function.lower())


def functions_of(app: str) -> list[dict[str, Any]]:
    """Return the declarations of the app's functions."""
    return [each for each in CONTRACT["functions"] if each.get("app", "main") == app]


def write_app(folder: Path, connection_string: str, app: str = "main") -> Path:
    """Write host.json, local.settings.json and the functions; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "host.json").write_text(json.dumps(CONTRACT["hosts"][app], indent=2))
    (folder / "requirements.txt").write_text("azure-functions\nazure-storage-queue\n")
    values = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": connection_string,
        **CONTRACT["settings"],
    }
    (folder / "local.settings.json").write_text(
        json.dumps({"IsEncrypted": False, "Values": values}, indent=2)
    )
    for function in functions_of(app):
        _write(folder, function)
    return folder


def _write(folder: Path, function: dict[str, Any]) -> None:
    if "schedule" in function:
        kind, parameter = "TimerRequest", "timer"
        trigger = {"type": "timerTrigger", "name": "timer", "schedule": function["schedule"]}
    else:
        kind, parameter = "QueueMessage", "message"
        trigger = {
            "type": "queueTrigger",
            "name": "message",
            "queueName": _queue_name(function),
            "connection": "AzureWebJobsStorage",
        }
    code = dedent(function["code"]).strip()
    is_async = "async " if "await" in code else ""
    annotation = function.get("annotation", f"func.{kind}")
    write_function(
        folder,
        function["name"],
        f"QUEUE = {seen_by(function['name'])!r}\n{_RECORD}"
        f"{is_async}def main({parameter}: {annotation}, context: func.Context):\n"
        f"{indent(code, '    ')}\n",
        bindings=[{"direction": "in", **trigger, **function.get("binding", {})}],
    )


def _queue_name(function: dict[str, Any]) -> str:
    return str(function.get("queue", f"contract-{function['name'].lower()}"))


if __name__ == "__main__":
    write_app(Path(sys.argv[1]), sys.argv[2])
