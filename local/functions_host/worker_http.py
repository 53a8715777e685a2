"""HTTP as Azure's Python worker turns it into the SDK's objects and back."""

from datetime import UTC, datetime
from http.cookies import Morsel, SimpleCookie

import azure.functions as func
from azure.functions.http import HttpRequest as FunctionRequest
from azure.functions.http import HttpResponseConverter

from local.functions_host.http_request import HttpRequest
from local.functions_host.http_response import Cookie, HttpResult, result_of


def to_function(request: HttpRequest) -> func.HttpRequest:
    """Return the request as a function gets it."""
    return FunctionRequest(
        method=request.method,
        url=request.url,
        headers=request.headers,
        params=request.query,
        route_params=request.route_parameters,
        body_type="bytes",
        body=request.body,
    )


def from_function(answer: object, *, is_plain: bool = False) -> HttpResult:
    """
    Return a function's answer as the worker hands it to the host.

    With `is_plain` the function has said that it gives str or bytes, and no response.

    Raises:
        TypeError: it is none.
    """
    if is_plain:
        if isinstance(answer, bytearray):
            return result_of(bytes(answer))
        if isinstance(answer, str | bytes | dict | list | int | float):
            return result_of(answer)
        raise TypeError(f"{type(answer).__name__} was set, but only text and bytes can be sent.")
    try:
        datum = HttpResponseConverter.encode(answer, expected_type=None)
    except NotImplementedError:
        raise TypeError(
            f"{type(answer).__name__} was returned, but only func.HttpResponse and str can be sent."
        ) from None
    if datum.type == "string":
        return result_of(datum.value)
    value = datum.value
    return HttpResult(
        int(value["status_code"].value),
        {name: each.value for name, each in value["headers"].items()},
        [
            _cookie(morsel)
            for parsed in value["cookies"] or ()
            for morsel in SimpleCookie(parsed).values()
        ],
        value["body"].value,
    )


def _cookie(morsel: "Morsel[str]") -> Cookie:
    expires, max_age = morsel["expires"], morsel["max-age"]
    same_site = morsel["samesite"].lower()
    return Cookie(
        morsel.key,
        morsel.value,
        domain=morsel["domain"],
        path=morsel["path"],
        expires=(
            datetime.strptime(expires, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
            if expires
            else None
        ),
        max_age_s=float(max_age) if max_age else None,
        secure=bool(morsel["secure"]),
        same_site=same_site if same_site in ("lax", "strict", "none") else "",
    )
