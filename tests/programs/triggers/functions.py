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
    trigger = {"type": "queueTrigger", "direction": "in", "name": "message"}
    is_async = "async " if "await" in code else ""
    head = f"{is_async}def main(message: func.QueueMessage, context: func.Context):"
    write_function(
        root,
        name,
        f"{RECORD}{head}\n{_indented(code)}",
        bindings=[{**trigger, "queueName": queue_name, **binding}],
    )


def runs(root: Path, name: str = "OnMessage") -> list[dict[str, Any]]:
    """Return what the function has recorded, run by run."""
    file = root / name / "runs"
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def _indented(code: str) -> str:
    return indent(dedent(code).strip(), "    ") + "\n"
