"""The programs from npm that run beside the bot on a developer's machine."""

import os
import sys
from pathlib import Path

import pytest

from tests.programs.conftest import Run

INSTALL = """
from local.node_services.npm import install_npm_packages
install_npm_packages(print)
print("installed")
"""

NPM = """#!/bin/sh
echo installing >> runs
mkdir node_modules
sleep 2
"""
"""As npm, it fails where another one has made the folder meanwhile."""


@pytest.mark.skipif(sys.platform == "win32", reason="npm is a script here: run this on Linux")
def test_two_at_once_install_one_after_the_other(project: Path, run: Run) -> None:
    """The second one waits, and finds everything there: two commands may need it at once."""
    folder = project / "bin"
    folder.mkdir()
    (folder / "npm").write_text(NPM)
    (folder / "npm").chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    both = [run("-c", INSTALL, PATH=path) for _ in range(2)]

    assert [0, 0] == [one.wait() for one in both]
    assert ["installed", "installed"] == [one.output.splitlines()[-1] for one in both]
    assert "installing\n" == (project / "local/node_services/runs").read_text()
