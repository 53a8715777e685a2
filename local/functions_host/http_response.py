"""
What the worker returns, as the Functions host sends it.

https://github.com/Azure/azure-functions-host, `HttpBinding` and `RawScriptResult`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web
from multidict import CIMultiDict

from local.functions_host import lenient_json

_TEXT = "text/plain; charset=utf-8"
_COMPACT: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}


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


def result_of(value: object) -> HttpResult:
    """
    Return what a value means that is no response: bytes, a text, or whatever else JSON has.

    A text that is JSON is taken for what it stands for. An object with a `body` is a response;
    whatever else is sent as .NET writes it: objects and lists with indentation.
    """
    if isinstance(value, bytes):
        return HttpResult(200, body=value)
    content = _content(value) if isinstance(value, str) else value
    fields = {}
    if isinstance(content, dict):
        # Of names that differ in case only, the first one counts.
        fields = {name.lower(): each for name, each in reversed(content.items())}
    if "body" not in fields:
        return HttpResult(200, {"content-type": _TEXT}, body=_written(content).encode())
    body, declared = fields["body"], fields.get("headers")
    headers = declared if isinstance(declared, dict) else {}
    if None in headers.values():
        raise ValueError("A response header is null.")
    sent = {name.lower(): _part(each) for name, each in headers.items()}
    sent["content-type"] = _in_utf_8(sent.get("content-type", _TEXT))
    text = json.dumps(body, **_COMPACT) if isinstance(body, dict) else _part(body)
    return HttpResult(_status(fields), sent, body=text.encode())


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


def _content(text: str) -> Any:
    try:
        return lenient_json.read(text)
    except ValueError:
        return text


def _written(content: object) -> str:
    if isinstance(content, dict | list):
        return json.dumps(content, indent=2, ensure_ascii=False)
    return _part(content)


def _part(value: object) -> str:
    """Return what `ToString` gives of a part of a response."""
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case float():
            return repr(value).removesuffix(".0").upper()
        case dict():
            return "System.Dynamic.ExpandoObject"
        case list():
            return "System.Collections.Generic.List`1[System.Object]"
    return str(value)


def _in_utf_8(content_type: str) -> str:
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    others = [each for each in parameters if not each.lower().startswith("charset=")]
    return "; ".join([kind, *others, "charset=utf-8"])


def _status(fields: Mapping[str, object]) -> int:
    value = fields.get("statuscode", fields.get("status"))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]+\s*", value):
        return int(value)
    return 200
