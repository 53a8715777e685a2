"""One virtual environment for each stack: they pin different versions of the same libraries."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import BENCHMARKS, ROOT, BenchmarkError

REQUIREMENTS: dict[str, Path] = {
    "stock": BENCHMARKS / "requirements-stock.txt",
    "agents": BENCHMARKS / "requirements-agents.txt",
    "bare": BENCHMARKS / "requirements-bare.txt",
    "ours": ROOT / "requirements.txt",
    "figure": BENCHMARKS / "requirements-figure.txt",
}


def prepare(name: str, progress: Callable[[str], None]) -> Path:
    """Return the Python of an environment that holds exactly what its requirements name."""
    folder = ROOT / ".local" / "bench" / name
    python = folder / "bin" / "python"
    content = REQUIREMENTS[name].read_bytes() + sys.version.encode()
    # In the folder: whoever deletes that deletes the claim with it.
    stamp = folder / ".installed-sha256"
    expected = hashlib.sha256(content).hexdigest()
    if stamp.exists() and stamp.read_text() == expected:
        return python
    progress(f"Installing the packages of '{name}' (once) ...")
    install: list[str | Path] = ["--require-hashes", "--quiet", "-r", REQUIREMENTS[name]]
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder])
        _run([uv, "pip", "install", "--python", python, *install])
    else:
        _run([sys.executable, "-m", "venv", "--clear", folder])
        _run([python, "-m", "pip", "--disable-pip-version-check", "install", *install])
    # As a deployed function is; otherwise the first cold start would pay for it.
    _run([python, "-m", "compileall", "-q", folder / "lib"], may_fail=True)
    stamp.write_text(expected)
    return python


def _run(command: list[str | Path], *, may_fail: bool = False) -> None:
    outcome = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if outcome.returncode and not may_fail:
        told = outcome.stdout.strip().splitlines() or ["no reason given"]
        raise BenchmarkError(
            f"The packages could not be installed ({told[-1]}); check the network and try again."
        )
