"""Which web pages may call the functions: `Host.CORS` of local.settings.json."""

from dataclasses import dataclass

from aiohttp import hdrs, web


@dataclass(frozen=True)
class Cors:
    """Origins that browsers are told to let in. None by default."""

    origins: frozenset[str] = frozenset()
    """"*" lets every origin in."""
    credentials: bool = False

    @classmethod
    def parse(cls, origins: str, *, credentials: bool) -> "Cors":
        """Read a comma-separated list."""
        names = (origin.strip().rstrip("/") for origin in origins.split(","))
        return cls(frozenset(filter(None, names)), credentials)

    def is_preflight(self, request: web.Request) -> bool:
        """Tell whether a browser only asks if a page of a known origin may send something."""
        return (
            request.method == hdrs.METH_OPTIONS
            and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
            and self._allows(request.headers.get(hdrs.ORIGIN, ""))
        )

    def headers(self, request: web.Request) -> dict[str, str]:
        """Return the headers that let the request's origin in; none for an unknown one."""
        origin = request.headers.get(hdrs.ORIGIN, "")
        if not self._allows(origin):
            return {}
        headers: dict[str, str] = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin, hdrs.VARY: hdrs.ORIGIN}
        if self.credentials:
            headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        # Repeated rather than "*", which browsers refuse beside credentials.
        for asked, allowed in (
            (hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_ALLOW_METHODS),
            (hdrs.ACCESS_CONTROL_REQUEST_HEADERS, hdrs.ACCESS_CONTROL_ALLOW_HEADERS),
        ):
            if asked in request.headers:
                headers[allowed] = request.headers[asked]
        return headers

    def _allows(self, origin: str) -> bool:
        return bool(origin) and ("*" in self.origins or origin in self.origins)
