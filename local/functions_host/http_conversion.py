"""HTTP between aiohttp and a function: what Azure's Python worker makes of one for the other."""

from collections.abc import Mapping

import azure.functions as func
from aiohttp import web

# The server writes these itself.
_OWN_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})


async def to_function(
    request: web.BaseRequest, route_parameters: Mapping[str, str]
) -> func.HttpRequest:
    """Return the request as a function gets it."""
    # The Functions host joins repeated headers and query parameters with commas.
    return func.HttpRequest(
        method=request.method,
        url=str(request.url),
        headers={name: ",".join(request.headers.getall(name)) for name in request.headers},
        params={name: ",".join(request.query.getall(name)) for name in request.query},
        route_params=route_parameters,
        body=await request.read(),
    )


def from_function(answer: func.HttpResponse) -> web.Response:
    """Return a function's response as it is sent."""
    response = web.Response(status=answer.status_code, body=answer.get_body())
    for name, value in answer.headers.items():
        if name.lower() == "set-cookie":
            response.headers.add(name, value)
        elif name.lower() not in _OWN_HEADERS:
            response.headers[name] = value
    if "content-type" not in answer.headers:
        text = answer.mimetype.startswith("text/")
        charset = f"; charset={answer.charset}" if text else ""
        response.headers["content-type"] = answer.mimetype + charset
    return response
