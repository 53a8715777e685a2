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
from pathlib import Path
from typing import NoReturn

from local.console import Console
from local.environment import APP_REQUIREMENTS, TEST_REQUIREMENTS, Environment
from local.host_names import is_host_name
from local.local_settings import DEFAULT_PORT

ROOT = Path(__file__).resolve().parent.parent

DEFAULT_URL = f"http://localhost:{DEFAULT_PORT}/api/messages"


@dataclass(frozen=True)
class Command:
    """What Python runs for a command, and what must be installed for it."""

    summary: str
    steps: Sequence[Sequence[str]]
    """Arguments of Python. Those of the user are added to the last one."""
    requirements: str | None
    """None: it runs without `.venv`."""
    further_arguments: str = ""
    """What the user may add that is not read here."""
    details: str = ""


def _compile(requirements: str, *constraints: str, python: str = "3.11") -> tuple[str, ...]:
    return (
        *("-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
        *("--python-version", python, "--no-annotate"),
        *("--custom-compile-command", "python3 dev.py lock"),
        *(argument for each in constraints for argument in ("-c", each)),
        *(requirements.replace(".txt", ".in"), "-o", requirements),
    )


WHEELS = ("-m", "local", "wheels")

COMMANDS = {
    "start": Command(
        "run the bot on this machine and open a page to chat with it",
        [("-m", "local", "start")],
        APP_REQUIREMENTS,
        details="""
Serves the functions with Azure Functions Core Tools (`func`) where they are on the PATH, else
with a host of its own, which starts the bot anew whenever a source file changes. The page is
Microsoft's Agents Playground; it needs Node. Ctrl-C ends everything.
Settings come from local.settings.json, if there is one.
All that is started listens on 127.0.0.1 and answers requests for localhost; but `func` listens on
all addresses of this machine, and has no option against it.""",
    ),
    "chat": Command(
        "chat with the running bot in this terminal",
        [("-m", "local", "chat")],
        APP_REQUIREMENTS,
        details="""
Lines piped into it are sent one by one. In the chat, /help lists what else it understands.""",
    ),
    "test": Command(
        "run the tests; further arguments go to pytest",
        [("-m", "pytest")],
        TEST_REQUIREMENTS,
        further_arguments="[pytest arguments]",
        details="""
examples:
  python3 dev.py test                  all of them
  python3 dev.py test tests/unit -x    those of one folder, up to the first failure""",
    ),
    "check": Command(
        "check style, types, known flaws and wheels (ruff, mypy --strict, pip-audit)",
        [
            ("-m", "ruff", "check"),
            ("-m", "ruff", "format", "--check"),
            ("-m", "mypy"),
            WHEELS,
            # Says itself which requirements it finds no advisories for.
            ("-m", "pip_audit", "--disable-pip", "--progress-spinner=off", "-rrequirements.txt"),
        ],
        TEST_REQUIREMENTS,
    ),
    "doctor": Command(
        "check this machine, or a deployed bot, and say what to do",
        [("-m", "local", "doctor")],
        None,
        details="""
Looks at this machine and the settings; with --azure, at a deployed bot through the Azure CLI.
Installs and changes nothing. Exit code 1 if something must be mended.""",
    ),
    "torture": Command(
        "play turns in thousands of histories of failures",
        [("-m", "local.torture")],
        TEST_REQUIREMENTS,
        further_arguments="[--seeds N] [--seed S] [--own] [--processes P]",
        details="""
Instances die, the store fails, lags or loses answers, the channel delivers again. A seed always
plays the same history: --seed 4711 prints it. With --own the bot in shared/bot plays, and is held
against the same turns one after the other.""",
    ),
    "bench": Command(
        "measure the bot beside the stock SDK, its successor and the bare requests",
        [("-m", "benchmarks")],
        None,
        further_arguments="[--quick] [--rounds N] [--stacks NAME ...]",
        details="""
Each stack runs in an environment of its own under .local/bench, installed once. Takes 18 minutes,
3 fewer for each round less than 5, or with --quick one; the tables and the picture go to
benchmarks/results, with --quick to .local/bench/quick.""",
    ),
    "lock": Command(
        "write the requirements.txt files anew from the requirements.in files",
        [
            _compile(APP_REQUIREMENTS),
            _compile(TEST_REQUIREMENTS, APP_REQUIREMENTS),
            _compile("tests/requirements-checkov.txt"),
            _compile("tests/requirements-runtime.txt", python="3.13"),
            *(
                _compile(f"benchmarks/requirements-{stack}.txt")
                for stack in ("stock", "agents", "bare", "figure")
            ),
            WHEELS,
        ],
        TEST_REQUIREMENTS,
        details="""
Keeps the versions that still fit. To take the newest ones, delete the requirements.txt files
before. Fails where one has no wheel for a platform that the README names.""",
    ),
}


@dataclass(frozen=True)
class StartOptions:
    """The options of `start`."""

    cosmos: bool
    port: int | None
    """None: as local.settings.json says, else 7071."""
    page: bool
    browser: bool
    terminal: bool
    allow_host: list[str]
    """Names beside localhost that the bot's port answers to."""


@dataclass(frozen=True)
class ChatOptions:
    """The options of `chat`."""

    name: str
    url: str


def parse_start(arguments: Sequence[str]) -> StartOptions:
    """Read the options of `start`; exit with a usage message when they are wrong."""
    parser = _parser("start")
    parser.add_argument(
        "--cosmos",
        action="store_true",
        help="keep state in a local Cosmos DB server (needs Node), so that it outlives the bot's "
        "process; it is in memory otherwise",
    )
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help=f"serve on this port (default: {DEFAULT_PORT}, or Host.LocalHttpPort of "
        "local.settings.json)",
    )
    parser.add_argument(
        "--terminal", action="store_true", help="chat in this terminal instead of on a page"
    )
    parser.add_argument(
        "--no-page", dest="page", action="store_false", help="serve the bot and nothing else"
    )
    parser.add_argument(
        "--no-browser", dest="browser", action="store_false", help="serve the page, don't open it"
    )
    parser.add_argument(
        "--allow-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="answer requests for this host name too, such as a tunnel's; may be repeated "
        "(default: only for localhost, so that no web page reaches the bot under its own name)",
    )
    return StartOptions(**vars(parser.parse_args(arguments)))


@dataclass(frozen=True)
class DoctorOptions:
    """The options of `doctor`."""

    azure: bool
    group: str | None
    """None: the resource group that the shell or azd's environment names."""


def parse_doctor(arguments: Sequence[str]) -> DoctorOptions:
    """Read the options of `doctor`; exit with a usage message when they are wrong."""
    parser = _parser("doctor")
    parser.add_argument("--azure", action="store_true", help="look at a deployed bot (needs az)")
    parser.add_argument(
        "group", nargs="?", metavar="GROUP", help="its resource group (default: that of azd)"
    )
    return DoctorOptions(**vars(parser.parse_args(arguments)))


def parse_chat(arguments: Sequence[str]) -> ChatOptions:
    """Read the options of `chat`; exit with a usage message when they are wrong."""
    parser = _parser("chat")
    parser.add_argument(
        "--as", dest="name", default="User", metavar="NAME", help="be this user (default: User)"
    )
    parser.add_argument(
        "--url", default=DEFAULT_URL, help="where the bot takes activities (default: %(default)s)"
    )
    return ChatOptions(**vars(parser.parse_args(arguments)))


def main(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 dev.py",
        description="Run the bot, chat with it, test it. What a command needs is installed into "
        ".venv when it is first used.",
        epilog="python3 dev.py COMMAND --help says more.",
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparsers.add_parser(name, help=command.summary, add_help=False).set_defaults(name=name)
    name = parser.parse_args(arguments[:1]).name
    _parse_only(name, arguments[1:])
    return _run(COMMANDS[name], arguments[1:])


def _parse_only(name: str, arguments: Sequence[str]) -> None:
    # Help and usage errors come before anything is installed for the command.
    if name == "start":
        parse_start(arguments)
    elif name == "chat":
        parse_chat(arguments)
    elif name == "doctor":
        parse_doctor(arguments)
    elif not COMMANDS[name].further_arguments or arguments[:1] in (["-h"], ["--help"]):
        _parser(name).parse_args(arguments)


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
        # Its exec ends this process at once, and the console goes on without waiting.
        sys.exit(subprocess.call(command))
    # Ctrl-C and the exit code then need no passing on.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


def _parser(name: str) -> argparse.ArgumentParser:
    command = COMMANDS[name]
    return argparse.ArgumentParser(
        prog=f"python3 dev.py {name}",
        usage=f"python3 dev.py {name} {command.further_arguments}"
        if command.further_arguments
        else None,
        description=f"{command.summary[0].upper()}{command.summary[1:]}.\n{command.details}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _host_name(text: str) -> str:
    if not is_host_name(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a host name without scheme and port")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 65535")
    return int(text)
