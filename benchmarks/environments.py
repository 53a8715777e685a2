"""One virtual environment for each stack: they pin different versions of the same libraries."""

import subprocess
import sys
from pathlib import Path

from benchmarks.processes import ROOT
from local.bootstrap.console import Console
from local.bootstrap.environment import APP_REQUIREMENTS, Environment

REQUIREMENTS = {
    "stock": "benchmarks/requirements-stock.txt",
    "agents": "benchmarks/requirements-agents.txt",
    "bare": "benchmarks/requirements-bare.txt",
    "ours": APP_REQUIREMENTS,
    "figure": "benchmarks/requirements-figure.txt",
}


def prepare(name: str) -> Path:
    """
    Return the Python of an environment that holds exactly what its requirements name.

    Raises:
        LocalError: they cannot be installed.
    """
    requirements = REQUIREMENTS[name]
    environment = Environment.apart(ROOT, Console(sys.stdout), requirements)
    if not environment.holds(requirements):
        environment.prepare(requirements)
        # As a deployed function is; otherwise the first cold start would pay for it.
        subprocess.run(
            [environment.python, "-m", "compileall", "-q", environment.folder / "lib"],
            stdout=subprocess.DEVNULL,
            check=False,
        )
    return environment.python
