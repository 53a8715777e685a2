"""What happens while the bot runs: its process is replaced when the sources change."""

import time
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

from local.bootstrap.commands import ROOT
from local.bootstrap.console import Console
from local.bootstrap.errors import LocalError
from local.functions_host.core_tools import CoreTools
from local.functions_host.host_process import HostProcess
from local.functions_host.sources import Sources
from shared.log_hygiene import shown

if TYPE_CHECKING:
    from subprocess import Popen

WATCH_INTERVAL_S = 0.25
SETTLE_INTERVAL_S = 0.1


def reload_on_changes(
    host: HostProcess | CoreTools,
    console: Console,
    chat: "Popen[bytes] | None" = None,
) -> int:
    """
    Restart the bot when sources change, until the chat ends; return its exit code.

    Raises:
        LocalError: Core Tools, which look after the sources themselves, have ended.
    """
    sources = Sources(ROOT)
    while chat is None or chat.poll() is None:
        time.sleep(WATCH_INTERVAL_S)
        if isinstance(host, CoreTools):
            host.check()
        elif changed := sources.changed():
            _restart(host, console, _complete(changed, sources))
        else:
            _revive(host, console)
    return chat.returncode


def _complete(changed: list[str], sources: Sources) -> list[str]:
    """Wait until nothing changes any more: an editor or git may still be writing."""
    names = set(changed)
    more = changed
    while more:
        names.update(more)
        time.sleep(SETTLE_INTERVAL_S)
        more = sources.changed()
    return sorted(names)


def _restart(host: HostProcess, console: Console, changed: list[str]) -> None:
    for name in changed:
        if name.endswith(".py"):
            # Python takes a file of the same size and second for an unchanged one.
            Path(cache_from_source(str(ROOT / name))).unlink(missing_ok=True)
    try:
        host.restart()
    except LocalError as error:
        console.say(console.red(f"{error} The bot keeps running as it was."))
    else:
        console.say(console.dim(f"{shown(', '.join(changed))} changed: the bot restarts."))


def _revive(host: HostProcess, console: Console) -> None:
    try:
        exit_code = host.revive()
    except LocalError as error:
        console.say(console.red(f"{error} The bot restarts when a source file changes."))
        return
    if exit_code is not None:
        console.say(
            console.red(f"The bot's process ended with exit code {exit_code};"),
            f"it restarts {'when a source file changes' if host.gave_up else 'now'}.",
        )
