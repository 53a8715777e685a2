"""The package that azd and Core Tools upload has what runs, and nothing else."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.bicep import INFRA

ROOT = INFRA.parent
IGNORE = f"--exclude-from={ROOT / '.funcignore'}"

SHIPPED = [
    "MessagesFunction/__init__.py",
    "MessagesFunction/function.json",
    "RemindersFunction/function.json",
    "host.json",
    "requirements.txt",
    "shared/app.py",
    "shared/bot/conversation.py",
]

KEPT_BACK = [
    ".azure/test/.env",
    ".github/workflows/test.yml",
    ".gitignore",
    ".local/checkov/bin/python",
    ".ruff_cache/content",
    ".venv/lib/python3.13/site-packages/azure/cosmos/__init__.py",
    "LICENSE",
    "README.md",
    "benchmarks/turns.py",
    "dev.py",
    "docs/azure.md",
    "infra/main.bicep",
    "local.settings.json",
    "local.settings.json.example",
    "local/node_modules/azurite/package.json",
    "local/start.py",
    "requirements.in",
    "shared/__pycache__/app.cpython-313.pyc",
    "teams/manifest.json",
    "tests/unit/test_settings.py",
]


def test_what_runs_is_shipped_and_nothing_else(tmp_path: Path) -> None:
    """Functions (also those to come), shared/, host.json and requirements.txt are uploaded."""
    for name in SHIPPED + KEPT_BACK:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _git(tmp_path, "init", "--quiet")
    assert set(SHIPPED) == set(_git(tmp_path, "ls-files", "--others", IGNORE))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the files that Git knows: clone it")
def test_every_file_of_this_project_is_considered() -> None:
    """A new file at the root is either kept back or part of a function."""
    kept_back = _git(ROOT, "ls-files", "--cached", "--ignored", IGNORE)
    shipped = set(_git(ROOT, "ls-files", "--cached")) - set(kept_back)
    functions = {path.parent.name for path in ROOT.glob("*/function.json")}
    strangers = [name for name in shipped if name.partition("/")[0] not in functions | {"shared"}]
    assert {"host.json", "requirements.txt", ".funcignore"} >= set(strangers)


def _git(folder: Path, *arguments: str) -> list[str]:
    """What `git` lists; it reads ignore files as azd and Core Tools do."""
    listed = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()
