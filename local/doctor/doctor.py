"""
`dev.py doctor`: what is there on this machine, what is missing, and what to do about it.

Standard library only: it must run where nothing else does.
"""

import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from local.bootstrap.commands import ROOT, command_parser
from local.bootstrap.console import Console
from local.bootstrap.environment import APP_REQUIREMENTS, TEST_REQUIREMENTS, Environment
from local.bootstrap.errors import LocalError
from local.bootstrap.ports import is_free
from local.bootstrap.urls import address
from local.doctor import azure
from local.doctor.findings import Finding, Level
from local.functions_host.settings import LocalSettings
from local.node_services.npm import npm_packages_are_installed
from shared.errors import SettingsError
from shared.log_hygiene import shown
from shared.settings import CosmosSettings, Settings

OLDEST_NODE = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CONNECT_TIMEOUT_S = 5.0
FINDING_CHARACTERS = 2000


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at everything, and change nothing."""
    yield _python()
    yield _virtual_environment()
    yield from _node()
    yield _core_tools()
    yield _browser()
    yield from _ports()
    yield from _settings(environ)


def _python() -> Finding:
    version = platform.python_version()
    # What this Python was built for; `platform.machine` tells what it runs on.
    if sysconfig.get_platform() == "win-arm64":
        return Finding(
            Level.FAULT,
            f"Python {version} is built for Arm, for which cryptography has no wheels on Windows; "
            "install Python for x86-64, which runs there too",
        )
    return Finding(Level.OK, f"Python {version}")


def _virtual_environment() -> Finding:
    environment = Environment(ROOT, Console(sys.stdout))
    try:
        environment.check()
        if environment.holds(TEST_REQUIREMENTS):
            return Finding(Level.OK, ".venv has what all commands need")
        if environment.holds(APP_REQUIREMENTS):
            return Finding(Level.OK, ".venv has what `start` and `chat` need; `test` installs more")
    except LocalError as error:
        return Finding(Level.FAULT, str(error))
    return Finding(Level.NOTE, ".venv is not complete; the next command that needs it installs it")


def _node() -> Iterator[Finding]:
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        yield Finding(
            Level.NOTE,
            "Node is not installed, so there is no page to chat in and no --cosmos; "
            f"install Node {OLDEST_NODE} or newer",
        )
        return
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = re.match(r"v(\d+)", version.stdout)
    if major is None or int(major[1]) < OLDEST_NODE:
        yield Finding(
            Level.NOTE,
            f"Node {version.stdout.strip()} is too old for the page and for --cosmos; "
            f"install Node {OLDEST_NODE} or newer",
        )
        return
    yield Finding(Level.OK, f"Node {version.stdout.strip()}")
    yield (
        Finding(Level.OK, "The npm packages are installed")
        if npm_packages_are_installed()
        else Finding(Level.NOTE, "The npm packages are not installed; `start` installs them")
    )


def _core_tools() -> Finding:
    path = shutil.which("func")
    return Finding(
        Level.OK,
        f"Azure Functions Core Tools are at {path}; `start` uses them"
        if path
        else "Azure Functions Core Tools are not installed; `start` uses the embedded host",
    )


def _browser() -> Finding:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path:
        return Finding(Level.OK, f"A browser for the tests is at {path}")
    return Finding(
        Level.NOTE, "Neither Chromium nor Chrome is installed; the tests of the page are skipped"
    )


def _ports() -> Iterator[Finding]:
    try:
        bot = LocalSettings.read(ROOT).port
    except LocalError:
        return  # told with the settings
    uses = {
        bot: "stop the program that has it (unless it is this bot), or use --port",
        56150: "the page will use another one",
        8081: "--cosmos will use another one",
        10000: "--cosmos will use another one",
    }
    for port, advice in uses.items():
        if is_free(port):
            yield Finding(Level.OK, f"Port {port} is free")
        else:
            yield Finding(Level.NOTE, f"Port {port} is taken; {advice}")


def _settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings = Settings.from_environ(LocalSettings.read(ROOT).over(environ))
    except LocalError as error:
        yield Finding(Level.FAULT, str(error))
        return
    except SettingsError as error:
        for fault in error.faults:
            yield Finding(Level.FAULT, fault)
        return
    found = (ROOT / "local.settings.json").exists()
    yield Finding(
        Level.OK,
        "The settings of local.settings.json and the environment are usable"
        if found
        else "There is no local.settings.json; the defaults and the environment are usable",
    )
    if settings.cosmos:
        yield _cosmos(settings.cosmos)


def _cosmos(cosmos: CosmosSettings) -> Finding:
    """Any answer will do; without a token it is a refusal."""
    parts = urlsplit(cosmos.endpoint)
    where = address(cosmos.endpoint)
    connection: HTTPConnection
    if parts.scheme == "https":
        # Not verified only where the settings say so, for an emulator.
        tls = None if cosmos.verify_tls else ssl._create_unverified_context()  # noqa: S323
        connection = HTTPSConnection(
            parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S, context=tls
        )
    else:
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, HTTPException) as error:
        return Finding(
            Level.FAULT,
            f"CosmosDbEndpoint {where} does not answer ({error}); check the name, the firewall "
            "and whether the emulator is running",
        )
    finally:
        connection.close()
    return Finding(Level.OK, f"Cosmos DB answers at {where}")


@dataclass(frozen=True)
class DoctorOptions:
    """What to look at."""

    azure: bool
    group: str | None
    """None: the resource group that the shell or azd's environment names."""


def parse(arguments: Sequence[str]) -> DoctorOptions:
    """Read the options; exit with a usage message if they are wrong."""
    parser = command_parser("doctor")
    parser.add_argument("--azure", action="store_true", help="look at a deployed bot (needs az)")
    parser.add_argument(
        "group",
        nargs="?",
        metavar="GROUP",
        help="the bot's resource group (default: AZURE_RESOURCE_GROUP, or else azd's)",
    )
    return DoctorOptions(**vars(parser.parse_args(arguments)))


def main(arguments: list[str]) -> int:
    """Print the findings; return 1 if there is a fault."""
    options = parse(arguments)
    console = Console(sys.stdout)
    colours = {Level.OK: console.green, Level.NOTE: console.yellow, Level.FAULT: console.red}
    level = Level.OK
    findings = azure.examine(os.environ, options.group) if options.azure else examine(os.environ)
    for finding in findings:
        console.say(
            colours[finding.level](f"{finding.level:6}"), shown(finding.text, FINDING_CHARACTERS)
        )
        if finding.level is Level.FAULT:
            level = Level.FAULT
    return int(level is Level.FAULT)
