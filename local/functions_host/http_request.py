"""
An HTTP request, as the Functions host hands it to the worker.

https://github.com/Azure/azure-functions-host, `GrpcMessageConversionExtensions`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

from aiohttp import HttpVersion11, web

MAX_REQUEST_LINE_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 32 * 1024
MAX_HEADERS = 100
"""Kestrel's, as the Functions host sets them up."""

# In a path `PathString` escapes nothing of these; `%` is left of `%2F` alone.
_SAFE = "/-._~!$&'()*+,;=:@%"


@dataclass(frozen=True)
class HttpRequest:
    """What a function gets of a request."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route_parameters: Mapping[str, str]
    body: bytes


def status_of_excess(request: web.BaseRequest) -> int | None:
    """Return the status that refuses a request whose head is too large; None if it is not."""
    line = f"{request.method} {request.raw_path} HTTP/1.1\r\n"
    if len(line.encode(errors="surrogateescape")) > MAX_REQUEST_LINE_BYTES:
        return 414
    headers = request.raw_headers
    size = sum(map(len, chain.from_iterable(headers))) + len(headers) * len(": \r\n")
    return 431 if size > MAX_HEADERS_BYTES or len(headers) > MAX_HEADERS else None


async def send_continue(request: web.BaseRequest) -> None:
    """Let a caller that waits for it send the body."""
    waits = request.headers.get("Expect", "").lower() == "100-continue"
    if waits and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def read_request(
    request: web.BaseRequest, path: str, route_parameters: Mapping[str, str]
) -> HttpRequest:
    """Return the request to `path` as a function gets it."""
    # The host looks at the length alone: what comes in chunks never reaches a function
    # (https://github.com/Azure/azure-functions-host/issues/4926).
    body = await request.content.read() if request.content_length else b""
    return HttpRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{quote(path, safe=_SAFE)}{_query_string(request)}",
        headers=_joined((name.lower(), value) for name, value in request.headers.items()),
        query=_query(request),
        route_parameters=route_parameters,
        body=body,
    )


def _query_string(request: web.BaseRequest) -> str:
    _, mark, query = request.raw_path.partition("?")
    return mark + query if query else ""


def _query(request: web.BaseRequest) -> dict[str, str]:
    """Case does not matter, the first way of writing a name counts; what is empty is left out."""
    names: dict[str, str] = {}
    pairs = ((names.setdefault(name.lower(), name), value) for name, value in request.query.items())
    return {name: value for name, value in _joined(pairs).items() if value}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        before = joined.get(name)
        joined[name] = f"{before},{value}" if before and value else before or value
    return joined
