"""
Whether the lock has one version of the Bot Framework SDK.

Its packages pin each other, but not in versions before 4.10: where another requirement is in the
way of the newest version of one of them, uv goes back to such a version of it, and says nothing.
"""

import re
import sys

from local.bootstrap.commands import ROOT
from local.bootstrap.console import Console
from local.bootstrap.environment import APP_REQUIREMENTS, TEST_REQUIREMENTS

# Others have published packages with names like these.
SDK = frozenset(
    {
        "botbuilder-adapters-slack",
        "botbuilder-ai",
        "botbuilder-applicationinsights",
        "botbuilder-azure",
        "botbuilder-core",
        "botbuilder-dialogs",
        "botbuilder-integration-aiohttp",
        "botbuilder-integration-applicationinsights-aiohttp",
        "botbuilder-schema",
        "botbuilder-testing",
        "botframework-connector",
        "botframework-streaming",
    }
)
CORE = "botbuilder-core"


def odd_ones(requirements: str) -> list[tuple[str, str, str]]:
    """
    Return each package of the SDK that has another version than its core: name, version, core's.

    `requirements` is what a lock file says.
    """
    locked = re.findall(r"^([\w.-]+)==([^\s;\\]+)", requirements, re.MULTILINE)
    versions = [(name, version) for name, version in locked if name in SDK]
    core = next((version for name, version in versions if name == CORE), None)
    return [(name, version, core) for name, version in versions if core and version != core]


def main(arguments: list[str]) -> int:
    """Look at what the app and its tests install; return 1 if a version differs."""
    console = Console(sys.stdout)
    for lock in (APP_REQUIREMENTS, TEST_REQUIREMENTS):
        found = odd_ones((ROOT / lock).read_text("utf-8"))
        for name, version, core in found:
            needed = lock.replace(".txt", ".in")
            console.say(
                console.red(
                    f"{lock} has {name} {version} but {CORE} {core}, which do not work together; "
                    f"add {name}=={core} to {needed} and run python3 dev.py lock, which says what "
                    "stands in the way."
                )
            )
        if found:
            return 1
    console.say("One version of the Bot Framework SDK.")
    return 0
