"""An issuer of tokens on this machine: OpenID metadata, keys that rotate, outages."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from itertools import count
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt import PyJWS
from jwt.algorithms import RSAAlgorithm

APP_ID = "11111111-1111-1111-1111-111111111111"
"""The bot whose channel and identity it is."""

ISSUER = "https://api.botframework.com"
SERVICE_URL = "https://smba.trafficmanager.net/emea/"


def channel_claims(**changes: Any) -> dict[str, Any]:
    """Claims as the Bot Connector makes them; a change to None takes one away."""
    now_s = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": APP_ID,
        "serviceurl": SERVICE_URL,
        "nbf": now_s - 60,
        "exp": now_s + 3600,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


_KEYS = 4
_COUNT = count()


@cache
def _other_key(_number: int) -> RSAPrivateKey:
    # Making one takes a tenth of a second, which hundreds of tests need not spend: no test has
    # more than these at once.
    return generate_private_key(65537, 2048)


class IdentityProvider:
    """
    Signs tokens and publishes the keys to check them with; gives the bot's managed identity
    tokens of its own.

    `endorsements` are the channels that its keys may send for; `down` makes every request
    fail; `moved` answers with a redirect; `metadata` and `key_set` are answered in place of what
    is true, as they are; `open` is an event that requests wait for.
    """

    def __init__(self) -> None:
        self.url = ""
        self.fetches = 0
        self.tokens_given = 0
        self.down = False
        self.moved = False
        self.metadata: bytes | None = None
        self.key_set: bytes | None = None
        self.endorsements = ["msteams", "emulator"]
        self.open = asyncio.Event()
        self.open.set()
        self._keys: dict[str, RSAPrivateKey] = {}
        self.rotate()

    @property
    def metadata_url(self) -> str:
        return f"{self.url}/openid"

    @property
    def bot_settings(self) -> dict[str, str]:
        """The settings of a bot that is `APP_ID` and believes its channel's tokens."""
        return {
            "MicrosoftAppType": "UserAssignedMSI",
            "MicrosoftAppId": APP_ID,
            "MicrosoftAppTenantId": "22222222-2222-2222-2222-222222222222",
            "ToBotFromChannelOpenIdMetadataUrl": self.metadata_url,
            "ToBotFromEmulatorOpenIdMetadataUrl": self.metadata_url,
        }

    @property
    def identity_settings(self) -> dict[str, str]:
        """How Azure's host tells a worker where its managed identity gets tokens."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/identity", "IDENTITY_HEADER": "secret"}

    def rotate(self) -> None:
        """From now on sign with a new key, and publish only that."""
        self.key_id = f"key-{time.monotonic_ns()}"
        self._keys = {self.key_id: _other_key(next(_COUNT) % _KEYS)}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        """Return a token with these claims."""
        # Not jwt.encode, which refuses claims that no honest issuer would make.
        return PyJWS().encode(
            json.dumps(claims).encode(),
            self._keys[self.key_id],
            "RS256",
            {"typ": "JWT", "kid": self.key_id, **headers},
        )

    async def _metadata(self, request: web.Request) -> web.Response:
        self.fetches += 1
        await self.open.wait()
        if self.down:
            return web.Response(status=503)
        if self.moved:
            raise web.HTTPFound(f"{self.url}/moved")
        return await self._where_the_keys_are(request)

    async def _where_the_keys_are(self, _: web.Request) -> web.Response:
        if self.metadata is not None:
            return web.Response(body=self.metadata, content_type="application/json")
        return web.json_response({"jwks_uri": f"{self.url}/keys"})

    async def _identity(self, request: web.Request) -> web.Response:
        self.tokens_given += 1
        token = {
            "access_token": f"token-{self.tokens_given}",
            "expires_on": str(int(time.time()) + 3600),
            "resource": request.query["resource"],
            "token_type": "Bearer",
        }
        return web.json_response(token)

    async def _key_set(self, _: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        if self.key_set is not None:
            return web.Response(body=self.key_set, content_type="application/json")
        # A kind of key that nobody knows yet must not cost the others.
        return web.json_response({"keys": [{"kty": "new", "kid": "new"}, *self.published_keys()]})

    def published_keys(self) -> list[dict[str, Any]]:
        """Return the keys that its tokens are checked with, as it publishes them."""
        return [
            {
                **json.loads(RSAAlgorithm.to_jwk(key.public_key())),
                "kid": key_id,
                "endorsements": self.endorsements,
            }
            for key_id, key in self._keys.items()
        ]

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["IdentityProvider"]:
        """Answer requests on a free port of this machine."""
        app = web.Application()
        app.router.add_get("/openid", self._metadata)
        app.router.add_get("/moved", self._where_the_keys_are)
        app.router.add_get("/keys", self._key_set)
        app.router.add_get("/identity", self._identity)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            self.open.set()
            await runner.cleanup()
