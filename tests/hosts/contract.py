"""The contract: functions, requests, and what comes of them, read from the file beside this one."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

KINDS = ("azure", "runtime")
"""Of hosts on which an outcome may be another one than on a developer's machine."""


@dataclass(frozen=True)
class App:
    """A function app that lines are about."""

    host_json: Mapping[str, Any]
    settings: Mapping[str, str]
    functions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Line:
    """One request, and what comes of it."""

    row: int
    says: str
    app: str
    outcome: Mapping[str, Any]
    differs: Mapping[str, Mapping[str, Any]]
    """By the kind of the host: the outcome where it is another one on purpose."""
    kills: bool = False
    log: bool = False
    only: str = ""
    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    chunked: bool = False
    query_bytes: int = 0
    header_bytes: int = 0
    header_count: int = 0
    body_bytes: int = 0
    at_once: int = 1
    afterwards: str = ""
    signal: str = ""

    def expected_on(self, kind: str) -> Mapping[str, Any]:
        """Return the outcome on such a host."""
        return self.differs.get(kind, self.outcome)


@dataclass(frozen=True)
class Contract:
    """The lines of one file, and the apps that they need."""

    apps: Mapping[str, App]
    lines: tuple[Line, ...] = field(repr=False)


def read_contract(name: str) -> Contract:
    """Read `name`.toml."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    functions = content["functions"]
    apps = {
        app: App(
            declared["host"],
            declared.get("settings", {}),
            tuple(each for each in functions if each.get("app", "main") == app),
        )
        for app, declared in content["apps"].items()
    }
    return Contract(apps, tuple(map(_line, content["lines"])))


def _line(declared: dict[str, Any]) -> Line:
    fields = dict(declared)
    kinds: list[str] = [kind for kind in KINDS if kind in fields]
    differs = {kind: fields.pop(kind) for kind in kinds}
    headers = tuple((name, value) for name, value in fields.pop("headers", []))
    return Line(**{"app": "main", **fields}, headers=headers, differs=differs)
