"""Small functions that a message or a timer starts, and what is known of their runs."""

import json
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from tests.unit.local.function_app import write_function

RECORD = """
import asyncio, json, os, pathlib, threading, time
import azure.functions as func

def record(**seen):
    with open(pathlib.Path(__file__).with_name("runs"), "a") as runs:
        runs.write(json.dumps({"pid": os.getpid(), **seen}) + "\\n")

"""


def write_queue_function(
    root: Path, queue_name: str, code: str, *, name: str = "OnMessage", **binding: object
) -> None:
    """Write a function of the parameter `message` that runs `code`, which may use `record`."""
    trigger = {"type": "queueTrigger", "name": "message", "queueName": queue_name, **binding}
    _write(root, name, trigger, "message: func.QueueMessage", code)


def write_timer_function(
    root: Path, schedule: str, code: str, *, name: str = "OnTimer", **binding: object
) -> None:
    """Write a function of the parameter `timer` that runs `code`, which may use `record`."""
    trigger = {"type": "timerTrigger", "name": "timer", "schedule": schedule, **binding}
    _write(root, name, trigger, "timer: func.TimerRequest", code)


def runs(root: Path, name: str = "OnMessage") -> list[dict[str, Any]]:
    """Return what the function has recorded, run by run."""
    file = root / name / "runs"
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def _write(root: Path, name: str, trigger: dict[str, object], parameter: str, code: str) -> None:
    is_async = "async " if "await" in code else ""
    body = indent(dedent(code).strip(), "    ")
    write_function(
        root,
        name,
        f"{RECORD}{is_async}def main({parameter}, context: func.Context):\n{body}\n",
        bindings=[{"direction": "in", **trigger}],
    )
