"""`dev.py start`: what it starts, what it says, and that it ends all of it."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from local.bootstrap.ports import listen
from local.node_services.npm import NODE_MODULES
from tests.programs.conftest import BOT, Run
from tests.programs.programs import Program, eventually
from tests.programs.triggers.functions import runs, write_queue_function
from tests.programs.triggers.queues import TestQueue
from tests.unit.local.http import request

# Neither Node nor Core Tools, whatever this machine has.
NO_TOOLS = "/no/tools"

BOT_URL = "http://localhost:{}/api/messages"

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="finds processes in /proc: run this on Linux"
)


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def bot(run: Run, port: int) -> Program:
    """A bot that runs and nothing else."""
    bot = run("-m", "local", "start", "--no-page", "--port", str(port), PATH=NO_TOOLS)
    bot.shows("Ctrl-C stops everything.")
    return bot


def say(port: int, text: str) -> str:
    """Send the bot a message; return its status, and its answer if there is one."""
    activity = json.dumps({"type": "message", "text": text}).encode()
    answer = request(port, "POST", "/api/messages", activity)
    replies = json.loads(answer.body)["activities"] if answer.status == 200 else []
    return " ".join([str(answer.status), *(reply["text"] for reply in replies)])


class TestBot:
    def test_it_is_told_where_the_bot_is(self, bot: Program, port: int) -> None:
        """The console names the bot's URL, where its state is, and how to chat."""
        assert BOT_URL.format(port) in bot.output
        assert "in memory" in bot.output
        assert f"python3 dev.py chat --url {BOT_URL.format(port)}" in bot.output
        assert "200 Turn 1: hello" == say(port, "hello")

    def test_it_needs_no_settings_file_but_heeds_one(
        self, run: Run, project: Path, port: int
    ) -> None:
        """The port may come from local.settings.json."""
        settings = {"Host": {"LocalHttpPort": port}}
        (project / "local.settings.json").write_text(json.dumps(settings))

        bot = run("-m", "local", "start", "--no-page", PATH=NO_TOOLS)

        bot.shows(BOT_URL.format(port))

    def test_a_taken_port_is_told_at_once(self, run: Run) -> None:
        """One sentence names the port, and a command line that works."""
        with listen(0) as listener:
            port = listener.getsockname()[1]
            start = run("-m", "local", "start", "--port", str(port), PATH=NO_TOOLS)

            assert 1 == start.wait()

        assert start.output.startswith(f"Port {port} is taken by another program; ")
        assert 1 == len(start.output.splitlines())

    def test_unusable_settings_are_listed(self, run: Run, project: Path, port: int) -> None:
        """The bot does not start on settings that would fail its first turn."""
        values = {"MicrosoftAppType": "Sorcerer", "CosmosDbVerifyTls": "perhaps"}
        (project / "local.settings.json").write_text(json.dumps({"Values": values}))

        start = run("-m", "local", "start", "--port", str(port), PATH=NO_TOOLS)

        assert 1 == start.wait()
        assert "- MicrosoftAppId is missing" in start.output
        assert "Traceback" not in start.output

    def test_an_identity_keeps_the_local_channels_out(
        self, run: Run, project: Path, port: int
    ) -> None:
        """With MicrosoftAppId set, the bot wants tokens; the console says why nobody can chat."""
        identity = "00000000-0000-0000-0000-000000000001"
        values = {
            "MicrosoftAppType": "SingleTenant",
            "MicrosoftAppId": identity,
            "MicrosoftAppTenantId": identity,
            "MicrosoftAppPassword": "hush",
        }
        (project / "local.settings.json").write_text(json.dumps({"Values": values}))

        bot = run("-m", "local", "start", "--no-page", "--port", str(port), PATH=NO_TOOLS)

        bot.shows("MicrosoftAppId is set")
        assert "hush" not in bot.output

    def test_a_name_can_be_allowed(self, run: Run, port: int) -> None:
        """With --allow-host the bot answers for that name too, and says what that means."""
        start = run(
            *("-m", "local", "start", "--no-page", "--port", str(port)),
            *("--allow-host", "tunnel.test", "--allow-host", "other.test"),
            PATH=NO_TOOLS,
        )
        start.shows("Ctrl-C stops everything.")

        statuses = [
            request(port, "GET", "/", headers=[("Host", name)]).status
            for name in ("tunnel.test", "other.test:443", "third.test")
        ]
        assert [200, 200, 403] == statuses
        assert "Anyone who can reach tunnel.test or other.test may chat" in start.output


class TestReload:
    def test_a_changed_source_starts_the_bot_anew(
        self, bot: Program, project: Path, port: int
    ) -> None:
        """The next message meets the new code, and no memory of the old one."""
        assert ["200 Turn 1: a", "200 Turn 2: b"] == [say(port, "a"), say(port, "b")]
        script = project / "MessagesFunction" / "__init__.py"

        # Of the same length and, as likely as not, in the same second.
        script.write_text(BOT.replace("Turn", "Gear"))
        bot.shows("changed: the bot restarts")

        assert "200 Gear 1: c" == say(port, "c")
        assert str(Path("MessagesFunction/__init__.py")) in bot.output

    def test_a_mistake_waits_for_its_correction(
        self, bot: Program, project: Path, port: int
    ) -> None:
        """Code that does not load is shown and answers 500; corrected, it serves again."""
        script = project / "MessagesFunction" / "__init__.py"
        script.write_text("def main(req:")
        bot.shows("SyntaxError")
        broken = say(port, "a")
        script.write_text(BOT)

        eventually(lambda: say(port, "b") == "200 Turn 1: b")
        assert "500" == broken

    def test_a_mistake_in_host_json_changes_nothing(
        self, bot: Program, project: Path, port: int
    ) -> None:
        """Where the new state of the files cannot be served, the old one still is."""
        assert "200 Turn 1: a" == say(port, "a")
        (project / "host.json").write_text("{")
        bot.shows("The bot keeps running as it was")

        assert "200 Turn 2: b" == say(port, "b")

    def test_a_process_that_ends_is_told(self, bot: Program, project: Path) -> None:
        """Code that ends its process does not end the loop that waits for a better version."""
        (project / "MessagesFunction" / "__init__.py").write_text("import os; os._exit(7)")

        bot.shows("ended with exit code 7; it restarts when a source file changes")


@linux_only
class TestEnd:
    def test_ctrl_c_ends_everything_quietly(self, bot: Program) -> None:
        """No process is left, no traceback is shown, and the shell learns 130."""
        eventually(lambda: len(bot.descendants()) > 0)

        assert 130 == bot.press_ctrl_c()
        eventually(lambda: not bot.descendants())
        assert "Traceback" not in bot.output

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_so_do_other_signals(self, bot: Program, number: signal.Signals) -> None:
        """A closed terminal or a `kill` leaves nothing behind either."""
        eventually(lambda: len(bot.descendants()) > 0)
        bot.process.send_signal(number)

        assert 128 + number == bot.wait()
        eventually(lambda: not bot.descendants())

    def test_even_sigkill_does(self, bot: Program) -> None:
        """What was started ends by itself when its starter is gone."""
        eventually(lambda: len(bot.descendants()) > 0)
        bot.process.kill()
        bot.wait()

        eventually(lambda: not bot.descendants())


class TestQueues:
    def test_without_storage_they_rest(self, run: Run, project: Path, port: int) -> None:
        """Where Azurite cannot run the bot starts all the same, and one line names who rests."""
        write_queue_function(project, "bells", "record()")

        bot = run("-m", "local", "start", "--no-page", "--port", str(port), PATH=NO_TOOLS)

        bot.shows("Without the setting AzureWebJobsStorage these functions rest: OnMessage.")
        assert "No queues: 'npm' is not on the PATH" in bot.output
        assert "200 Turn 1: hello" == say(port, "hello")


class TestTerminal:
    def test_chat_and_bot_share_a_terminal(self, run: Run, port: int) -> None:
        """With --terminal the chat begins at once, and the bot stops when it ends."""
        start = run("-m", "local", "start", "--terminal", "--port", str(port), PATH=NO_TOOLS)

        start.type("hello\n")

        assert 0 == start.wait()
        assert ["Bot  Welcome", "You  hello", "Bot  Turn 2: hello"] == (
            start.output.splitlines()[-3:]
        )
        eventually(lambda: not start.descendants())

    def test_without_node_and_terminal_the_bot_runs_alone(self, run: Run, port: int) -> None:
        """Where nobody can type, a missing page does not stop the bot."""
        start = run("-m", "local", "start", "--port", str(port), PATH=NO_TOOLS)
        start.shows("Node is not installed")
        start.shows("Ctrl-C stops everything.")

        assert "200 Turn 1: hello" == say(port, "hello")


class TestCoreTools:
    def test_func_serves_where_it_is_installed(
        self, run: Run, project: Path, tmp_path: Path, port: int
    ) -> None:
        """`func start` gets the port, this environment's Python, and the end of a Ctrl-C."""
        record = tmp_path / "record.json"
        func = tmp_path / "func"
        func.write_text(
            f"#!{sys.executable}\n"
            "import json, os, socket, sys, time\n"
            f"json.dump([sys.argv[1:], dict(os.environ)], open({str(record)!r}, 'w'))\n"
            f"listener = socket.create_server(('127.0.0.1', {port}))\n"
            "time.sleep(60)\n"
        )
        func.chmod(0o755)
        start = run(
            *("-m", "local", "start", "--no-page", "--port", str(port)),
            PATH=f"{tmp_path}{os.pathsep}{NO_TOOLS}",
            CONTAINER_NAME="not Azure's",
        )
        start.shows("Ctrl-C stops everything.")

        arguments, environ = json.loads(record.read_text())
        assert ["start", "--port", str(port)] == arguments
        assert sys.executable == environ["languageWorkers__python__defaultExecutablePath"]
        assert "CONTAINER_NAME" not in environ
        assert "With `func`, anyone who can reach this machine may chat" in start.output
        assert 130 == start.press_ctrl_c()
        eventually(lambda: not start.descendants())

    def test_its_end_is_the_end(self, run: Run, tmp_path: Path, port: int) -> None:
        """A `func` that gives up is reported with its exit code."""
        func = tmp_path / "func"
        func.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
        func.chmod(0o755)

        start = run(
            *("-m", "local", "start", "--no-page", "--port", str(port)),
            PATH=f"{tmp_path}{os.pathsep}{NO_TOOLS}",
        )

        assert 1 == start.wait()
        assert "`func` ended with exit code 3" in start.output


@linux_only
class TestServices:
    def test_page_and_stores_come_and_go_with_the_bot(
        self, run: Run, project: Path, npm_packages: None, port: int
    ) -> None:
        """--cosmos gives the bot a store, Node gives it a page, and Ctrl-C ends them all."""
        (project / "local" / "node_services" / "node_modules").symlink_to(NODE_MODULES)
        code = BOT.replace('["Welcome"]', "[__import__('os').environ['CosmosDbEndpoint']]")
        (project / "MessagesFunction" / "__init__.py").write_text(code)

        start = run("-m", "local", "start", "--cosmos", "--port", str(port))
        start.shows("Ctrl-C stops everything.")

        answer = request(port, "POST", "/api/messages", b'{"type": "conversationUpdate"}')
        endpoint = json.loads(answer.body)["activities"][0]["text"]
        assert f"Cosmos DB at {endpoint}" in start.output
        page = start.output.partition("Page")[2].split()[0]
        page_port = int(page.rpartition(":")[2])
        assert 200 == request(page_port, "GET", "/").status
        assert 130 == start.press_ctrl_c()
        eventually(lambda: not start.descendants())

    def test_queues_come_with_a_function_that_has_one(
        self, run: Run, project: Path, npm_packages: None, port: int
    ) -> None:
        """A function that a message triggers works with `start` alone, which brings Azurite."""
        (project / "local" / "node_services" / "node_modules").symlink_to(NODE_MODULES)
        write_queue_function(project, "bells", "record(text=message.get_body().decode())")
        script = project / "MessagesFunction" / "__init__.py"
        script.write_text(BOT.replace('["Welcome"]', "[__import__('os').environ[STORAGE]]"))
        script.write_text(f"STORAGE = 'AzureWebJobsStorage'\n{script.read_text()}")

        start = run("-m", "local", "start", "--no-page", "--port", str(port))
        start.shows("Ctrl-C stops everything.")
        answer = request(port, "POST", "/api/messages", b'{"type": "conversationUpdate"}')
        queue = TestQueue(json.loads(answer.body)["activities"][0]["text"], "bells")
        queue.create()
        queue.put("ding")

        eventually(lambda: len(runs(project)) == 1)
        assert "ding" == runs(project)[0]["text"]
        assert "Queues in Azurite" in start.output
        assert 130 == start.press_ctrl_c()
        eventually(lambda: not start.descendants())
