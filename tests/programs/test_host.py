"""The embedded host keeps the rules of Azure Functions."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_connection

import pytest

from local.functions_host.host_names import HostNames
from local.functions_host.host_process import HostProcess
from local.functions_host.triggers.options import TriggerOptions
from tests.unit.local.function_app import HTTP_OUT, write_function, write_host_json
from tests.unit.local.http import TIMEOUT_S, Answer, request

Headers = list[tuple[str, str]]

TRIGGER = {"type": "httpTrigger", "direction": "in", "name": "req"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function app with one function for each rule."""
    root = tmp_path_factory.mktemp("app")
    write_host_json(root, maxConcurrentRequests=2)
    (root / "local.settings.json").write_text(
        json.dumps({"Values": {"Greeting": "hello"}, "Host": {"CORS": "*"}})
    )
    (root / "helpers.py").write_text("ANSWER = 'from the root'")
    write_function(
        root,
        "Mirror",
        """
        import json
        import azure.functions as func

        async def main(req: func.HttpRequest) -> func.HttpResponse:
            seen = {
                "method": req.method,
                "url": req.url,
                "headers": dict(req.headers),
                "params": dict(req.params),
                "route_params": dict(req.route_params),
                "body": req.get_body().decode(),
            }
            return func.HttpResponse(json.dumps(seen), mimetype="application/json")
        """,
        route="mirror/{id}/{*rest}",
    )
    write_function(
        root,
        "Posts",
        "def main(req): return 'posted'",
        methods=["post"],
        route="posts",
        authLevel="function",
    )
    write_function(
        root,
        "Answer",
        """
        import azure.functions as func

        def main(req):
            headers = {"X-One": "1", "Set-Cookie": "a=1"}
            response = func.HttpResponse(b"no", status_code=418, headers=headers, charset="latin-1")
            response.headers.add("Set-Cookie", "b=2")
            return response
        """,
    )
    write_function(
        root,
        "Fails",
        """
        async def main(req):
            raise RuntimeError("a secret")
        """,
    )
    write_function(root, "Quotes", "def main(req): raise ValueError(*req.params)")
    write_function(root, "Nothing", "def main(req): return None")
    write_function(root, "Number", "def main(req): return 7")
    write_function(root, "NoReturn", "def main(req): return None", bindings=[TRIGGER])
    write_function(root, "Surplus", "def main(req): return 'x'", bindings=[TRIGGER])
    write_function(
        root,
        "Named",
        """
        import helpers
        from ..Posts import main as relative

        def handle(request, context):
            return f"{helpers.ANSWER} {relative(None)} {context.function_name}"
        """,
        bindings=[{**TRIGGER, "name": "request"}, HTTP_OUT],
        entryPoint="handle",
    )
    write_function(
        root,
        "Context",
        """
        import json
        import azure.functions as func

        def main(req: func.HttpRequest, context: func.Context) -> str:
            return json.dumps([
                context.invocation_id,
                context.thread_local_storage.invocation_id,
                context.trace_context.trace_parent,
                context.function_directory,
                context.retry_context.retry_count,
            ])
        """,
    )
    write_function(
        root,
        "Environ",
        """
        import os

        def main(req):
            names = ("Greeting", "AZURE_FUNCTIONS_ENVIRONMENT", "Shell")
            return " ".join(os.environ[name] for name in names)
        """,
    )
    write_function(
        root,
        "Meets",
        """
        import threading

        barrier = threading.Barrier(2)

        def main(req):
            barrier.wait(20)
            return "met"
        """,
    )
    write_function(
        root,
        "Counts",
        """
        import asyncio

        under_way = 0

        async def main(req):
            global under_way
            under_way += 1
            most = under_way
            await asyncio.sleep(0.05)
            most = max(most, under_way)
            under_way -= 1
            return str(most)
        """,
    )
    script = write_function(root, "Script", "")
    script.unlink()
    (root / "Script" / "handler.py").write_text("def main(req): return __name__")
    declaration = json.loads((root / "Script" / "function.json").read_text())
    (root / "Script" / "function.json").write_text(
        json.dumps({**declaration, "scriptFile": "handler.py"})
    )
    write_function(root, "Broken", "def main(req: return 'x'")
    write_function(root, "Misfit", "def main(message): return 'x'")
    write_function(root, "Entryless", "")
    return root


@pytest.fixture(scope="module")
def host(root: Path) -> Iterator[HostProcess]:
    """The host that serves it."""
    with HostProcess(root) as host:
        host.start({"Shell": "sh"})
        yield host


def get(host: HostProcess, path: str, headers: Headers | None = None) -> Answer:
    """Send a GET request."""
    return request(host.port, "GET", path, headers=headers or [])


def status_line(host: HostProcess, head: bytes) -> bytes:
    """Send a request that no client would, and return how its answer begins."""
    with create_connection(("127.0.0.1", host.port), TIMEOUT_S) as connection:
        connection.sendall(head)
        with connection.makefile("rb") as answer:
            return answer.readline()


class TestRouting:
    def test_the_root_says_that_the_host_runs(self, host: HostProcess) -> None:
        """A browser that is pointed at the port finds one line that names the functions."""
        answer = get(host, "/")

        assert 200 == answer.status
        assert "/api/posts" in answer.text

    def test_an_unknown_path_is_not_found(self, host: HostProcess) -> None:
        """No function, no answer."""
        answer = get(host, "/api/unknown")

        assert (404, b"") == (answer.status, answer.body)

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
    def test_a_method_that_is_not_listed_is_not_found(self, host: HostProcess, method: str) -> None:
        """Azure Functions answer 404, not 405, to a method that the trigger does not list."""
        assert 404 == request(host.port, method, "/api/posts").status

    def test_keys_are_not_asked_for(self, host: HostProcess) -> None:
        """On a developer's machine every authorisation level is open."""
        assert 200 == request(host.port, "POST", "/api/posts", b"").status

    def test_without_methods_all_are_taken(self, host: HostProcess) -> None:
        """A trigger that lists no methods takes any."""
        answer = request(host.port, "DELETE", "/api/mirror/1")

        assert "DELETE" == json.loads(answer.body)["method"]


class TestRequests:
    def test_a_function_sees_the_request(self, host: HostProcess) -> None:
        """Method, URL, headers, query, route parameters and body arrive as they were sent."""
        answer = request(
            host.port,
            "POST",
            "/api/mirror/42/a/b?q=1&q=2&x=%C3%A4",
            "späm".encode(),
            [("X-Many", "1"), ("X-Many", "2"), ("Content-Encoding", "gzip")],
        )

        seen = json.loads(answer.body)
        assert "POST" == seen["method"]
        assert f"http://127.0.0.1:{host.port}/api/mirror/42/a/b?q=1&q=2&x=%C3%A4" == seen["url"]
        assert {"q": "1,2", "x": "ä"} == seen["params"]
        assert {"id": "42", "rest": "a/b"} == seen["route_params"]
        assert "späm" == seen["body"]
        assert "1,2" == seen["headers"]["x-many"]

    def test_a_caller_may_ask_before_it_sends_the_body(self, host: HostProcess) -> None:
        """Who expects "100 Continue" is told so, and sends the body then."""
        with create_connection(("127.0.0.1", host.port), TIMEOUT_S) as connection:
            connection.sendall(
                b"POST /api/mirror/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
            )
            with connection.makefile("rb") as answer:
                interim = [answer.readline(), answer.readline()]
                connection.sendall(b"body")
                final, *rest = answer.readlines()

        assert [b"HTTP/1.1 100 Continue\r\n", b"\r\n"] == interim
        assert b"HTTP/1.1 200 OK\r\n" == final
        assert "body" == json.loads(rest[-1])["body"]

    def test_settings_are_in_the_environment(self, host: HostProcess) -> None:
        """The file's values and the shell's variables both reach the function."""
        assert "hello Development sh" == get(host, "/api/Environ").text

    def test_a_context_is_passed_to_who_asks_for_it(self, host: HostProcess, root: Path) -> None:
        """`context` has the invocation and the function's folder, and no trace."""
        answer = get(host, "/api/Context", [("traceparent", "00-1-2-01")])

        invocation, in_thread, trace, folder, retries = json.loads(answer.body)
        assert invocation == in_thread
        assert ("", str(root / "Context"), 0) == (trace, folder, retries)


class TestCode:
    def test_names_are_declared_in_function_json(self, host: HostProcess) -> None:
        """Entry point and parameter have the names that function.json gives them."""
        assert get(host, "/api/Named").text.endswith("Named")

    def test_functions_import_from_the_root_and_from_each_other(self, host: HostProcess) -> None:
        """The root is on the path, and functions are one package, as in Azure."""
        assert get(host, "/api/Named").text.startswith("from the root posted")

    def test_a_script_may_have_another_name(self, host: HostProcess) -> None:
        """`scriptFile` says where the code is; its module is named as Azure names it."""
        assert "__app__.Script.handler" == get(host, "/api/Script").text

    def test_synchronous_functions_run_at_the_same_time(self, host: HostProcess) -> None:
        """Two that wait for each other both end, because each has its thread."""
        with ThreadPoolExecutor() as callers:
            answers = list(callers.map(lambda _: get(host, "/api/Meets"), range(2)))

        assert ["met", "met"] == [answer.text for answer in answers]

    def test_no_more_run_at_once_than_host_json_allows(self, host: HostProcess) -> None:
        """With `maxConcurrentRequests` of 2, a third request waits for one of the two."""
        with ThreadPoolExecutor(6) as callers:
            answers = list(callers.map(lambda _: get(host, "/api/Counts"), range(6)))

        assert 2 == max(int(answer.text) for answer in answers)

    @pytest.mark.parametrize("name", ["Broken", "Misfit", "Entryless"])
    def test_a_function_that_does_not_load_fails_alone(self, host: HostProcess, name: str) -> None:
        """Its requests are answered 500; the others' are not."""
        answer = get(host, f"/api/{name}")

        assert (500, b"") == (answer.status, answer.body)
        assert 200 == get(host, "/api/mirror/1").status


class TestResponses:
    def test_a_response_is_sent_as_it_is(self, host: HostProcess) -> None:
        """Status, headers, every cookie, type and body are the function's."""
        answer = get(host, "/api/Answer")

        assert (418, b"no", "1") == (answer.status, answer.body, answer.headers["X-One"])
        assert [f"{name}; domain=; path=/; httponly" for name in ("a=1", "b=2")] == (
            answer.headers.get_all("Set-Cookie")
        )
        assert "text/plain; charset=latin-1" == answer.headers["Content-Type"]

    def test_text_is_a_response(self, host: HostProcess) -> None:
        """A string is sent as plain text."""
        answer = request(host.port, "POST", "/api/posts", b"")

        assert (200, "posted") == (answer.status, answer.text)
        assert "text/plain; charset=utf-8" == answer.headers["Content-Type"]

    def test_an_exception_shows_nothing(self, host: HostProcess) -> None:
        """What a function raises is a 500 with an empty body."""
        answer = get(host, "/api/Fails")

        assert (500, b"") == (answer.status, answer.body)

    @pytest.mark.parametrize("name", ["Nothing", "Number", "Surplus"])
    def test_what_is_no_response_is_an_error(self, host: HostProcess, name: str) -> None:
        """None or a number for a bound `$return`, or text without one, fail as they do in Azure."""
        assert 500 == get(host, f"/api/{name}").status

    def test_without_a_return_binding_there_is_no_content(self, host: HostProcess) -> None:
        """A function that returns nothing, and is bound to return nothing, answers 204."""
        assert 204 == get(host, "/api/NoReturn").status


class TestNames:
    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LocalHost"])
    @pytest.mark.parametrize("port", ["", ":7071", ":1"])
    def test_the_machines_own_names_are_answered(
        self, host: HostProcess, name: str, port: str
    ) -> None:
        """Whatever port the way to the host begins at."""
        assert 200 == host_named(host, name + port)

    @pytest.mark.parametrize(
        "name",
        [
            "evil.test",
            "evil.test:7071",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "evil.test#localhost",
            "localhost@evil.test",
            "localhost:7071@evil.test",
            "evil.test, localhost",
            "192.168.0.1",
            "[::2]",
            "localhost:seven",
            "",
        ],
    )
    def test_other_names_are_refused(self, host: HostProcess, name: str) -> None:
        """A page whose name has been made to lead to this machine reaches no function."""
        assert 403 == host_named(host, name)

    def test_a_refusal_says_what_to_do(self, host: HostProcess) -> None:
        """Who has a reason to use another name learns how."""
        answer = get(host, "/", [("Host", "evil.test")])

        assert "--allow-host NAME" in answer.text
        assert 1 == len(answer.text.splitlines())

    def test_one_of_two_names_is_not_enough(self, host: HostProcess) -> None:
        """Whichever of them a function would believe."""
        names = [("Host", "localhost"), ("Host", "evil.test")]

        assert get(host, "/api/posts", names).status in {400, 403}
        assert get(host, "/api/posts", names[::-1]).status in {400, 403}

    def test_the_name_in_the_request_line_counts(self, host: HostProcess) -> None:
        """To a proxy a request may name its host there."""
        path = "http://{}/api/mirror/1"

        assert 403 == get(host, path.format("evil.test"), [("Host", "localhost")]).status
        assert 403 == get(host, path.format("localhost"), [("Host", "evil.test")]).status
        assert 200 == get(host, path.format("localhost"), [("Host", "localhost")]).status

    def test_a_request_for_nobody_is_refused(self, host: HostProcess) -> None:
        """No browser sends one, and no guess stands in for the name."""
        assert b" 403 " in status_line(host, b"GET /api/mirror/1 HTTP/1.0\r\n\r\n")

    def test_a_path_with_a_line_break_is_no_way_round(self, host: HostProcess) -> None:
        """Every path is the host's own to answer."""
        assert 403 == get(host, "/%0a", [("Host", "evil.test")]).status

    @pytest.mark.parametrize(("name", "status"), [(b"evil.test", b"403"), (b"localhost", b"404")])
    def test_a_request_without_a_path_is_no_way_round(
        self, host: HostProcess, name: bytes, status: bytes
    ) -> None:
        """It finds no function under any name."""
        assert status in status_line(host, b"OPTIONS * HTTP/1.1\r\nHost: " + name + b"\r\n\r\n")

    def test_other_names_can_be_allowed(self, root: Path) -> None:
        """A tunnel has a name of its own."""
        names = HostNames(("Tunnel.test",))
        with HostProcess(root, quiet=True, names=names) as host:
            host.start({"Shell": "sh"})
            statuses = [
                host_named(host, name)
                for name in ("tunnel.test", "tunnel.TEST:443", "localhost", "evil.test")
            ]

        assert [200, 200, 200, 403] == statuses


def host_named(host: HostProcess, name: str) -> int:
    """Send a request for the host of that name; return the status."""
    return get(host, "/api/mirror/1", [("Host", name)]).status


class TestBrowsers:
    def test_no_page_of_another_origin_may_call(self, host: HostProcess) -> None:
        """A bot has no pages: nothing tells a browser to let one in."""
        asked = [("Origin", "http://page.test"), ("Access-Control-Request-Method", "POST")]

        answer = request(host.port, "OPTIONS", "/api/posts", headers=asked)

        assert 404 == answer.status
        assert "Access-Control-Allow-Origin" not in answer.headers


class TestTriggers:
    def test_functions_that_rest_cost_nothing(self, tmp_path: Path) -> None:
        """Without a store the bot's queue and timer rest, so their libraries are not imported."""
        write_host_json(tmp_path)
        write_function(
            tmp_path,
            "Tell",
            "import sys\ndef main(req): return str('azure.storage' in sys.modules)",
        )
        queue = {"type": "queueTrigger", "direction": "in", "name": "message", "queueName": "bells"}
        write_function(tmp_path, "Rests", "def main(message): pass", bindings=[queue])
        resting = TriggerOptions(resting=frozenset({"Rests"}))
        with HostProcess(tmp_path, quiet=True, triggers=resting) as host:
            host.start({})
            answer = get(host, "/api/Tell")

        assert "False" == answer.text


class TestLog:
    def test_each_request_is_a_line(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Method, path, status and time of every request can be read on the console."""
        with HostProcess(root) as host:
            host.start({"Shell": "sh"})
            get(host, "/api/mirror/1?code=hush")
            host.stop()

        logged = capfd.readouterr().out
        assert "GET /api/mirror/1 200" in logged
        assert "hush" not in logged

    def test_a_request_cannot_steer_the_terminal(
        self, root: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Paths are shown escaped and cut, and so is what a function says of them."""
        with HostProcess(root) as host:
            host.start({"Shell": "sh"})
            get(host, "/%1b]0;x%07%0a12:00:00%20all%20is%20lost%e2%80%ae")
            get(host, f"/{7000 * 'a'}")
            get(host, "/api/Quotes?%1b]0;y%07%0aall%20is%20lost=1")
            host.stop()

        logged = capfd.readouterr().out
        assert "GET /\\x1b]0;x\\x07\\n12:00:00 all is lost\\u202e 404" in logged
        assert "ValueError: \\x1b]0;y\\x07\n    all is lost" in logged
        assert logged.replace("\n", "").isprintable()
        assert max(map(len, logged.splitlines())) < 1200

    def test_a_fault_is_shown_where_it_is(
        self, root: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """The traceback of what a function raised begins in the function, not in the host."""
        with HostProcess(root, quiet=True) as host:
            host.start({"Shell": "sh"})
            get(host, "/api/Fails")
            host.stop()

        logged = capfd.readouterr().out
        assert 'Fails/__init__.py", line 3, in main' in logged
        assert "local/functions_host/host.py" not in logged
        assert "SyntaxError" in logged
        assert "GET /api/Fails" not in logged
