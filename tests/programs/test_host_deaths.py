"""A worker that dies, takes too long or gets too much, as its callers see it."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection

import pytest

from local.functions_host.host_process import FORGOTTEN_AFTER_S, MAX_DEATHS, HostProcess
from tests.programs.programs import eventually
from tests.unit.local.function_app import write_function, write_host_json
from tests.unit.local.http import TIMEOUT_S, Answer, request

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows cannot lend connections; elsewhere this is tested"
)

WAITS = """
import asyncio
import os
import pathlib

folder = pathlib.Path(__file__).parent

async def main(req):
    (folder / f"began-{req.params.get('n', '')}").touch()
    while not (folder / "go").exists():
        await asyncio.sleep(0.01)
    return "done"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A function that waits, one that tells its process, and two that end it."""
    write_host_json(tmp_path, maxOutstandingRequests=3, customHeaders={"X-Own": "1"})
    write_function(tmp_path, "Waits", WAITS)
    write_function(tmp_path, "Tell", "import os\ndef main(req): return str(os.getpid())")
    write_function(tmp_path, "Exits", "import sys\nasync def main(req): sys.exit(3)")
    write_function(tmp_path, "ExitsInThread", "import sys\ndef main(req): sys.exit(3)")
    return tmp_path


@contextmanager
def serving(root: Path) -> Iterator[HostProcess]:
    with HostProcess(root) as host:
        host.start({})
        yield host
        (root / "Waits" / "go").touch()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as callers:
        yield callers


def begin(root: Path, host: HostProcess, callers: ThreadPoolExecutor, n: int) -> "Future[Answer]":
    """Send a request that waits, and return once its function runs."""
    answer = callers.submit(request, host.port, "GET", f"/api/Waits?n={n}")
    eventually((root / "Waits" / f"began-{n}").exists)
    return answer


def tell(host: HostProcess) -> int:
    return int(request(host.port, "GET", "/api/Tell").text)


def test_requests_of_a_worker_that_is_killed_get_500(
    root: Path, callers: ThreadPoolExecutor
) -> None:
    """Nobody waits for an answer that cannot come, and the next worker answers others."""
    with serving(root) as host:
        answers = [begin(root, host, callers, n) for n in range(2)]
        died = tell(host)
        os.kill(died, signal.SIGKILL)
        statuses = [(answer.result().status, answer.result().body) for answer in answers]
        eventually(lambda: host.revive() is not None)
        replaced_by = tell(host)

    assert [(500, b"")] * 2 == statuses
    assert died != replaced_by


def test_the_next_request_of_a_connection_gets_500_too(root: Path) -> None:
    """A connection is guarded for as long as it lasts."""
    with serving(root) as host, closing(HTTPConnection("127.0.0.1", host.port)) as connection:
        statuses = []
        for path in ("/api/Tell", "/api/Tell", "/api/Exits"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)

    assert [200, 200, 500] == statuses


def test_a_connection_without_a_request_is_closed_when_its_worker_dies(
    root: Path, callers: ThreadPoolExecutor
) -> None:
    """It gets no answer that nobody has asked for, whatever is under way on others."""
    with serving(root) as host:
        with create_connection(("127.0.0.1", host.port)) as left:
            left.sendall(b"GET /api/Waits?n=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            eventually((root / "Waits" / "began-0").exists)
        with create_connection(("127.0.0.1", host.port), timeout=TIMEOUT_S) as idle:
            idle.sendall(b"GET /api/Tell HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = idle.recv(10_000)
            under_way = begin(root, host, callers, 1)
            os.kill(tell(host), signal.SIGKILL)
            rest = idle.recv(10_000)

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"" == rest
    assert 500 == under_way.result().status


def test_a_connection_that_the_host_closes_is_closed(root: Path) -> None:
    """Who reads up to the end of the connection gets there."""
    with serving(root) as host:
        answers = []
        for _ in range(2):
            with create_connection(("127.0.0.1", host.port), timeout=TIMEOUT_S) as connection:
                connection.sendall(
                    b"GET /api/Tell HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                with connection.makefile("rb") as stream:
                    answers.append(stream.read())

    assert [b"HTTP/1.1 200 OK"] * 2 == [answer.partition(b"\r\n")[0] for answer in answers]


@pytest.mark.parametrize("name", ["Exits", "ExitsInThread"])
def test_a_function_that_ends_its_worker_gets_500(root: Path, name: str) -> None:
    """As does a function that lets `sys.exit` out."""
    with serving(root) as host:
        answer = request(host.port, "GET", f"/api/{name}")
        eventually(lambda: host.exit_code is not None)
        exit_code = host.revive()

    assert (500, b"") == (answer.status, answer.body)
    assert 3 == exit_code


def test_a_function_goes_on_when_its_caller_leaves(root: Path) -> None:
    """A turn is not cut off because a channel has given up waiting."""
    code = WAITS.replace('return "done"', '(folder / "ended").touch()\n    return "done"')
    write_function(root, "Goes", code)
    with serving(root) as host:
        with create_connection(("127.0.0.1", host.port)) as connection:
            connection.sendall(b"GET /api/Goes?n=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            eventually((root / "Goes" / "began-0").exists)
        tell(host)
        (root / "Goes" / "go").touch()

        eventually((root / "Goes" / "ended").exists)


def test_after_three_deaths_a_change_is_waited_for(root: Path) -> None:
    """What dies again and again is not started for ever; a restart begins anew."""
    given_up = []
    with serving(root) as host:
        for _ in range(MAX_DEATHS):
            os.kill(tell(host), signal.SIGKILL)
            eventually(lambda: host.revive() is not None)
            given_up.append(host.gave_up)
        host.restart()
        given_up.append(host.gave_up)

        assert tell(host)
    assert [False, False, True, False] == given_up


def test_a_death_is_forgotten_after_half_an_hour_without_another(root: Path) -> None:
    """What dies now and then is started anew each time."""
    now_s = [0.0]
    with HostProcess(root, clock=lambda: now_s[0]) as host:
        host.start({})
        for _ in range(MAX_DEATHS + 1):
            os.kill(tell(host), signal.SIGKILL)
            eventually(lambda: host.revive() is not None)
            now_s[0] += FORGOTTEN_AFTER_S + 1

        assert not host.gave_up


def test_a_function_that_takes_too_long_ends_its_worker(
    root: Path, callers: ThreadPoolExecutor
) -> None:
    """With it go the other requests in the worker, and the next worker serves."""
    host_json = root / "host.json"
    declared = host_json.read_text()
    host_json.write_text(declared.replace('"version"', '"functionTimeout": "00:00:02", "version"'))
    with serving(root) as host:
        answers = [begin(root, host, callers, n) for n in range(2)]
        statuses = [answer.result().status for answer in answers]
        eventually(lambda: host.revive() is not None)
        (root / "Waits" / "go").touch()

        assert "done" == request(host.port, "GET", "/api/Waits").text
    assert [500, 500] == statuses


def test_what_is_too_much_is_refused(root: Path, callers: ThreadPoolExecutor) -> None:
    """Above `maxOutstandingRequests` the host answers 429 and asks for another instance."""
    with serving(root) as host:
        answers = [begin(root, host, callers, n) for n in range(3)]
        refused = request(host.port, "GET", "/api/Tell")
        (root / "Waits" / "go").touch()
        statuses = [answer.result().status for answer in answers]

        assert 200 == request(host.port, "GET", "/api/Tell").status
    assert (429, b"", "1") == (
        refused.status,
        refused.body,
        refused.headers["X-FUNCTION-SCALEOUT"],
    )
    assert "1" == refused.headers["X-Own"]
    assert [200, 200, 200] == statuses


def test_requests_under_way_have_time_to_end(root: Path, callers: ThreadPoolExecutor) -> None:
    """Once told to stop, the host takes no more, and gives those that it has half a minute."""
    with serving(root) as host:
        answer = begin(root, host, callers, 0)
        closed = callers.submit(host.close)
        eventually(lambda: _is_refused(host.port))
        time.sleep(6.0)  # more than a container or an editor usually gives
        (root / "Waits" / "go").touch()
        closed.result()

    assert "done" == answer.result().text


def _is_refused(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_synchronous_functions_have_a_thousand_threads(root: Path) -> None:
    """As many as the Functions host lets Azure's worker have."""
    write_function(
        root,
        "Meets",
        """
        import threading

        barrier = threading.Barrier(60)

        def main(req):
            barrier.wait(20)
            return "met"
        """,
    )
    write_host_json(root)
    with serving(root) as host, ThreadPoolExecutor(60) as callers:
        answers = list(
            callers.map(lambda _: request(host.port, "GET", "/api/Meets").text, range(60))
        )

    assert ["met"] * 60 == answers
