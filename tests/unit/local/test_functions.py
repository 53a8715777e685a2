"""What host.json and the function.json files declare."""

import json
from pathlib import Path

import pytest

from local.bootstrap.errors import LocalError
from local.functions_host.functions import FunctionApp, is_disabled
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


def test_host_json_may_name_the_functions(root: Path) -> None:
    """With a list of `functions` the others are left out."""
    for name in ("A", "B"):
        write_function(root, name, "")
    (root / "host.json").write_text('{"version": "2.0", "functions": ["b"]}')

    assert ["B"] == [function.name for function in FunctionApp.read(root).functions]


def test_functions_are_asked_by_their_names_whatever_their_case(root: Path) -> None:
    """Where two routes match a path, the first one counts."""
    for name in ("b", "C", "A"):
        write_function(root, name, "")

    assert ["A", "b", "C"] == [function.name for function in FunctionApp.read(root).functions]


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


def test_only_a_setting_disables_a_function(root: Path) -> None:
    """The Functions host does not look at `"disabled": true`."""
    write_function(root, "A", "", disabled=True)
    (function,) = FunctionApp.read(root).functions

    assert not is_disabled(function, {"AzureWebJobs.B.Disabled": "true"})
    assert not is_disabled(function, {"AzureWebJobs.A.Disabled": "false"})
    assert is_disabled(function, {"AzureWebJobs.A.Disabled": "True"})


def test_comments_and_last_commas_are_no_mistakes(root: Path) -> None:
    """The Functions host reads its files like that, and a text may look like either."""
    write_function(root, "A", "", route="a//b,]")
    file = root / "A" / "function.json"
    file.write_text("// One.\n" + file.read_text().removesuffix("}") + ",/* Two.\n */}")

    assert ["/api/a//b,]"] == [each.route.path for each in FunctionApp.read(root).functions]


def test_other_triggers_are_read_with_their_binding(root: Path) -> None:
    """A function without an HTTP trigger has no route, and does not stop the others."""
    binding = {
        "type": "timerTrigger",
        "direction": "in",
        "name": "timer",
        "schedule": "0 * * * * *",
    }
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


TRIGGER = {"type": "httpTrigger", "direction": "in", "name": "req"}


@pytest.mark.parametrize(
    ("name", "bindings", "complaint"),
    [
        ("A", [TRIGGER, {"type": "queue", "direction": "out", "name": "q"}], "Core Tools"),
        ("A", [TRIGGER, TRIGGER], "more than one trigger"),
        ("A", [{**TRIGGER, "direction": None}], "no valid direction"),
        ("A", [{**TRIGGER, "name": "my_request"}], "no valid name"),
        ("A", [{**TRIGGER, "route": "admin/a"}], "conflicts"),
        ("A", [{**TRIGGER, "route": "{id:float}"}], "'float'"),
        ("Other", [{**TRIGGER, "route": "GOOD"}], "also that of the function 'Good'"),
        ("A", [TRIGGER, {**HTTP_OUT, "direction": "in"}], "cannot have"),
        ("A", [], "no bindings"),
        ("9Bad", [TRIGGER], "not a valid name of a function"),
        ("host", [TRIGGER], "not a valid name of a function"),
    ],
)
def test_a_bad_function_is_left_out_alone(
    root: Path, name: str, bindings: list[object], complaint: str
) -> None:
    """What the Functions host would refuse, or this one cannot serve, is named; the rest serves."""
    write_function(root, "Good", "")
    write_function(root, name, "")
    (root / name / "function.json").write_text(json.dumps({"bindings": bindings}))

    app = FunctionApp.read(root)

    assert ["Good"] == [function.name for function in app.functions]
    assert [name] == list(app.faults)
    assert complaint in app.faults[name]


@pytest.mark.parametrize(
    ("declared", "limit"),
    [({}, 0), ({"maxConcurrentRequests": 5}, 5), ({"maxConcurrentRequests": -1}, 0)],
)
def test_the_limit_of_concurrent_requests(root: Path, declared: dict[str, int], limit: int) -> None:
    """Without a limit, and with the -1 that stands for none, as many requests run as come."""
    write_host_json(root, **declared)

    assert limit == FunctionApp.read(root).http.max_concurrent_requests


@pytest.mark.parametrize(
    ("timeout", "seconds"), [(None, 1800.0), ("00:10:00", 600.0), ("-1", None), (-1, None)]
)
def test_the_time_that_a_function_may_take(
    root: Path, timeout: object, seconds: float | None
) -> None:
    """Half an hour unless host.json says otherwise, and without a limit for -1."""
    declared = {} if timeout is None else {"functionTimeout": timeout}
    (root / "host.json").write_text(json.dumps({"version": "2.0", **declared}))

    assert seconds == FunctionApp.read(root).http.timeout_s


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"version": "3.0"}, "version"),
        ({"functionTimeout": "soon"}, "functionTimeout"),
        ({"functionTimeout": "00:00:00"}, "functionTimeout"),
        ({"extensions": {"http": {"maxOutstandingRequests": 0}}}, "maxOutstandingRequests"),
        ({"extensions": {"http": {"customHeaders": "no"}}}, "customHeaders"),
    ],
)
def test_what_host_json_cannot_mean_is_an_error(
    root: Path, content: dict[str, object], complaint: str
) -> None:
    """The error names the setting."""
    (root / "host.json").write_text(json.dumps({"version": "2.0", **content}))

    with pytest.raises(LocalError) as caught:
        FunctionApp.read(root)

    assert complaint in str(caught.value)


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
