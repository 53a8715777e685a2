"""What a function may count on, the same on a developer's machine as in Microsoft's runtime."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession

from tests.end_to_end.instances import Host, Instance, Instances

ECHO = """
import json
import azure.functions as func

async def main(req: func.HttpRequest) -> func.HttpResponse:
    if req.method == "DELETE":
        raise RuntimeError("a secret")
    seen = {
        "method": req.method,
        "path": req.url.partition("?")[0].partition("/api/")[2],
        "route": dict(req.route_params),
        "query": dict(req.params),
        "header": req.headers.get("X-Question"),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(
        json.dumps(seen),
        status_code=202,
        headers={"X-Answer": "42"},
        mimetype="application/json",
    )
"""
FUNCTION = {
    "bindings": [
        {
            "type": "httpTrigger",
            "direction": "in",
            "name": "req",
            "authLevel": "anonymous",
            "route": "orders/{id}",
            "methods": ["post", "delete"],
        },
        {"type": "http", "direction": "out", "name": "$return"},
    ]
}


@pytest.fixture(scope="module")
def echo(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An app that answers with what it was asked."""
    app = tmp_path_factory.mktemp("echo")
    (app / "Echo").mkdir()
    (app / "Echo" / "__init__.py").write_text(ECHO)
    (app / "Echo" / "function.json").write_text(json.dumps(FUNCTION))
    (app / "host.json").write_text('{"version": "2.0"}')
    with Instances(host, app, tmp_path_factory.mktemp("log")) as instances:
        yield instances.start()


@pytest.fixture
async def client(echo: Instance) -> AsyncIterator[ClientSession]:
    """An HTTP client of the app."""
    async with ClientSession(base_url=echo.origin) as client:
        yield client


async def test_function_sees_all_of_the_request(client: ClientSession) -> None:
    """Method, path, route and query parameters, headers and body reach the function."""
    async with client.post(
        "/api/orders/7?colour=bl%C3%BC", data="größer", headers={"X-Question": "why?"}
    ) as response:
        seen = await response.json()

    assert {
        "method": "POST",
        "path": "orders/7",
        "route": {"id": "7"},
        "query": {"colour": "blü"},
        "header": "why?",
        "body": "größer",
    } == seen


async def test_caller_sees_all_of_the_response(client: ClientSession) -> None:
    """Status, headers and content type are those that the function chose."""
    async with client.post("/api/orders/7") as response:
        headers = response.headers

    assert (202, "42") == (response.status, headers["X-Answer"])
    assert "application/json" == response.content_type


async def test_exception_is_an_empty_500(client: ClientSession) -> None:
    """Nothing of an exception reaches the caller."""
    async with client.delete("/api/orders/7") as response:
        body = await response.read()

    assert (500, b"") == (response.status, body)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/orders/7"), ("POST", "/api/order")])
async def test_what_is_not_declared_is_not_found(
    client: ClientSession, method: str, path: str
) -> None:
    """A method or a route that no function.json names is answered with 404."""
    async with client.request(method, path) as response:
        assert 404 == response.status
