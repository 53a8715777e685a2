"""
Which packages of the deployed app have known flaws, and about which nothing is known.

pip-audit says "No known vulnerabilities found" even if it could not ask about any package:
behind a mirror of PyPI, say, that has no advisories.
"""

import json
import subprocess
import sys
from typing import Any

from local.bootstrap.commands import ROOT
from local.bootstrap.environment import APP_REQUIREMENTS
from local.bootstrap.errors import LocalError


def verdict(dependencies: list[dict[str, Any]]) -> tuple[list[str], bool]:
    """Return what is to be said about pip-audit's findings, and whether there is a known flaw."""
    audited = [one for one in dependencies if "vulns" in one]
    flawed = [one for one in audited if one["vulns"]]
    unknown = [one["name"] for one in dependencies if "vulns" not in one]
    said = [
        f"{one['name']} {one['version']}: {flaw['id']}, {_remedy(flaw)}"
        for one in flawed
        for flaw in one["vulns"]
    ]
    said.append(
        f"{APP_REQUIREMENTS}, as it is installed here: of {len(dependencies)} packages "
        f"{len(audited)} were audited, and {len(flawed)} have known flaws."
    )
    if unknown:
        said.append(
            f"Nothing is known about these {len(unknown)}, as PyPI has no advisory data for them: "
            f"{', '.join(unknown)}."
        )
    return said, bool(flawed)


def _remedy(flaw: dict[str, Any]) -> str:
    versions: list[str] = flaw["fix_versions"]
    return f"fixed in {' or '.join(versions)}" if versions else "not fixed in any version"


def main(_: list[str]) -> int:
    """
    Audit; the exit code is 1 if a flaw is known.

    Raises:
        LocalError: pip-audit cannot say.
    """
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner=off"]
    asked = subprocess.run(
        [*command, "--format=json", "-r", APP_REQUIREMENTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        dependencies = json.loads(asked.stdout)["dependencies"]
    except ValueError:
        raise LocalError(f"pip-audit could not look for flaws: {asked.stderr.strip()}") from None
    said, is_flawed = verdict(dependencies)
    print("\n".join(said))
    return int(is_flawed)
