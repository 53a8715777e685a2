"""
Copies of `shared.turns` with lines of it changed, beside the product itself.

The product knows nothing of this. A copy is imported under a name of its own; its source is
changed on the way from the file to the interpreter.
"""

import importlib
import importlib.abc
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

_SOURCE = Path(__file__).parents[2] / "shared" / "turns"
_BEFORE = Path(__file__).parent / "version_before.zip"
"""
`shared/turns` before there were mailboxes, as docs/adr/0001-atomic-turns.md has it.

    git archive --format=zip --output tests/simulation/version_before.zip d30e373 shared/turns

What of the other rooms it needs it takes from this version.
"""

_numbers = count(1)

SMALL_BOUNDS = {
    "DONE_TURNS": "3",
    "DONE_BYTES": "100",
    "ANSWERS": "2",
    "ANSWER_BYTES": "500",
    "KEPT_ACTIVITY_IDS": "3",
    "KEPT_REMOVALS": "2",
    "SEEN_DOCUMENTS": "2",
    "WAITING": "4",
    "DOCUMENT_BYTES": "12_000",
}
"""What `limits.py` says in the copy that a short history reaches the bounds of."""


@dataclass(frozen=True)
class Edit:
    """A snippet of a file that must be there exactly once, and what stands there instead."""

    file: str
    snippet: str
    instead: str


# Of the errors that it raises one is gone. Nothing caught it by name.
_IN_VERSION_BEFORE = (
    Edit("owner.py", "import DeliveryUncertain,", "import TurnError as DeliveryUncertain,"),
    Edit("turn.py", "    DeliveryUncertain,", "    TurnError as DeliveryUncertain,"),
)


@dataclass(frozen=True)
class Product:
    """What a history is played with."""

    turns: Any
    """The package."""
    edits: tuple[Edit, ...] = ()

    @property
    def transactional_bot(self) -> Callable[..., Any]:
        made: Callable[..., Any] = self.turns.TransactionalBot
        return made

    @property
    def chance(self) -> Callable[..., Any]:
        made: Callable[..., Any] = self.turns.Chance
        return made

    def bound(self, name: str) -> int:
        """What `limits.py` says in it."""
        limits = importlib.import_module(f"{self.turns.__name__}.limits")
        return int(getattr(limits, name))

    def small(self) -> "Product":
        """The same with small bounds."""
        return _small(self.edits)


def original() -> Product:
    """The product as it is."""
    return Product(importlib.import_module("shared.turns"))


def changed(edits: Sequence[Edit]) -> Product:
    """The product with some snippets replaced."""
    return Product(_load(_edited(_sources(), edits)), tuple(edits))


@lru_cache(1)
def version_before() -> Product:
    """The app before this version: it knows no mailbox, and holds a request to the turn's end."""
    with ZipFile(_BEFORE) as archive:
        sources = {
            name.removeprefix("shared/turns/"): archive.read(name).decode()
            for name in archive.namelist()
            if name.endswith(".py")
        }
    return Product(_load(_edited(sources, _IN_VERSION_BEFORE)))


@lru_cache(4)
def _small(edits: tuple[Edit, ...]) -> Product:
    return Product(_load(_bounded(_edited(_sources(), edits))), edits)


def _sources() -> dict[str, str]:
    return {
        path.relative_to(_SOURCE).as_posix(): path.read_text() for path in _SOURCE.rglob("*.py")
    }


def _edited(sources: dict[str, str], edits: Sequence[Edit]) -> dict[str, str]:
    for edit in edits:
        found = sources[edit.file].count(edit.snippet)
        if found != 1:
            raise AssertionError(f"{found} times in {edit.file}: {edit.snippet}")
        sources[edit.file] = sources[edit.file].replace(edit.snippet, edit.instead)
    return sources


def _bounded(sources: dict[str, str]) -> dict[str, str]:
    for name, value in SMALL_BOUNDS.items():
        sources["limits.py"], found = re.subn(
            rf"(?m)^{name}(: \w+)? = .*$", f"{name} = {value}", sources["limits.py"]
        )
        if found != 1:
            raise AssertionError(f"limits.py has {name} {found} times")
    return sources


def _load(sources: dict[str, str]) -> ModuleType:
    package = f"changed_turns_{next(_numbers)}"
    finder = _Finder(package, sources)
    sys.meta_path.insert(0, finder)
    try:
        # All of it at once: what is imported later would not be found.
        for file in sources:
            importlib.import_module(finder.module_of(file))
    finally:
        sys.meta_path.remove(finder)
    return sys.modules[package]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the modules of one changed copy."""

    def __init__(self, package: str, sources: dict[str, str]) -> None:
        self._package = package
        self._files = {self.module_of_package(package, file): file for file in sources}
        self._sources = sources

    def module_of(self, file: str) -> str:
        return self.module_of_package(self._package, file)

    @staticmethod
    def module_of_package(package: str, file: str) -> str:
        parts = file.removesuffix(".py").split("/")
        return ".".join([package, *(part for part in parts if part != "__init__")])

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> Any:
        if fullname not in self._files:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def is_package(self, fullname: str) -> bool:
        return self._files[fullname].endswith("__init__.py")

    def get_source(self, fullname: str) -> str:
        return self._sources[self._files[fullname]].replace("shared.turns", self._package)
