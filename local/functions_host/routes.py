"""The routes of HTTP functions, matched as the Functions host matches them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from local.bootstrap.errors import LocalError

_PARAMETER = re.compile(
    r"\{(?P<catch_all>\*{0,2})(?P<name>\w+)(?::(?P<constraint>[^}?=]+))?"
    r"(?:=(?P<default>[^}]*))?(?P<optional>\??)\}"
)

_GUIDS = tuple(
    re.compile(form.replace("h", "[0-9A-Fa-f]"))
    for form in (
        "h{32}",
        "h{8}-h{4}-h{4}-h{4}-h{12}",
        r"\{h{8}-h{4}-h{4}-h{4}-h{12}\}",
        r"\(h{8}-h{4}-h{4}-h{4}-h{12}\)",
        r"\{0xh{1,8},0xh{1,4},0xh{1,4},\{0xh{1,2}(?:,0xh{1,2}){7}\}\}",
    )
)


# An escaped slash is found by itself: it stays as it is.
_ESCAPES = re.compile("%2[Ff]|(?:%(?!2[Ff])[0-9A-Fa-f]{2})+")
_ESCAPED_BYTES = {0xDC00 + byte: f"%{byte:02x}" for byte in range(0x80, 0x100)}


def _is_number_of(bits: int) -> Callable[[str], bool]:
    most = 2 ** (bits - 1)

    def check(value: str) -> bool:
        return bool(re.fullmatch(r"[+-]?[0-9]+", value)) and -most <= int(value) < most

    return check


_CONSTRAINTS: dict[str, Callable[..., bool]] = {
    "alpha": lambda value: bool(re.fullmatch("[A-Za-z]+", value)),
    "bool": lambda value: value.lower() in ("true", "false"),
    "guid": lambda value: any(form.fullmatch(value) for form in _GUIDS),
    "int": _is_number_of(32),
    "long": _is_number_of(64),
    "length": lambda value, least, most=None: least <= len(value) <= (most or least),
    "minlength": lambda value, least: len(value) >= least,
    "maxlength": lambda value, most: len(value) <= most,
    "min": lambda value, least: _is_number_of(64)(value) and int(value) >= least,
    "max": lambda value, most: _is_number_of(64)(value) and int(value) <= most,
    "range": lambda value, least, most: _is_number_of(64)(value) and least <= int(value) <= most,
    "required": bool,
}

_CONSTRAINT = re.compile(r"(?P<name>[a-z]+)(?:\((?P<numbers>-?\d+(?:\s*,\s*-?\d+)*)\))?")


def served_path(target: str) -> str:
    """
    Return the path that a request's target means, decoded and without dot segments.

    As in Kestrel `%2F` stays what it is, and so does what is no UTF-8; a fragment is a part of the
    path. What has no path, such as `*`, is returned as it is.

    Raises:
        ValueError: it has a null character, which Kestrel refuses.
    """
    path = target.partition("?")[0]
    if not path.startswith("/"):
        _, is_url, rest = path.partition("://")
        if not is_url:
            return path
        path = "/" + rest.partition("/")[2]
    decoded = _ESCAPES.sub(_unescaped, path)
    if "\0" in decoded:
        raise ValueError("The path has a null character.")
    if "/." not in decoded:
        return decoded
    segments: list[str] = []
    *before, last = decoded.split("/")[1:]
    for segment in before:
        if segment == "..":
            segments[-1:] = []
        elif segment != ".":
            segments.append(segment)
    if last == "..":
        segments[-1:] = []
    return "/" + "/".join([*segments, "" if last in (".", "..") else last])


def _unescaped(found: re.Match[str]) -> str:
    if found[0].lower() == "%2f":
        return found[0]
    escaped = unquote_to_bytes(found[0])
    # An error handler gets no further than the bytes that are wrong.
    return escaped.decode(errors="surrogateescape").translate(_ESCAPED_BYTES)


class Route:
    """
    A route template such as `orders/{id:int}/{*rest}`, under the host's route prefix.

    Case does not matter, nor does a slash at the end.
    """

    def __init__(self, prefix: str, template: str) -> None:
        """Raise LocalError for a constraint that is not known here."""
        self.path = "/" + "/".join(filter(None, (prefix.strip("/"), template.strip("/"))))
        self._pattern = re.compile(_pattern(self.path) + "/?", re.IGNORECASE)
        self._constraints: list[tuple[str, _Constraint]] = []
        self._defaults: dict[str, str] = {}
        for parameter in _PARAMETER.finditer(self.path):
            if parameter["constraint"]:
                for constraint in parameter["constraint"].split(":"):
                    read = _read_constraint(constraint, self.path)
                    self._constraints.append((parameter["name"], read))
            if parameter["default"] is not None:
                self._defaults[parameter["name"]] = parameter["default"]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route's parameters, or None when the path is another one."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values = {name: value for name, value in found.groupdict().items() if value}
        for name, constraint in self._constraints:
            if name in values and not constraint.lets(values[name]):
                return None
        return {**self._defaults, **values}


@dataclass(frozen=True)
class _Constraint:
    name: str
    numbers: tuple[int, ...]

    def lets(self, value: str) -> bool:
        return _CONSTRAINTS[self.name](value, *self.numbers)


def _read_constraint(text: str, path: str) -> _Constraint:
    found = _CONSTRAINT.fullmatch(text.strip())
    if found is None or found["name"] not in _CONSTRAINTS:
        known = ", ".join(_CONSTRAINTS)
        raise LocalError(
            f"The route {path} has the constraint '{text}', which the embedded host "
            f"does not know (only {known}); install Azure Functions Core Tools to run it."
        )
    numbers = (found["numbers"] or "").split(",")
    return _Constraint(found["name"], tuple(int(number) for number in numbers if number))


def _pattern(path: str) -> str:
    pattern = ""
    end = 0
    for parameter in _PARAMETER.finditer(path):
        before, end = path[end : parameter.start()], parameter.end()
        value = ".*" if parameter["catch_all"] else "[^/]+"
        expression = f"(?P<{parameter['name']}>{value})"
        if parameter["catch_all"] or parameter["optional"] or parameter["default"] is not None:
            # With the value goes the slash before it.
            slash = "/" if before.endswith("/") else ""
            pattern += re.escape(before.removesuffix("/")) + f"(?:{slash}{expression})?"
        else:
            pattern += re.escape(before) + expression
    return pattern + re.escape(path[end:])
