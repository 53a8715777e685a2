"""
The functions and lines of contract.toml, and the app and storage that a host needs to be played on.

    python -m tests.programs.triggers.contract FOLDER CONNECTION_STRING [APP]
"""

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from azure.core.exceptions import HttpResponseError

from tests.programs.triggers.blobs import HostBlobs
from tests.programs.triggers.queues import TestQueue
from tests.unit.local.function_app import write_function

CONTRACT: dict[str, Any] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)

SEEN = "contract-seen-{}"
"""The queue to which a function reports what it has seen: the host may be anywhere."""

_RECORD = """
import asyncio, json, os, signal, sys, time
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
    at_start: bool = False
    received: int = 0
    remade: bool = False
    refused: int | None = None
    poison: Sequence[str] = ()
    left: int | None = None
    visible: int | None = None
    written: list[str] | None = None
    app: str = "main"
    kills: bool = False
    only: str = ""

    @property
    def declared(self) -> dict[str, Any]:
        """The function, as it is declared."""
        (function,) = (each for each in CONTRACT["functions"] if each["name"] == self.function)
        return dict(function)

    @property
    def queue_name(self) -> str | None:
        """The function's queue, with its settings put in; None for a timer."""
        if "schedule" in self.declared:
            return None
        name = _queue_name(self.declared)
        return str(CONTRACT["settings"].get(name.strip("%"), name))

    @property
    def signal(self) -> tuple[int, str] | None:
        """How much has been seen when the host gets the signal, and which."""
        for position, each in enumerate(self.seen or ()):
            if "signal" in each:
                return position, each["signal"]
        return None

    def put_into(self, queue: TestQueue) -> int | None:
        """Return the status with which the queue has refused a message; None if it has not."""
        try:
            for text in self.put:
                queue.put(text, **self.options)
            for text in self.put_raw:
                queue.put_raw(text, **self.options)
            if self.put_bytes:
                queue.put("x" * self.put_bytes)
        except HttpResponseError as error:
            return error.status_code
        return None


LINES = [Line(**declared) for declared in CONTRACT["lines"]]


def seen_by(function: str) -> str:
    """Return the name of the queue to which the function reports."""
    return SEEN.format(function.lower())


def functions_of(app: str) -> list[dict[str, Any]]:
    """Return the declarations of the app's functions."""
    return [each for each in CONTRACT["functions"] if each.get("app", "main") == app]


def host_blobs(connection_string: str) -> HostBlobs:
    """What the hosts that are played on write down."""
    return HostBlobs(connection_string, CONTRACT["settings"]["AzureFunctionsWebHost__hostid"])


def prepare_storage(connection_string: str, app: str = "main") -> None:
    """Leave what is to be there before a host starts, and nothing else of an earlier one."""
    blobs = host_blobs(connection_string)
    for function in functions_of(app):
        TestQueue(connection_string, seen_by(function["name"])).create_and_clear()
        blobs.forget(function["name"])
        if "left" in function:
            last, next_ = function["left"]
            blobs.write_status(last, next_, function["name"])
    for line in LINES:
        if line.app == app and line.at_start and line.queue_name:
            queue = TestQueue(connection_string, line.queue_name)
            queue.create_and_clear()
            line.put_into(queue)
            for _ in range(line.received):
                queue.receive()


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
    chosen = sys.argv[3:] or ["main"]
    write_app(Path(sys.argv[1]), sys.argv[2], *chosen)
    prepare_storage(sys.argv[2], *chosen)
