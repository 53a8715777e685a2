"""
Writes the function app of the contract, for a host that is started elsewhere.

    python -m tests.hosts.app FOLDER
"""

import json
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.hosts.contract import App, read_contract

_BINDINGS = (
    {"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "anonymous"},
    {"type": "http", "direction": "out", "name": "$return"},
)


def write_app(app: App, folder: Path) -> Path:
    """Write host.json, local.settings.json and the functions; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "host.json").write_text(json.dumps(app.host_json, indent=2))
    (folder / "requirements.txt").write_text("azure-functions\n")
    settings = {"FUNCTIONS_WORKER_RUNTIME": "python", **app.settings}
    (folder / "local.settings.json").write_text(
        json.dumps({"IsEncrypted": False, "Values": settings}, indent=2)
    )
    for function in app.functions:
        own = folder / function["name"]
        own.mkdir()
        (own / function.get("file", "__init__.py")).write_text(
            dedent(function["code"]), encoding="utf-8"
        )
        (own / "function.json").write_text(function.get("raw_declaration") or _declare(function))
    return folder


def _declare(function: Any) -> str:
    bindings = [dict(binding) for binding in function.get("bindings", _BINDINGS)]
    bindings[0] |= {key: function[key] for key in ("route", "methods") if key in function}
    return json.dumps({**function.get("declaration", {}), "bindings": bindings}, indent=2)


if __name__ == "__main__":
    write_app(read_contract("http").apps["main"], Path(sys.argv[1]))
