"""On what the figures were measured: enough to judge them, nothing that names the machine."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from benchmarks.environments import REQUIREMENTS
from benchmarks.processes import ROOT, node

_TOLD = (
    "aiohttp",
    "azure-cosmos",
    "azure-functions",
    "botbuilder-core",
    "microsoft-agents-hosting-core",
)


def machine() -> dict[str, str]:
    """Return the processor, the system and the interpreters."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "node": subprocess.check_output([node(), "--version"], text=True).strip(),
    }


def versions(stacks: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the versions of the main packages, by stack."""
    found = {}
    for stack in stacks:
        text = (ROOT / REQUIREMENTS[stack]).read_text()
        pins = re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)
        # Of a package that is pinned twice, older Pythons get the first.
        found[stack] = {name: version for name, version in reversed(pins) if name in _TOLD}
    return found


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        model = re.search(r"^model name\s*: (.+)$", information.read_text(), re.MULTILINE)
        if model:
            return model[1].strip()
    return platform.processor() or platform.machine()
