"""Each room knows only the rooms that docs/architecture.md lets it know."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
EXCEPTIONS = {("local/torture.py", "tests")}
SOURCES = [
    ROOT / "dev.py",
    *sorted(
        path
        for room in ("MessagesFunction", "shared", "local")
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts
    ),
]


def rules() -> dict[str, set[str]]:
    """The table of the page: what each room may import."""
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]*)\|$", PAGE, re.MULTILINE)
    return {room: set(re.findall(r"`([^`]+)`", allowed)) for room, allowed in rows}


RULES = rules()
# It puts all the others together.
RULES["shared/app"] = {room for room in RULES if room.startswith("shared/")}


def name_of(path: Path) -> str:
    """The name of a module as the page writes it: `shared/turns/turn`."""
    return path.relative_to(ROOT).with_suffix("").as_posix().removesuffix("/__init__")


MODULES = {name_of(path): path for path in SOURCES}


def room_of(module: str) -> str | None:
    """The innermost room that the module is in."""
    parts = module.split("/")
    candidates = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in candidates if name in RULES), None)


def imports(path: Path) -> Iterator[str]:
    """All that a file imports, in functions and for types too: `asyncio`, `shared/turns/turn`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.replace(".", "/") for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports, which this can follow"
            package = (node.module or "").replace(".", "/")
            for name in node.names:
                module = f"{package}/{name.name}"
                yield module if module in MODULES else package


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_imports_only_from_rooms_that_its_own_may_know(path: Path) -> None:
    """A module's imports are from its own room or one that the page names for it."""
    room = room_of(name_of(path))
    allowed = {room, *RULES[room]} if room else set()
    file = path.relative_to(ROOT).as_posix()
    ours = {"MessagesFunction", "benchmarks", "dev", "local", "shared", "tests"}
    known = [name for name in imports(path) if name.split("/")[0] in ours]

    assert [] == [
        name
        for name in known
        if room_of(name) not in allowed and (file, name.split("/")[0]) not in EXCEPTIONS
    ]


def test_the_page_names_rooms_that_exist() -> None:
    """Each room of the table, and each that it lets another know, is a module or a package."""
    rooms = RULES.keys() | set().union(*RULES.values())

    assert [] == sorted(
        room for room in rooms if room not in MODULES and room != "MessagesFunction"
    )


def test_each_subject_has_a_line_of_its_own() -> None:
    """Whatever lies directly under shared/ is in the table."""
    subjects = {"/".join(name.split("/")[:2]) for name in MODULES if name.startswith("shared/")}

    assert set() == subjects - RULES.keys()


def test_only_the_settings_read_the_environment() -> None:
    """They reach everything else under shared/ as arguments."""
    readers = {"environ", "environb", "getenv", "getenvb"}
    found = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        if name.startswith("shared") and name != "shared/settings"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in readers)
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and readers & {name.name for name in node.names}
        )
    ]

    assert [] == found


def test_what_runs_before_the_installation_needs_only_python() -> None:
    """dev.py, local/bootstrap and whatever of ours they import use the standard library."""
    waiting = [name for name in MODULES if room_of(name) in {"dev", "local/bootstrap"}]
    waiting.append("local/__main__")
    reached: set[str] = set()
    foreign: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        for name in imports(MODULES[module]):
            if name in MODULES:
                waiting.append(name)
            elif name.split("/")[0] not in sys.stdlib_module_names:
                foreign.add(f"{module} imports {name}")

    assert set() == foreign
    assert "shared/log_hygiene" in reached
