"""`dev.py start`: the bot, what it needs and something to chat with, from one command."""

import os
import shutil
import signal
import subprocess
import sys
import webbrowser
from contextlib import ExitStack
from dataclasses import replace

from local.bootstrap import development_storage
from local.bootstrap.commands import DEFAULT_URL, ROOT
from local.bootstrap.console import Console
from local.bootstrap.errors import LocalError
from local.bootstrap.ports import is_free, prefer
from local.bootstrap.urls import address
from local.functions_host.core_tools import CoreTools
from local.functions_host.functions import FunctionApp
from local.functions_host.host_names import HostNames
from local.functions_host.host_process import HostProcess
from local.functions_host.reload import reload_on_changes
from local.functions_host.settings import LocalSettings
from local.node_services.emulators import Azurite, CosmosServer
from local.node_services.npm import install_npm_packages
from local.node_services.playground import Playground
from local.start_options import StartOptions, parse
from shared.errors import SettingsError
from shared.settings import Settings

COSMOS_PORT = 8081

# The setting with the storage that the Functions host, and functions with a queue, work with.
STORAGE = "AzureWebJobsStorage"

# They look after turns whose process has died; state in memory has died with it.
FOR_SLOW_TURNS = frozenset({"BellFunction", "SweepFunction"})

# The setting that says when SweepFunction runs, and its value in Azure.
SWEEP = ("SweepSchedule", "0 * * * * *")

console = Console(sys.stdout)


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C, or the end of the chat, and end everything that was started."""
    options = parse(arguments)
    for name in ("SIGTERM", "SIGHUP"):  # a closed terminal; Windows has none
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))
    with ExitStack() as services:
        try:
            return run(options, services)
        finally:
            # A second Ctrl-C must not leave anything behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def run(options: StartOptions, services: ExitStack) -> int:
    """Start everything and keep it running until the end; return the exit code."""
    local_settings = LocalSettings.read(ROOT)
    app = FunctionApp.read(ROOT)
    messages_path = app.messages_path
    port = options.port or local_settings.port
    has_node = shutil.which("node") is not None
    in_terminal = options.terminal or (options.page and not has_node and sys.stdin.isatty())
    has_store = options.cosmos or bool(local_settings.over(os.environ).get("CosmosDbEndpoint"))
    resting = frozenset() if has_store else FOR_SLOW_TURNS
    host = (
        CoreTools(ROOT, port=port)
        if CoreTools.is_installed()
        else HostProcess(
            ROOT,
            port=port,
            quiet=in_terminal,
            names=HostNames(tuple(options.allow_host)),
            triggers=replace(options.triggers, resting=resting),
        )
    )
    services.callback(host.close)
    environ = dict(os.environ)
    if isinstance(host, CoreTools):
        # It would look for their queue, and stop without one.
        environ |= {f"AzureWebJobs.{name}.Disabled": "true" for name in resting}
    if has_store:
        name, usual = SWEEP
        environ[name] = local_settings.over(environ).get(name) or usual
    cosmos = _start_stores(environ, services) if options.cosmos else None
    queues_are_here = any(one.name not in resting for one in app.triggered) and (
        cosmos is not None or _start_storage(local_settings, environ, services)
    )
    settings = _checked(local_settings.over(environ))
    if cosmos and settings.cosmos:
        cosmos.create_container(settings.cosmos.database_id, settings.cosmos.container_id)
    # Before the bot starts: its log would interrupt the line that shows the progress.
    with_page = options.page and has_node and not in_terminal and _page_is_installed()
    host.start(environ)
    url = f"http://localhost:{port}{messages_path}"
    _tell("Bot", url)
    _tell("State", _place_of_state(settings))
    if queues_are_here:
        _tell("Queues", "in Azurite, lost when it ends")
    if settings.identity:
        console.say(
            console.yellow(
                "MicrosoftAppId is set, so the bot refuses requests without a token from "
                "Azure: remove the setting from local.settings.json to chat here."
            )
        )
    elif isinstance(host, CoreTools):
        console.say(
            console.yellow("With `func`, anyone who can reach this machine may chat with the bot.")
        )
    elif options.allow_host:
        console.say(
            console.yellow(
                f"Anyone who can reach {' or '.join(options.allow_host)} may chat, and can make "
                "the bot send requests to other ports of this machine. Set MicrosoftAppId to keep "
                "strangers out."
            )
        )
    if options.page and not has_node:
        console.say("Node is not installed, so there is no page; chat in a terminal.")
    if in_terminal:
        console.say(console.dim("The bot stops when you leave the chat."))
        return reload_on_changes(host, console, _chat_here(url, services))
    if with_page:
        _open_page(f"http://127.0.0.1:{port}{messages_path}", options, services)
    _tell("Chat", "python3 dev.py chat" + (f" --url {url}" if url != DEFAULT_URL else ""))
    console.say(console.dim("Ctrl-C stops everything."))
    return reload_on_changes(host, console)


def _start_stores(environ: dict[str, str], services: ExitStack) -> CosmosServer:
    """Start a Cosmos DB server and Azurite, and point the settings in `environ` at them."""
    _install_npm_packages()
    cosmos = services.enter_context(CosmosServer(prefer(COSMOS_PORT)))
    azurite = _start_azurite(services)
    environ |= {
        "CosmosDbEndpoint": cosmos.endpoint,
        "CosmosDbKey": cosmos.key,
        "CosmosDbVerifyTls": "false",
        STORAGE: azurite.connection_string,
    }
    return cosmos


def _start_storage(
    local_settings: LocalSettings, environ: dict[str, str], services: ExitStack
) -> bool:
    """Start Azurite, unless functions have another storage; tell whether it has been started."""
    storage = local_settings.over(environ).get(STORAGE, "")
    is_elsewhere = storage and not development_storage.is_meant_by(storage)
    if is_elsewhere or (storage and not is_free(development_storage.QUEUE_PORT)):
        return False
    try:
        _install_npm_packages()
        environ[STORAGE] = _start_azurite(services).connection_string
    except LocalError as error:
        console.say(console.yellow(f"No queues: {error}"))
        return False
    return True


def _start_azurite(services: ExitStack) -> Azurite:
    return services.enter_context(
        Azurite(
            blob_port=prefer(development_storage.BLOB_PORT),
            queue_port=prefer(development_storage.QUEUE_PORT),
            table_port=prefer(development_storage.TABLE_PORT),
        )
    )


def _install_npm_packages() -> None:
    with console.progress() as progress:
        install_npm_packages(progress.show)


def _checked(environ: dict[str, str]) -> Settings:
    try:
        return Settings.from_environ(environ)
    except SettingsError as error:
        raise LocalError(
            f"{error}\nSettings come from local.settings.json and the environment."
        ) from None


def _place_of_state(settings: Settings) -> str:
    if settings.cosmos:
        return f"in Cosmos DB at {address(settings.cosmos.endpoint)}"
    return "in memory, lost when the bot restarts (use --cosmos to keep it)"


def _chat_here(url: str, services: ExitStack) -> "subprocess.Popen[bytes]":
    # In this process group, because it reads from the terminal.
    chat = subprocess.Popen([sys.executable, "-m", "local", "chat", "--url", url], cwd=ROOT)
    services.callback(chat.wait)
    services.callback(chat.terminate)
    return chat


def _page_is_installed() -> bool:
    try:
        _install_npm_packages()
    except LocalError as error:
        _tell_that_there_is_no_page(error)
        return False
    return True


def _tell_that_there_is_no_page(error: LocalError) -> None:
    # The bot runs all the same.
    console.say(console.yellow(f"No page: {error}"))


def _open_page(messages_url: str, options: StartOptions, services: ExitStack) -> None:
    # By address: to Node "localhost" is ::1, where the bot does not listen.
    try:
        page = services.enter_context(Playground(messages_url))
    except LocalError as error:
        _tell_that_there_is_no_page(error)
        return
    _tell("Page", page.url)
    if options.browser and _has_browser():
        webbrowser.open(page.url)


def _has_browser() -> bool:
    # Without a display, `webbrowser` would start one in the terminal.
    displays = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return console.is_terminal and (
        sys.platform in ("darwin", "win32") or any(map(os.environ.get, displays))
    )


def _tell(what: str, where: str) -> None:
    console.say(console.bold(what.ljust(6)), where)
