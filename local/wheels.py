"""
Whether everything that is locked can be installed without a compiler, on every platform that
the README names.

A lock file names versions and hashes; which platforms a version has wheels for, only the index
knows. `dev.py lock` and `check` ask it, through uv, for each platform and Python.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from local.bootstrap.commands import ROOT
from local.bootstrap.console import Console
from local.bootstrap.environment import TEST_REQUIREMENTS
from local.bootstrap.errors import LocalError

# By uv's names. On Windows for Arm use Python for x86-64: cryptography has no wheels.
PLATFORMS = {
    "Linux on x86-64": "x86_64-manylinux_2_28",
    "Linux on Arm": "aarch64-manylinux_2_28",
    "macOS on Apple silicon": "aarch64-apple-darwin",
    "macOS on Intel": "x86_64-apple-darwin",
    "Windows on x86-64": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# Published as sources only, but pure Python: installing them needs no compiler.
SOURCES_ONLY = frozenset({"aiounittest", "emoji", "grapheme"})

_MISSING = re.compile(r"Because (\S+?)==\S+ has no (?:usable )?wheels|required for `([^`]+)`")

_AT_ONCE = 4
"""A run mostly waits for the index."""

_STAMP = ROOT / ".local" / "wheels-found-for.sha256"


def missing(requirements: str, platform: str, python: str) -> Iterator[str]:
    """
    Yield the packages without a wheel for the platform; `requirements` as in a lock file.

    Raises:
        LocalError: uv cannot say.
    """
    locked = re.findall(r"^([\w.-]+)(==.+?)[ \\]*$", requirements, re.MULTILINE)
    left = {name + version: name for name, version in locked if name not in SOURCES_ONLY}
    while name := _first_missing(left, platform, python):
        yield name
        left = {line: other for line, other in left.items() if other != name}


def _first_missing(left: dict[str, str], platform: str, python: str) -> str | None:
    # uv names one package at a time.
    outcome = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--quiet"),
            *("--only-binary=:all:", f"--python-platform={platform}", f"--python-version={python}"),
            # What is installed in this environment must not count.
            *("--target=.local/no-such-folder", "--requirements=-"),
        ],
        cwd=ROOT,
        input="\n".join(left),
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode == 0:
        return None
    found = _MISSING.search(outcome.stderr)
    name = next(filter(None, found.groups()), None) if found else None
    if name not in left.values():
        raise LocalError(f"{outcome.stderr.strip()}\nuv cannot say which wheels there are.")
    return name


def main(arguments: list[str]) -> int:
    """Look at every platform; return 1 if a wheel is missing anywhere."""
    console = Console(sys.stdout)
    requirements = (ROOT / TEST_REQUIREMENTS).read_text("utf-8")
    # It takes a minute: what has been found complete is not looked up again.
    question = json.dumps([requirements, PLATFORMS, PYTHONS])
    stamp = hashlib.sha256(question.encode()).hexdigest()
    if not (_STAMP.exists() and _STAMP.read_text() == stamp):
        if _report_missing(requirements, console):
            return 1
        _STAMP.parent.mkdir(exist_ok=True)
        _STAMP.write_text(stamp)
    console.say(f"Wheels for {', '.join(PLATFORMS)}; Python {', '.join(PYTHONS)}.")
    return 0


def _report_missing(requirements: str, console: Console) -> bool:
    """Say what is missing, and return whether anything is."""

    def missing_at(place: tuple[str, str]) -> list[str]:
        return list(missing(requirements, PLATFORMS[place[0]], place[1]))

    places = list(product(PLATFORMS, PYTHONS))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(places, pool.map(missing_at, places), strict=True))
    for (platform, python), names in found.items():
        for name in names:
            console.say(console.red(f"{name} has no wheel for {platform}, Python {python}."))
    if not any(found.values()):
        return False
    console.say("Pin a version for that platform in requirements.in, and run python3 dev.py lock.")
    return True
