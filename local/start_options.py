"""The options of `dev.py start`, which are read before anything is installed for it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from local.bootstrap.commands import command_parser
from local.bootstrap.ports import DEFAULT_PORT
from local.functions_host.host_names import is_host_name
from local.functions_host.triggers.options import HIDDEN_S, TriggerOptions


@dataclass(frozen=True)
class StartOptions:
    """What to start, and how."""

    cosmos: bool
    port: int | None
    """None: as local.settings.json says, else 7071."""
    page: bool
    browser: bool
    terminal: bool
    allow_host: list[str]
    """Names besides localhost that the bot's port answers to."""
    triggers: TriggerOptions


def parse(arguments: Sequence[str]) -> StartOptions:
    """Read the options; exit with a usage message if they are wrong."""
    parser = command_parser("start")
    parser.add_argument(
        "--cosmos",
        action="store_true",
        help="keep state in a local Cosmos DB server (needs Node), so that it survives a restart; "
        "otherwise it is kept in memory",
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
        help="also answer requests for this host name, such as a tunnel's; may be repeated "
        "(default: only localhost, so no web page can reach the bot under a name of its own)",
    )
    parser.add_argument(
        "--message-hidden",
        dest="hidden_s",
        type=_seconds,
        default=HIDDEN_S,
        metavar="S",
        help="hide a queue's message for S seconds when it is received; if this command is killed, "
        f"the message comes back after that time (default: {HIDDEN_S:.0f}, as in Azure)",
    )
    parser.add_argument(
        "--stop-like-azure",
        dest="ends_process",
        action="store_true",
        help="end the bot's process, as Azure does, when a queue refuses a request or cannot be "
        "reached; otherwise only the queue's listener starts again",
    )
    chosen = vars(parser.parse_args(arguments))
    triggers = TriggerOptions(chosen.pop("hidden_s"), chosen.pop("ends_process"))
    return StartOptions(**chosen, triggers=triggers)


def _host_name(text: str) -> str:
    if not is_host_name(text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a host name; give it without scheme and port"
        )
    return text


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 7 * 24 * 3600:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of seconds from 1 to 604800 (7 days)"
        )
    return float(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 65535")
    return int(text)
