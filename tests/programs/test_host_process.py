"""The host's process comes and goes; its port stays."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from local.bootstrap.errors import LocalError
from local.functions_host.host_process import HostProcess
from tests.programs.programs import eventually, is_running
from tests.unit.local.function_app import write_function, write_host_json
from tests.unit.local.http import request

CODE = "import os\ndef main(req): return f'{os.getpid()} 1'"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A function that tells its process and a number."""
    write_host_json(tmp_path)
    write_function(tmp_path, "Tell", CODE)
    return tmp_path


@pytest.fixture
def host(root: Path) -> Iterator[HostProcess]:
    """The host that serves it."""
    with HostProcess(root) as host:
        host.start({})
        yield host


def tell(host: HostProcess) -> tuple[int, str]:
    """Return the process that answers, and the number that it tells."""
    pid, number = request(host.port, "GET", "/api/Tell").text.split()
    return int(pid), number


def test_a_restart_serves_the_new_code(root: Path, host: HostProcess) -> None:
    """The next process on the same port knows what has changed."""
    before = tell(host)
    (root / "Tell" / "__init__.py").write_text(CODE.replace("1'", "two'"))

    host.restart()

    after = tell(host)
    assert before[0] != after[0]
    assert ("1", "two") == (before[1], after[1])


def test_requests_wait_for_the_next_process(host: HostProcess) -> None:
    """While no process is there, a request is not refused but answered later."""
    host.kill()
    with ThreadPoolExecutor() as callers:
        answer = callers.submit(tell, host)
        host.restart()

        assert "1" == answer.result()[1]


def test_a_request_under_way_is_answered_before_the_end(root: Path) -> None:
    """Stopping is no reason to drop a turn."""
    write_function(
        root,
        "Slow",
        """
        import pathlib, time

        def main(req):
            pathlib.Path(__file__).with_name("began").touch()
            time.sleep(0.5)
            return "done"
        """,
    )
    with HostProcess(root) as host, ThreadPoolExecutor() as callers:
        host.start({})
        answer = callers.submit(request, host.port, "GET", "/api/Slow")
        eventually((root / "Slow" / "began").exists)
        host.stop()

        assert "done" == answer.result().text


def test_an_unusable_file_leaves_the_old_process(root: Path, host: HostProcess) -> None:
    """A mistake in host.json is reported, and the bot goes on as it was."""
    before = tell(host)
    (root / "host.json").write_text("{")

    with pytest.raises(LocalError):
        host.restart()

    assert before == tell(host)


def test_a_process_that_ends_by_itself_is_noticed(root: Path, host: HostProcess) -> None:
    """Its exit code says so; until then there is none."""
    exit_codes = [host.exit_code]
    os.kill(tell(host)[0], signal.SIGKILL)
    eventually(lambda: host.exit_code is not None)
    exit_codes.append(host.exit_code)

    assert [None, -signal.SIGKILL] == exit_codes


def test_a_taken_port_is_an_error(host: HostProcess) -> None:
    """The error names the port and another one that is free."""
    with pytest.raises(LocalError) as caught:
        HostProcess(Path(), port=host.port)

    assert f"Port {host.port} is taken" in str(caught.value)
    assert "--port" in str(caught.value)


def _serve_and_wait(root: Path, connection: Connection) -> None:
    host = HostProcess(root)
    host.start({})
    connection.send((host.port, tell(host)[0]))
    connection.recv()


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a process as POSIX does")
def test_the_process_ends_with_whoever_started_it(root: Path) -> None:
    """Even a starter that is killed leaves no process behind."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    starter = context.Process(target=_serve_and_wait, args=(root, theirs))
    starter.start()
    _, pid = ours.recv()

    starter.kill()
    starter.join()

    eventually(lambda: not is_running(pid))


def test_no_request_is_lost_while_processes_come_and_go(host: HostProcess) -> None:
    """Whoever writes just when a file is saved is answered, by the old process or the new."""
    with ThreadPoolExecutor() as callers:
        done = threading.Event()

        def keep_asking() -> int:
            answers = 0
            while not done.is_set():
                tell(host)
                answers += 1
            return answers

        asking = [callers.submit(keep_asking) for _ in range(4)]
        try:
            for _ in range(3):
                host.restart()
        finally:
            done.set()

        assert all(each.result() > 0 for each in asking)
