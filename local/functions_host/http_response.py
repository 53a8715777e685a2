"""
What the worker returns, as the Functions host sends it.

https://github.com/Azure/azure-functions-host, `HttpBinding` and `RawScriptResult`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web
from multidict import CIMultiDict

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Cookie:
    """One cookie, after the worker has taken its header apart."""

    name: str
    value: str
    domain: str = ""
    path: str = ""
    expires: datetime | None = None
    max_age_s: float | None = None
    secure: bool = False
    same_site: str = ""

    def header(self) -> str:
        """Return it as the host puts it together again: with a domain, a path and `httponly`."""
        parts = [f"{quote(self.name, safe='')}={quote(self.value, safe='')}"]
        if self.expires is not None:
            moment = self.expires.astimezone(UTC)
            parts.append(f"expires={moment:%a, %d %b %Y %H:%M:%S} GMT")
        if self.max_age_s is not None:
            parts.append(f"max-age={int(self.max_age_s)}")
        parts += [f"domain={self.domain}", f"path={self.path or '/'}"]
        if self.secure:
            parts.append("secure")
        if self.same_site:
            parts.append(f"samesite={self.same_site.lower()}")
        return "; ".join([*parts, "httponly"])


@dataclass(frozen=True)
class HttpResult:
    """The answer that a function gave, as the worker hands it to the host."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[Cookie] = ()
    body: bytes = b""


def result_of_text(text: str) -> HttpResult:
    """Return what a string means: itself, or the response that it describes in JSON."""
    described = _described(text)
    if described is None:
        return HttpResult(200, {"content-type": _TEXT}, body=text.encode())
    headers = described.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    body = described["body"]
    if not isinstance(body, str):
        body = "" if body is None else json.dumps(body, indent=2, ensure_ascii=False)
    return HttpResult(
        _status(described.get("statuscode", described.get("status", 200))),
        {"content-type": _TEXT} | {name.lower(): str(value) for name, value in headers.items()},
        body=body.encode(),
    )


def to_response(result: HttpResult) -> web.Response:
    """
    Return the result as it is sent.

    Raises:
        ValueError: the host would fail over it, and answer 500.
    """
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in result.headers.items():
        if not (name + value).isascii():
            raise ValueError(f"The response header '{name}' has characters that are not ASCII.")
        if name.lower() == "transfer-encoding":
            raise ValueError("A function cannot choose the Transfer-Encoding of its response.")
        if name.lower() == "content-length":
            if value != str(len(result.body)):
                raise ValueError(f"The response has {len(result.body)} bytes and not {value}.")
        elif name.lower() != "connection":
            headers[name] = value
    for cookie in result.cookies:
        headers.add("Set-Cookie", cookie.header())
    return web.Response(status=result.status, headers=headers, body=result.body)


def _described(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        content = json.loads(text)
    except ValueError:
        return None
    described = {name.lower(): value for name, value in content.items()}
    return described if "body" in described else None


def _status(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(str(value))
    except ValueError:
        return 200
