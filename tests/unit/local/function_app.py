"""Small function apps on disk, for the host to serve."""

import json
from pathlib import Path
from textwrap import dedent

HTTP_OUT = {"type": "http", "direction": "out", "name": "$return"}


def write_host_json(root: Path, *, queues: object = None, **http: object) -> None:
    """Write host.json with these settings of the HTTP extension, and of the queues'."""
    root.mkdir(parents=True, exist_ok=True)
    extensions = {"http": http, **({"queues": queues} if queues else {})}
    (root / "host.json").write_text(json.dumps({"version": "2.0", "extensions": extensions}))


def write_function(
    root: Path, name: str, code: str, *, bindings: object = None, **declaration: object
) -> Path:
    """
    Write the function `name` with `code` in its `__init__.py`; return that file.

    Of `declaration`, `authLevel`, `methods` and `route` go into the trigger, the rest beside the
    bindings.
    """
    trigger: dict[str, object] = {"type": "httpTrigger", "direction": "in", "name": "req"}
    for key in ("authLevel", "methods", "route"):
        if key in declaration:
            trigger[key] = declaration.pop(key)
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "function.json").write_text(
        json.dumps({"bindings": bindings or [trigger, HTTP_OUT], **declaration})
    )
    script = folder / "__init__.py"
    script.write_text(dedent(code), encoding="utf-8")
    return script
