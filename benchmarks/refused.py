"""
What a refused request costs in the handler: `python -m benchmarks.refused`.

Each large request is measured alternately with the same request with a small body, in one run.
The ratios count; the microseconds are those of this machine.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import azure.functions as func
import jwt
from botbuilder.core import Bot, TurnContext
from botframework.connector.auth import JwtTokenExtractor
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.destinations import Destinations
from shared.channel.endpoint import MessagesEndpoint
from shared.channel.http_pool import HttpPool
from shared.channel.signing_keys import SigningKey
from shared.settings import ChannelOverrides

APP_ID = "11111111-1111-1111-1111-111111111111"
SERVICE_URL = "https://smba.trafficmanager.net/emea/"
LARGE_BYTES = 256 * 1024
MOST = 3.0
"""A large request may cost this many times as much as a small one."""

SMALL: dict[str, Any] = {
    "type": "message",
    "channelId": "msteams",
    "serviceUrl": SERVICE_URL,
    "from": {"id": "user"},
    "text": "hello",
}
"""Refused because it names no conversation, unless its token is refused first."""


@dataclass(frozen=True)
class Row:
    """A kind of request, with a small and with a large body."""

    title: str
    authorization: str
    large: bytes


class _Silent(Bot):
    async def on_turn(self, context: TurnContext) -> None:
        """Say nothing: no request comes this far."""


class _OneKey:
    def __init__(self) -> None:
        self.private = generate_private_key(65537, 2048)
        self._key = SigningKey(self.private.public_key(), [])

    async def get(self, _: str | None) -> SigningKey:
        return self._key

    def sign(self, **changes: Any) -> str:
        now_s = int(time.time())
        claims = {
            "iss": "https://api.botframework.com",
            "aud": APP_ID,
            "serviceurl": SERVICE_URL,
            "nbf": now_s - 60,
            "exp": now_s + 3600,
            **changes,
        }
        return "Bearer " + jwt.encode(claims, self.private, "RS256", {"kid": "key"})


def rows(keys: _OneKey) -> list[Row]:
    """Return what is measured."""
    members = _filled(b'{"type":"message","membersRemoved":[', b"{},", b"{}]}")
    nested = _filled(b'{"type":"message","value":[', b"[],", b"[]]}")
    text = _filled(b'{"type":"message","text":"', b"y ", b'"}')
    same_key = _filled(b"{", b'"a":{"b":1},', b'"a":1}')
    genuine, forged = keys.sign(), _OneKey().sign()
    return [
        Row("no token, 87,000 members", "", members),
        Row("no token in the header, 87,000 members", "Bearer x", members),
        Row("forged token, 87,000 members", forged, members),
        Row("expired token, 87,000 members", keys.sign(exp=1), members),
        Row("another bot's token, 87,000 members", keys.sign(aud="another"), members),
        Row("genuine token, 87,000 members", genuine, members),
        Row("genuine token, 87,000 lists in `value`", genuine, nested),
        Row("genuine token, the same key 20,000 times", genuine, same_key),
        Row("genuine token, one text, no conversation", genuine, text),
        Row("genuine token, 262,144 brackets", genuine, b"[" * LARGE_BYTES),
    ]


def _filled(start: bytes, part: bytes, end: bytes) -> bytes:
    return start + part * ((LARGE_BYTES - len(start) - len(end)) // len(part)) + end


async def measure(rounds: int = 15, requests: int = 20) -> list[tuple[str, float, float]]:
    """Return for each row its title, and the seconds of CPU for the small and the large one."""
    keys, http = _OneKey(), HttpPool()
    overrides = ChannelOverrides()
    cloud = cloud_of(overrides)
    connectors = ConnectorPool(APP_ID, cloud.oauth_scope, None, http)
    endpoint = MessagesEndpoint(
        ChannelAuthentication(APP_ID, cloud, overrides, connectors, http),
        Destinations(frozenset(), development=False),
        _Silent(),
    )
    for url in (cloud.channel_metadata_url, cloud.emulator_metadata_url):
        JwtTokenExtractor.metadataCache[url] = keys

    async def cost_s(authorization: str, body: bytes) -> float:
        headers = {"Content-Type": "application/json", "Authorization": authorization}
        began_s = time.process_time()
        for _ in range(requests):
            request = func.HttpRequest("POST", "http://bot/", headers=headers, body=body)
            response = await endpoint.handle(request)
            if response.status_code not in (400, 401):
                raise SystemExit(f"A request got {response.status_code} that must be refused.")
        return (time.process_time() - began_s) / requests

    small = json.dumps(SMALL).encode()
    measured = []
    for row in rows(keys):
        costs = [
            (await cost_s(row.authorization, small), await cost_s(row.authorization, row.large))
            for _ in range(rounds)
        ]
        smalls, larges = zip(*costs, strict=True)
        measured.append((row.title, median(smalls), median(larges)))
    await http.close()
    return measured


def main() -> int:
    """Print the table; 1 if a refused request costs more than it may."""
    measured = asyncio.run(measure())
    print(
        f"| refused in the handler, {LARGE_BYTES // 1024} KiB | small (µs) | large (µs) | ratio |"
    )
    print("| --- | ---: | ---: | ---: |")
    for title, small_s, large_s in measured:
        verdict = "✓" if large_s <= MOST * small_s else "**missed**"
        print(
            f"| {title} | {small_s * 1e6:.0f} | {large_s * 1e6:.0f} "
            f"| {large_s / small_s:.2f}, ≤ {MOST:g}: {verdict} |"
        )
    return int(any(large_s > MOST * small_s for _, small_s, large_s in measured))


if __name__ == "__main__":
    sys.exit(main())
