"""What dev.py runs in `.venv`: `python -m local COMMAND [arguments]`."""

import argparse
import signal
import sys
from importlib import import_module

from local.bootstrap.console import Console
from local.bootstrap.errors import LocalError


def main(name: str, arguments: list[str]) -> int:
    """Run the module of that name in this package; return the exit code."""
    try:
        # In here, because Ctrl-C may come while it is being imported.
        code: int = import_module(f"local.{name}").main(arguments)
    except LocalError as error:
        console = Console(sys.stderr)
        console.say(console.red(str(error)))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


MODULES = {
    "audit": "audit",
    "start": "start",
    "chat": "chat.chat",
    "doctor": "doctor.doctor",
    "sdk-versions": "sdk_versions",
    "wheels": "wheels",
}
"""The module of each command that `dev.py` runs in `.venv`."""

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local", add_help=False)
    parser.add_argument("command", choices=MODULES)
    command = parser.parse_args(sys.argv[1:2]).command
    sys.exit(main(MODULES[command], sys.argv[2:]))
