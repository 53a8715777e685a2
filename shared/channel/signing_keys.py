"""
The keys that the Bot Connector signs its tokens with.

In place of the SDK's own cache, which blocks the event loop while it fetches, without a
time-out; meets a key that it does not know with an IndexError, and does not look for it again
for up to a day; and forgets all keys when it cannot fetch.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from shared.channel.http_pool import HttpPool, read_object
from shared.channel.single_flight import SingleFlight
from shared.errors import NotAuthenticated, SigningKeysUnavailable

REFRESH_AFTER_S = 24 * 3600
"""Microsoft asks bots to refresh the keys daily (Bot Connector authentication, step 3)."""

KEPT_FOR_S = 5 * 24 * 3600
"""While the metadata endpoint is down. Keys are announced 5 days before they are used (same)."""

FETCH_PAUSE_S = 10
"""Between two fetches: a token is free to make up, a fetch is not."""

MAX_DOCUMENT_BYTES = 1024 * 1024
"""Microsoft's key set has about 100 KB."""

MAX_KEYS = 200
"""Microsoft's key sets have a dozen; each that is read takes 50 µs of the event loop."""

MIN_KEY_BITS = 2048
"""RFC 7518, section 3.3: a smaller key must not sign with RS256."""

MAX_KEY_BITS = 16384
"""OpenSSL checks no signature of a larger one; Microsoft's have 2048."""


@dataclass(frozen=True)
class SigningKey:
    """One key, in the form in which the SDK's token validation wants it."""

    public_key: Any
    endorsements: list[str]
    """The channels that may send with it; empty: all."""


class SigningKeys:
    """The keys behind one OpenID metadata document, shared by all requests of the worker."""

    def __init__(
        self, metadata_url: str, http: HttpPool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metadata_url = metadata_url
        self._http = http
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_s = -float("inf")
        self._tried_s = -float("inf")
        self._fetch = SingleFlight(self._fetch_keys, "No keys to check tokens with")

    async def get(self, key_id: str | None) -> SigningKey:
        """
        Return a key; the SDK calls this with what a token says of itself.

        Raises:
            NotAuthenticated: there is no such key.
            SigningKeysUnavailable: it is not known which keys there are.
        """
        age_s = self._clock() - self._fetched_s
        if age_s > KEPT_FOR_S:
            await self._refresh()
        elif age_s > REFRESH_AFTER_S and self._may_fetch():
            self._fetch.start()
        if key_id not in self._keys and (self._may_fetch() or self._fetch.is_under_way):
            await self._refresh()
        key = self._keys.get(key_id) if key_id else None
        if key is None:
            raise NotAuthenticated("The token is signed with a key that the issuer does not have.")
        return key

    def _may_fetch(self) -> bool:
        return self._clock() - self._tried_s >= FETCH_PAUSE_S

    async def _refresh(self) -> None:
        if not self._may_fetch() and not self._fetch.is_under_way:
            raise SigningKeysUnavailable(
                f"{_shown(self._metadata_url)} did not answer a moment ago; "
                "no token can be checked."
            )
        await self._fetch.join()

    async def _fetch_keys(self) -> None:
        self._tried_s = self._clock()
        metadata = await self._get_object(self._metadata_url)
        jwks_uri = metadata.get("jwks_uri")
        key_set = await self._get_object(jwks_uri) if isinstance(jwks_uri, str) else {}
        keys = dict(_readable_keys(key_set.get("keys")))
        if not keys:
            raise SigningKeysUnavailable(f"{_shown(self._metadata_url)} does not lead to any keys.")
        self._keys = keys
        self._fetched_s = self._clock()

    async def _get_object(self, url: str) -> dict[str, Any]:
        try:
            async with self._http.request("GET", url) as response:
                response.raise_for_status()
                return await read_object(response, MAX_DOCUMENT_BYTES)
        # What the endpoint sends may be anything: a body that cannot be read, a nesting that no
        # parser follows, an address that is none.
        except (aiohttp.ClientError, OSError, RecursionError, ValueError) as error:
            raise SigningKeysUnavailable(
                f"{_shown(url)} cannot be read: {type(error).__name__}."
            ) from error


class _Jwk(msgspec.Struct):
    """The parts of a published RSA key that count."""

    kty: str
    kid: str
    n: str
    e: str
    endorsements: list[str] | None = None


def _readable_keys(entries: Any) -> Iterator[tuple[str, SigningKey]]:
    """Leave out what is no RSA key: one key of a new kind must not cost us the others."""
    for entry in entries[:MAX_KEYS] if isinstance(entries, list) else ():
        try:
            jwk = msgspec.convert(entry, _Jwk)
            fields = {"kty": jwk.kty, "n": jwk.n, "e": jwk.e}
            key = RSAAlgorithm.from_jwk(json.dumps(fields))
        except (jwt.PyJWTError, OverflowError, UnsupportedAlgorithm, ValueError):
            continue
        if isinstance(key, RSAPublicKey) and MIN_KEY_BITS <= key.key_size <= MAX_KEY_BITS:
            yield jwk.kid, SigningKey(key, jwk.endorsements or [])


def _shown(url: str) -> str:
    """Return the part of a URL that may be printed: no query, which may hold a secret."""
    return url.partition("?")[0][:200]
