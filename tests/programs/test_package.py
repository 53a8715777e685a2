"""The package that azd and Core Tools upload has what runs, and nothing else."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.bicep import INFRA

ROOT = INFRA.parent
IGNORE = f"--exclude-from={ROOT / '.funcignore'}"

SHIPPED = [
    ".python_packages/lib/site-packages/msgspec/__init__.py",
    ".python_packages/lib/site-packages/msgspec/__pycache__/__init__.cpython-313.pyc",
    "MessagesFunction/__init__.py",
    "MessagesFunction/function.json",
    "RemindersFunction/function.json",
    "host.json",
    "requirements.txt",
    "shared/app.py",
    "shared/bot/conversation.py",
]

KEPT_BACK = [
    ".azure/.gitignore",
    ".azure/test/.env",
    ".gitattributes",
    ".vscode/settings.json",
    "MessagesFunction/__pycache__/__init__.cpython-313.pyc",
    "__pycache__/dev.cpython-313.pyc",
    ".venv/.lock",
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
    "local/.npmrc",
    "local/node_services/node_modules/.package-lock.json",
    "local/node_services/node_modules/azurite/package.json",
    "local/start.py",
    "requirements.in",
    "shared/__pycache__/app.cpython-313.pyc",
    "shared/bot/__pycache__/names.cpython-313.pyc",
    "teams/manifest.json",
    "tests/unit/test_settings.py",
]


def test_azd_ships_what_runs_and_nothing_else(tmp_path: Path) -> None:
    """Functions (also those to come), shared/, host.json and requirements.txt are uploaded."""
    for name in SHIPPED + KEPT_BACK:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _git(tmp_path, "init", "--quiet")
    assert set(SHIPPED) == set(_git(tmp_path, "ls-files", "--others", IGNORE))


def test_core_tools_ship_what_runs_and_nothing_else() -> None:
    """Core Tools, which read .funcignore in a way of their own, upload the same."""
    assert set(SHIPPED) == set(_uploaded_by_core_tools([*SHIPPED, *KEPT_BACK]))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the files that Git knows: clone it")
def test_both_tools_ship_the_same_files_of_this_project() -> None:
    """No file of this project reaches Azure by one tool only, but .funcignore itself."""
    files = _git(ROOT, "ls-files", "--cached")
    kept_back = _git(ROOT, "ls-files", "--cached", "--ignored", IGNORE)
    by_azd = set(files) - set(kept_back) - {".funcignore"}
    assert by_azd == set(_uploaded_by_core_tools(files))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the files that Git knows: clone it")
def test_every_file_of_this_project_is_considered() -> None:
    """A new file at the root is kept back, but for folders and modules that a bot brings along."""
    kept_back = _git(ROOT, "ls-files", "--cached", "--ignored", IGNORE)
    shipped = set(_git(ROOT, "ls-files", "--cached")) - set(kept_back)
    strangers = [name for name in shipped if "/" not in name and not name.endswith(".py")]
    assert {"host.json", "requirements.txt", ".funcignore"} >= set(strangers)


def _git(folder: Path, *arguments: str) -> list[str]:
    """What `git` lists; it reads ignore files as azd does."""
    listed = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


def _uploaded_by_core_tools(names: list[str]) -> list[str]:
    """
    Those of the files that `func azure functionapp publish` uploads.

    As its GitIgnoreParser and FileSystemHelpers do it (azure-functions-core-tools 4.x): a pattern
    is anchored at the root, `*` stops at a slash, `**` does not, and a match ends with a word.
    """
    lines = (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip().removeprefix("/") for line in lines if line.strip()]
    expressions = [
        re.sub(r"[-\[\]/{}()+?.\\^$|]", r"\\\g<0>", pattern)
        .replace("**", "(.+)")
        .replace("*", "([^/]+)")
        for pattern in patterns
        if not pattern.startswith("#")
    ]
    assert not [pattern for pattern in patterns if pattern.startswith("!")]
    ignored = re.compile(rf"^(({')|('.join(expressions)}))\b", re.ASCII)
    return [
        name
        for name in names
        if not ignored.match(name)
        and not {".git", ".vscode"} & set(Path(name).parts[:-1])
        and Path(name).name not in {".funcignore", ".gitignore", "local.settings.json"}
    ]
