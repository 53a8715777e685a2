"""Routes, as the Functions host understands them."""

from unittest.mock import ANY

import pytest

from local.bootstrap.errors import LocalError
from local.functions_host.routes import Route, served_path


@pytest.mark.parametrize(
    ("prefix", "template", "path"),
    [
        ("api", "messages", "/api/messages"),
        ("api", "/messages/", "/api/messages"),
        ("", "messages", "/messages"),
        ("v1/bot", "messages", "/v1/bot/messages"),
        ("api", "", "/api"),
    ],
)
def test_a_route_lies_under_the_prefix(prefix: str, template: str, path: str) -> None:
    """The path is the prefix and the template, with one slash between them."""
    assert path == Route(prefix, template).path


@pytest.mark.parametrize("path", ["/api/messages", "/API/Messages", "/api/messages/"])
def test_case_and_a_last_slash_do_not_matter(path: str) -> None:
    """What ASP.NET's router takes for the same path is the same path."""
    assert Route("api", "messages").match(path) == {}


@pytest.mark.parametrize(
    "path", ["/", "/messages", "/api/messages/1", "/api/message", "/xapi/messages"]
)
def test_another_path_does_not_match(path: str) -> None:
    """A route matches whole paths."""
    assert Route("api", "messages").match(path) is None


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("users/{id}", "/api/users/ada", {"id": "ada"}),
        ("users/{id}/orders/{order:int}", "/api/users/ada/orders/7", {"id": "ada", "order": "7"}),
        ("users/{id?}", "/api/users", {}),
        ("users/{id:alpha?}", "/api/users/ada", {"id": "ada"}),
        ("files/{*rest}", "/api/files/a/b.txt", {"rest": "a/b.txt"}),
        ("files/{*rest}", "/api/files", {}),
        ("{name}.{ending}", "/api/a.txt", {"name": "a", "ending": "txt"}),
        ("a+b/{id}", "/api/a+b/1", {"id": "1"}),
        ("{x=seven}", "/api", {"x": "seven"}),
        ("{x=seven}", "/api/eight", {"x": "eight"}),
        ("{x:int}", "/api/+5", {"x": "+5"}),
        ("{x:guid}", f"/api/{32 * 'a'}", {"x": 32 * "a"}),
        ("{x:guid}", "/api/(11111111-1111-4111-8111-111111111111)", ANY),
        ("{x:guid}", "/api/{0x1,0x2,0x3,{0x1,0x2,0x3,0x4,0x5,0x6,0x7,0x8}}", ANY),
    ],
)
def test_parameters_are_taken_from_the_path(
    template: str, path: str, parameters: dict[str, str]
) -> None:
    """Each parameter in braces takes its part of the path; one without a value is left out."""
    assert parameters == Route("api", template).match(path)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("orders/{id:int}", "/api/orders/seven"),
        ("orders/{id:guid}", "/api/orders/7"),
        ("orders/{id:int}", "/api/orders/2147483648"),
        ("orders/{id:long}", "/api/orders/9223372036854775808"),
        ("orders/{id}", "/api/orders/7/8"),
        ("orders/{id}", "/api/orders/"),
    ],
)
def test_a_value_that_breaks_its_constraint_does_not_match(template: str, path: str) -> None:
    """A constraint decides whether the route matches at all."""
    assert Route("api", template).match(path) is None


def test_an_unknown_constraint_is_an_error() -> None:
    """What the host cannot check it does not serve."""
    with pytest.raises(LocalError) as caught:
        Route("api", "orders/{id:regex(a)}")

    assert "'regex(a)'" in str(caught.value)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/api/all?x=/../", "/api/all"),
        ("/api/./all", "/api/all"),
        ("/api/x/../all", "/api/all"),
        ("/../../api", "/api"),
        ("/api/x/..", "/api/"),
        ("/api/%2e%2E/all", "/all"),
        ("/api%2Fall", "/api%2Fall"),
        ("/%61pi/%C3%A4", "/api/ä"),
        ("/api/all#x", "/api/all#x"),
        ("http://localhost/api/all", "/api/all"),
        ("http://localhost?x", "/"),
        ("//api//all", "//api//all"),
        ("*", "*"),
        ("localhost:80", "localhost:80"),
    ],
)
def test_what_a_target_means(target: str, path: str) -> None:
    """Dot segments are resolved, and an escaped slash is none."""
    assert path == served_path(target)
