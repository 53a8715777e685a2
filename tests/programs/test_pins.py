"""The recipe for packages that botbuilder-azure's pins refuse."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.bootstrap.commands import ROOT
from local.sdk_versions import odd_ones

[OVERRIDE] = re.findall(
    r"```toml\n(.*?)```", (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The app's requirements, with two packages that the SDK's pins refuse; not locked yet."""
    needed = (ROOT / "requirements.in").read_text(encoding="utf-8")
    (tmp_path / "requirements.in").write_text(
        f"{needed}\nazure-storage-blob>=12.20\nlangchain-azure-cosmosdb\n"
    )
    return tmp_path / "requirements.txt"


def compiled(lock: Path) -> str:
    """Lock as `dev.py lock` does, without the hashes."""
    command = ("-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11")
    subprocess.run(
        [sys.executable, *command, "requirements.in", "-o", lock.name],
        cwd=lock.parent,
        check=True,
        capture_output=True,
    )
    return lock.read_text(encoding="utf-8")


def test_without_the_recipe_the_sdk_is_locked_in_two_versions(lock: Path) -> None:
    """That is what `dev.py lock` then says."""
    assert ["botbuilder-azure"] == [name for name, _, _ in odd_ones(compiled(lock))]


def test_with_the_recipe_it_is_one_and_the_package_is_new(lock: Path) -> None:
    """What the page shows is what makes them fit."""
    (lock.parent / "pyproject.toml").write_text(OVERRIDE)

    locked = compiled(lock)

    assert [] == odd_ones(locked)
    assert "\nazure-cosmos==4.7.0\n" not in locked
    assert "\nazure-storage-blob==12.7.0\n" not in locked
