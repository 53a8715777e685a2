"""The store over a later azure-cosmos than the SDK pins, as docs/recipes.md lets one have it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.bootstrap.commands import ROOT

NEWER = "4.17.1"

SUITES = ("test_storage.py", "test_bot_state.py", "test_sdk_suite.py", "test_event_loops.py")

# Its check of the account's regions, in the background, is no request of the store's to be closed.
ITS_OWN = ("-W", "ignore::ResourceWarning", "-W", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python that finds it before the one that is installed."""
    folder = tmp_path_factory.mktemp("newer")
    install = ("-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", folder)
    subprocess.run([sys.executable, *install, f"azure-cosmos=={NEWER}"], check=True)
    return {**os.environ, "PYTHONPATH": str(folder)}


def run(environ: dict[str, str], *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_the_contract_holds(environ: dict[str, str]) -> None:
    """The same suites pass that hold for the pinned one."""
    version = run(environ, "-c", "import azure.cosmos; print(azure.cosmos.__version__)")
    suites = [f"tests/contract/{suite}" for suite in SUITES]

    tests = run(environ, "-m", "pytest", "-q", *ITS_OWN, "-k", "cosmos or Cosmos", *suites)

    assert NEWER == version.stdout.strip()
    assert 0 == tests.returncode, tests.stdout
    assert " passed" in tests.stdout
