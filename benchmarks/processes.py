"""
The processes of a benchmark: the measured bot, its store, and its users with their channel.

Each is asked with a line of JSON on its standard input and answers with one on its standard
output; each ends with its standard input, so none outlives the benchmark. Standard library only.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from local.node_services.emulators import CosmosServer
from shared.settings import AZURE_MARKERS

BENCHMARKS = Path(__file__).resolve().parent
ROOT = BENCHMARKS.parent
DATABASE_ID = "bot"
STOP_TIMEOUT_S = 5.0


class BenchmarkError(Exception):
    """The benchmark cannot run; the message is one sentence that says what to do."""


class LineProcess:
    """A process that answers lines with lines."""

    def __init__(
        self,
        command: list[str | Path],
        *,
        environ: Mapping[str, str] | None = None,
        descriptors: tuple[int, ...] = (),
    ) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            pass_fds=descriptors,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C reaches only the benchmark, which then stops this.
            start_new_session=True,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # If it has ended by itself, the pipe may still hold what it never read.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send one line and return the answer to it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return self.next_line()

    def next_line(self) -> dict[str, Any]:
        """Return what the next line says, whether or not it answers a question."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # The SDKs print for themselves, too.
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise self._ended()

    def _ended(self) -> BenchmarkError:
        program = " ".join(Path(part).name for part in map(str, self._command[:4]))
        return BenchmarkError(f"'{program}' ended by itself; its output above says why.")


def node() -> str:
    """Return the path of Node."""
    path = shutil.which("node")
    if path is None:
        raise BenchmarkError("'node' is not on the PATH; install Node 20 or newer.")
    return path


def _plain_environ() -> dict[str, str]:
    """Return the environment of a developer's machine, whatever this one is."""
    environ = {name: value for name, value in os.environ.items() if name not in AZURE_MARKERS}
    return {
        **environ,
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        # The stock SDK's client warns in each turn that the store's certificate is not verified.
        "PYTHONWARNINGS": "ignore",
    }


class Store(LineProcess):
    """The Cosmos DB server, which counts what it is asked and can be slow on purpose."""

    def __init__(self) -> None:
        super().__init__([node(), BENCHMARKS / "store.cjs"])
        self._cosmos = CosmosServer(self.next_line()["port"])

    def create_container(self, container_id: str) -> dict[str, str]:
        """Create an empty container and return the settings that point at it."""
        self._cosmos.create_container(DATABASE_ID, container_id)
        return {
            "CosmosDbEndpoint": self._cosmos.endpoint,
            "CosmosDbKey": self._cosmos.key,
            "CosmosDbDatabaseId": DATABASE_ID,
            "CosmosDbContainerId": container_id,
            "CosmosDbVerifyTls": "false",
        }

    def meter(self, *, delay_ms: int) -> dict[str, int]:
        """Return the counts since the last call; from now on, be as slow as that."""
        return self.ask(delay_ms=delay_ms)


class Load(LineProcess):
    """The bot's users, and the channel between them and it."""

    def __init__(self) -> None:
        super().__init__([node(), BENCHMARKS / "load.cjs"])
        self.next_line()

    def run(self, port: int, *, delay_ms: int = 0, **how: Any) -> dict[str, Any]:
        """Let users talk to the bot at `port`; see load.cjs for how."""
        return self.ask(port=port, delay_ms=delay_ms, **{"texts": ["Hello there!"], **how})


class Server(LineProcess):
    """A bot in a process of its own, behind the front."""

    def __init__(self, stack: str, python: Path, settings: Mapping[str, str]) -> None:
        # Bound here: the port is known, and requests may wait in it, before the process starts.
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 0))
            listener.listen(256)
            self.port: int = listener.getsockname()[1]
            self.started_at_s = time.time()
            super().__init__(
                [python, "-m", "benchmarks.front", stack, str(listener.fileno())],
                environ={**_plain_environ(), **settings},
                descriptors=(listener.fileno(),),
            )

    def cpu_s(self) -> float:
        """Return the CPU time that the process has used."""
        used: float = self.ask()["cpu_s"]
        return used

    def sample(self) -> None:
        """From now on note what the CPU time goes to."""
        self.ask(sample=True)

    def samples(self) -> dict[str, int]:
        """Return how many samples there were of each part since then."""
        taken: dict[str, int] = self.ask()["parts"]
        return taken

    def memory_mb(self) -> float:
        """Return the memory that the process holds."""
        kilobytes = subprocess.check_output(["ps", "-o", "rss=", "-p", str(self.pid)])
        return int(kilobytes) / 1024
