"""What host.json and the function.json files declare."""

from pathlib import Path

import pytest

from local.bootstrap.errors import LocalError
from local.functions_host.functions import FunctionApp
from tests.unit.local.function_app import HTTP_OUT, write_function, write_host_json


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A function app without functions."""
    write_host_json(tmp_path)
    return tmp_path


def test_every_folder_with_a_function_json_is_a_function(root: Path) -> None:
    """Functions are found by their files, and named for their folders."""
    write_function(root, "B", "")
    write_function(root, "A", "")
    (root / "shared").mkdir()

    assert ["A", "B"] == [function.name for function in FunctionApp.read(root).functions]


def test_reading_imports_nothing(root: Path) -> None:
    """The declarations can be read where the code would not run."""
    write_function(root, "Broken", "raise SystemExit")

    assert 1 == len(FunctionApp.read(root).functions)


def test_the_route_is_the_name_unless_it_is_declared(root: Path) -> None:
    """A trigger without a route is found under its function's name."""
    write_function(root, "A", "")
    write_function(root, "B", "", route="b/{id}")

    paths = [function.route.path for function in FunctionApp.read(root).functions]
    assert ["/api/A", "/api/b/{id}"] == paths


def test_the_route_prefix_comes_from_host_json(root: Path) -> None:
    """`extensions.http.routePrefix` stands in the place of "api"."""
    write_host_json(root, routePrefix="v1")
    write_function(root, "A", "", route="messages")

    assert "/v1/messages" == FunctionApp.read(root).messages_path


def test_a_disabled_function_is_left_out(root: Path) -> None:
    """`"disabled": true` takes a function out of service."""
    write_function(root, "A", "", disabled=True)

    assert () == FunctionApp.read(root).functions


def test_other_triggers_are_read_with_their_binding(root: Path) -> None:
    """A function without an HTTP trigger has no route, and does not stop the others."""
    binding = {"type": "timerTrigger", "name": "timer", "schedule": "0 * * * * *"}
    write_function(root, "Timer", "", bindings=[binding])

    app = FunctionApp.read(root)

    assert () == app.functions
    assert [("Timer", "timer", "timerTrigger", binding)] == [
        (function.name, function.trigger, function.kind, function.binding)
        for function in app.triggered
    ]


def test_a_folder_without_a_trigger_is_no_function(root: Path) -> None:
    """A function.json that binds nothing in starts nothing, and does not stop the others."""
    write_function(root, "Nothing", "", bindings=[HTTP_OUT])

    app = FunctionApp.read(root)

    assert ((), ()) == (app.functions, app.triggered)


def test_other_bindings_are_refused(root: Path) -> None:
    """A function that wants more than HTTP is not served as if it did not."""
    queue = {"type": "queue", "direction": "out", "name": "queue"}
    trigger = {"type": "httpTrigger", "name": "req"}
    write_function(root, "A", "", bindings=[trigger, HTTP_OUT, queue])

    with pytest.raises(LocalError) as caught:
        FunctionApp.read(root)

    assert "Azure Functions Core Tools" in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "limit"),
    [({}, 0), ({"maxConcurrentRequests": 5}, 5), ({"maxConcurrentRequests": -1}, 0)],
)
def test_the_limit_of_concurrent_requests(root: Path, declared: dict[str, int], limit: int) -> None:
    """Without a limit, and with the -1 that stands for none, as many requests run as come."""
    write_host_json(root, **declared)

    assert limit == FunctionApp.read(root).max_concurrent_requests


def test_messages_go_to_the_function_of_that_name(root: Path) -> None:
    """Beside other functions, the bot is the one at `messages`."""
    write_function(root, "Admin", "", methods=["post"])
    write_function(root, "Bot", "", methods=["post"], route="messages")

    assert "/api/messages" == FunctionApp.read(root).messages_path


def test_without_that_name_they_go_to_the_first_that_takes_posts(root: Path) -> None:
    """A bot may listen elsewhere."""
    write_function(root, "A", "", methods=["get"])
    write_function(root, "B", "", methods=["get", "post"], route="talk")

    assert "/api/talk" == FunctionApp.read(root).messages_path


def test_nothing_to_post_to_is_an_error(root: Path) -> None:
    """A function app that takes no POST is no bot."""
    with pytest.raises(LocalError) as caught:
        _ = FunctionApp.read(root).messages_path

    assert "POST" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "line 1, column 2"),
        ("[]", "JSON object"),
        (b"\xff", "cannot be read"),
        (None, "is missing"),
    ],
)
def test_an_unusable_file_is_named(root: Path, content: str | bytes | None, complaint: str) -> None:
    """The error says which file is wrong, and where."""
    (root / "host.json").unlink()
    if content is not None:
        (root / "host.json").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )

    with pytest.raises(LocalError) as caught:
        FunctionApp.read(root)

    assert str(root / "host.json") in str(caught.value)
    assert complaint in str(caught.value)
