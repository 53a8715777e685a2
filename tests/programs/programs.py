"""Programs that tests start, and whether they have ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

PATIENCE_S = 60.0

_MARK = "TEST_PROGRAM"


class Program:
    """A program in a session of its own, as if it had a terminal to itself."""

    def __init__(
        self, arguments: list[str], folder: Path, environ: Mapping[str, str], output: Path
    ) -> None:
        self._output = output
        # Whatever it starts inherits the mark, so that nothing can hide.
        self._mark = str(uuid4())
        with output.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env={**os.environ, **environ, _MARK: self._mark, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell that runs the tests in its background has told them to ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def shows(self, text: str) -> None:
        """Wait until it has printed the text."""
        eventually(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output

    def type(self, text: str) -> None:
        """Give it text to read, and then the end."""
        self.process.communicate(text.encode(), PATIENCE_S)

    def press_ctrl_c(self) -> int:
        """Do what a terminal does on Ctrl-C; return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends; return the exit code."""
        return self.process.wait(PATIENCE_S)

    def descendants(self) -> set[int]:
        """Return the processes that it has started, and that run."""
        pids = set()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                environ = (folder / "environ").read_bytes().split(b"\0")
                if f"{_MARK}={self._mark}".encode() in environ and is_running(int(folder.name)):
                    pids.add(int(folder.name))
        return pids - {self.process.pid}

    def end(self) -> None:
        """Leave nothing behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pid in self.descendants():
            os.kill(pid, signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()


@contextmanager
def running(arguments: list[str], folder: Path, output: Path, **environ: str) -> Iterator[Program]:
    """Run Python with the arguments until the block ends."""
    program = Program(arguments, folder, environ, output)
    try:
        yield program
    finally:
        program.end()


def is_running(pid: int) -> bool:
    """Tell whether there is such a process, and more of it than its exit code."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.02)
