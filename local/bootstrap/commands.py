"""
The commands of dev.py.

Standard library only: this runs before anything is installed.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from local.bootstrap.console import Console
from local.bootstrap.environment import APP_REQUIREMENTS, TEST_REQUIREMENTS, Environment
from local.bootstrap.ports import DEFAULT_PORT

ROOT = Path(__file__).resolve().parents[2]

DEFAULT_URL = f"http://localhost:{DEFAULT_PORT}/api/messages"


@dataclass(frozen=True)
class Command:
    """What Python runs for a command, and what must be installed for it."""

    summary: str
    steps: Sequence[Sequence[str]]
    """Arguments for Python. The user's are added to those of the last step."""
    requirements: str | None
    """None: it runs without `.venv`."""
    options: str | None = None
    """The module that has `parse(arguments)`. It must be importable without `.venv`."""
    further_arguments: str = ""
    """What the usage line shows of arguments that the command itself reads."""
    explains_itself: bool = False
    """Whether the command has a --help of its own."""
    details: str = ""


def _compile(requirements: str, *constraints: str, python: str = "3.11") -> tuple[str, ...]:
    alone = ("--no-deps",) if requirements == SDK_TEST_REQUIREMENTS else ()
    return (
        *("-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", *alone),
        *("--python-version", python, "--no-annotate"),
        *("--custom-compile-command", "python3 dev.py lock"),
        *(argument for each in constraints for argument in ("-c", each)),
        *(requirements.replace(".txt", ".in"), "-o", requirements),
    )


SDK_TEST_REQUIREMENTS = "tests/requirements-sdk.txt"

SDK_VERSIONS = ("-m", "local", "sdk-versions")
WHEELS = ("-m", "local", "wheels")

COMMANDS = {
    "start": Command(
        "run the bot on this machine and open a page to chat with it",
        [("-m", "local", "start")],
        APP_REQUIREMENTS,
        options="local.start_options",
        details="""
Serves the functions with Azure Functions Core Tools (`func`) where they are on the PATH, else
with the template's own host, which restarts the bot whenever a source file changes. The page is
Microsoft's Agents Playground; it needs Node. Ctrl-C stops everything.
Settings come from local.settings.json, if there is one.
Everything it starts listens on 127.0.0.1 only and answers requests for localhost only, with one
exception: `func` listens on all addresses of this machine, and has no option to change that.""",
    ),
    "chat": Command(
        "chat with the running bot in this terminal",
        [("-m", "local", "chat")],
        APP_REQUIREMENTS,
        options="local.chat.chat",
        details="""
Lines piped into it are sent one by one. In the chat, /help lists the commands.""",
    ),
    "test": Command(
        "run the tests; further arguments go to pytest",
        [("-m", "pytest")],
        TEST_REQUIREMENTS,
        further_arguments="[--fast] [pytest arguments]",
        details="""
examples:
  python3 dev.py test                  all of them
  python3 dev.py test --fast           those that start no programs: no Node, browser, network or
                                       other Python; and with fewer examples of each property
  python3 dev.py test tests/unit -x    those of one folder, up to the first failure""",
    ),
    "check": Command(
        "check style, types, known vulnerabilities and wheels (ruff, mypy --strict, pip-audit)",
        [
            ("-m", "ruff", "check"),
            ("-m", "ruff", "format", "--check"),
            ("-m", "mypy"),
            SDK_VERSIONS,
            WHEELS,
            ("-m", "local", "audit"),
        ],
        TEST_REQUIREMENTS,
        details="""
Vulnerabilities are looked up for what is deployed: requirements.txt, as it is installed on this
platform and Python. The command says for how many packages PyPI has advisory data, and names the
others. Style is checked only in the template's own folders; shared/bot, and whatever else a bot
brings along, is yours.""",
    ),
    "doctor": Command(
        "check this machine, or a deployed bot, and say what to do",
        [("-m", "local", "doctor")],
        None,
        options="local.doctor.doctor",
        details="""
Looks at this machine and the settings; with --azure, at a deployed bot through the Azure CLI.
Installs and changes nothing. The exit code is 1 if something must be fixed.""",
    ),
    "torture": Command(
        "try turns in thousands of simulated histories of failures",
        [("-m", "local.torture")],
        TEST_REQUIREMENTS,
        further_arguments="[options]",
        explains_itself=True,
        details="""
Instances die or freeze, clocks jump, the store and the channel fail in every way, bots hang.
Tables show how often each of these happened. The same seed always gives the same history: --seed
4711 prints that one; --fault NAME plays only histories with that fault. With --own the bot in
shared/bot takes part, and is compared with the same turns run one after the other, without
failures.""",
    ),
    "mutate": Command(
        "put faults into the product, and show those that no unit test notices",
        [("-m", "local.mutation")],
        TEST_REQUIREMENTS,
        further_arguments="[options] [PATH ...]",
        explains_itself=True,
        details="""
One fault at a time: a statement left out, a condition that always holds, a bound off by one.
Takes from minutes (a file) to hours (all of shared); --minutes sets a limit.

examples:
  python3 dev.py mutate shared/turns/state/journal.py
  python3 dev.py mutate shared/turns --minutes 30""",
    ),
    "bench": Command(
        "measure the bot against the stock SDK, its successor and the bare requests",
        [("-m", "benchmarks")],
        None,
        further_arguments="[options]",
        explains_itself=True,
    ),
    "lock": Command(
        "update the requirements.txt files from the requirements.in files",
        [
            _compile(APP_REQUIREMENTS),
            _compile(TEST_REQUIREMENTS, APP_REQUIREMENTS),
            _compile("tests/requirements-checkov.txt"),
            _compile("tests/requirements-runtime.txt", python="3.13"),
            _compile(SDK_TEST_REQUIREMENTS),
            *(
                _compile(f"benchmarks/requirements-{stack}.txt")
                for stack in ("stock", "agents", "bare", "figure")
            ),
            SDK_VERSIONS,
            WHEELS,
        ],
        TEST_REQUIREMENTS,
        details="""
Keeps each locked version that still fits. To get the newest versions, delete the
requirements.txt files first. Fails if a package has no wheel for a platform that the README names,
or if packages of the Bot Framework SDK would have different versions.""",
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 dev.py",
        description="Run the bot, chat with it, test it. What a command needs is installed into "
        ".venv when it is first used.",
        epilog="To learn more about a command: python3 dev.py COMMAND --help",
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparsers.add_parser(name, help=command.summary, add_help=False).set_defaults(name=name)
    name = parser.parse_args(arguments[:1]).name
    command, rest = COMMANDS[name], arguments[1:]
    # Help and usage errors come before anything is installed for the command.
    if command.options:
        import_module(command.options).parse(rest)
    elif not command.further_arguments or (_asks_for_help(rest) and not _can_explain(command)):
        command_parser(name).parse_args(rest)
    return _run(command, rest)


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return list(arguments[:1]) in (["-h"], ["--help"])


def _can_explain(command: Command) -> bool:
    installed = Environment(ROOT, Console(sys.stdout))
    return command.explains_itself and (
        command.requirements is None or installed.holds(command.requirements)
    )


def _run(command: Command, arguments: Sequence[str]) -> int:
    os.chdir(ROOT)
    # SIGTERM ends an installation as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    python = sys.executable
    if command.requirements:
        environment = Environment(ROOT, Console(sys.stdout))
        environment.prepare(command.requirements)
        python = str(environment.python)
    *first, last = command.steps
    exit_codes = [subprocess.call([python, *step]) for step in first]
    if not first:
        _become([python, *last, *arguments])
    return max(*exit_codes, subprocess.call([python, *last, *arguments]))


def _become(command: list[str]) -> NoReturn:
    if sys.platform == "win32":
        # There, exec ends this process at once, and the console does not wait for the new one.
        sys.exit(subprocess.call(command))
    # This way Ctrl-C and the exit code need not be passed on.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return a parser with the command's help text and no options yet."""
    command = COMMANDS[name]
    told = f"{command.summary[0].upper()}{command.summary[1:]}.\n{command.details}"
    if command.explains_itself:
        told += "\nIts options are listed here once its requirements are installed: run it once."
    return argparse.ArgumentParser(
        prog=f"python3 dev.py {name}",
        usage=f"python3 dev.py {name} {command.further_arguments}"
        if command.further_arguments
        else None,
        description=told,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
