"""Who gets in, over HTTP and on every host: the door as the internet meets it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from types import MappingProxyType
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.channel.signing_keys import FETCH_PAUSE_S
from tests.end_to_end.instances import Instance, Instances
from tests.identity_provider import ISSUER, SERVICE_URL, IdentityProvider, channel_claims

OTHER_BOT = {
    "iss": "https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/",
    "ver": "1.0",
    "appid": "99999999-9999-9999-9999-999999999999",
}
"""What the claims of a bot that calls a skill are, beside those of the channel."""

ACTIVITY: dict[str, Any] = {
    "type": "message",
    "id": "1",
    "channelId": "msteams",
    "serviceUrl": SERVICE_URL,
    "conversation": {"id": "marked-conversation"},
    "from": {"id": "user", "name": "marked-name"},
    "recipient": {"id": "bot"},
    "deliveryMode": "expectReplies",
    "text": "marked-text",
}
UNSEEN = ("marked-name", "marked-text", "marked-token", "marked@example.com", "Traceback")
"""What must appear neither in an answer nor in the log."""


@dataclass
class Door:
    """A running bot that has an identity, and the issuer of the tokens that it takes."""

    issuer: IdentityProvider
    instance: Instance
    session: ClientSession

    def token(self, **changes: Any) -> str:
        claims = channel_claims(email="marked@example.com")
        return self.issuer.sign({**claims, **changes})

    async def answers(
        self,
        body: object = ACTIVITY,
        *,
        token: str = "",
        method: str = "POST",
        chunked: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> int:
        """Send a request; return the status, having seen that the answer tells nothing."""
        own = {"Content-Type": "application/json", **headers}
        if token:
            own["Authorization"] = f"Bearer {token}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.request(
            method,
            self.instance.url,
            # As a file: for large bytes aiohttp warns that it would hold up its event loop.
            data=BytesIO(content),
            chunked=chunked or None,
            headers=own,
        ) as response:
            text = (await response.read()).decode()
        if response.status != HTTPStatus.OK:
            assert len(text.splitlines()) <= 1
            assert not any(word in text for word in UNSEEN)
        return response.status


@pytest.fixture
async def door(instances: Instances) -> AsyncIterator[Door]:
    """A bot with an identity, in front of an issuer of this test's own."""
    async with IdentityProvider().serve() as issuer, ClientSession() as session:
        instance = instances.start(issuer.bot_settings)
        yield Door(issuer, instance, session)


async def test_each_kind_of_request_gets_its_status(door: Door) -> None:
    """Genuine requests are answered, and each other kind is refused with the status it deserves."""
    now_s = int(time.time())
    elsewhere = {**ACTIVITY, "serviceUrl": "https://evil.example/"}
    rows = {
        "genuine": (200, await door.answers(token=door.token())),
        "none": (401, await door.answers()),
        "malformed": (401, await door.answers(headers={"Authorization": "Bearer marked-token"})),
        "scheme": (401, await door.answers(headers={"Authorization": f"Basic {door.token()}"})),
        "expired": (401, await door.answers(token=door.token(exp=now_s - 3600))),
        "early": (401, await door.answers(token=door.token(nbf=now_s + 3600))),
        "audience": (401, await door.answers(token=door.token(aud="marked-token"))),
        "issuer": (401, await door.answers(token=door.token(iss="https://evil.example"))),
        "unsigned": (401, await door.answers(token=jwt.encode({"iss": ISSUER}, "", "none"))),
        "algorithm": (401, await door.answers(token=jwt.encode({}, "marked-token" * 4, "HS256"))),
        "no end": (401, await door.answers(token=door.token(exp=None))),
        "a user's": (401, await door.answers(token=door.token(iss=OTHER_BOT["iss"], scp="x"))),
        "no issuer": (401, await door.answers(token=door.token(iss=None))),
        "no audience": (401, await door.answers(token=door.token(aud=None))),
        "unknown key": (401, await door.answers(token=door.issuer.sign({"iss": ISSUER}, kid="x"))),
        "another bot": (403, await door.answers(token=door.token(**OTHER_BOT))),
        "service": (403, await door.answers(token=door.token(serviceurl="https://other.example"))),
        "endorsed": (403, await door.answers({**ACTIVITY, "channelId": "sms"}, token=door.token())),
        "destination": (
            403,
            await door.answers(elsewhere, token=door.token(serviceurl="https://evil.example/")),
        ),
        "empty": (400, await door.answers(b"", token=door.token())),
        "brace": (400, await door.answers(b"{", token=door.token())),
        "list": (400, await door.answers(b"[]", token=door.token())),
        "encoding": (400, await door.answers(b'{"type": "\xff"}', token=door.token())),
        "same key twice": (
            400,
            await door.answers(b'{"type": "message", "type": "event"}', token=door.token()),
        ),
        "wrong type": (
            400,
            await door.answers({**ACTIVITY, "text": {"a": 1}}, token=door.token()),
        ),
        "no conversation": (
            400,
            await door.answers({**ACTIVITY, "conversation": None}, token=door.token()),
        ),
        "bad time": (
            400,
            await door.answers({**ACTIVITY, "timestamp": "marked-text"}, token=door.token()),
        ),
        "nesting": (400, await door.answers(b"[" * 100_000, token=door.token())),
        "values": (400, await door.answers({"membersRemoved": [{}] * 87_000}, token=door.token())),
        "chunks": (411, await door.answers(token=door.token(), chunked=True)),
        "chunks without a token": (401, await door.answers(chunked=True)),
        "size": (413, await door.answers(b" " * (1024 * 1024 + 1), token=door.token())),
        "size without a token": (401, await door.answers(b" " * (1024 * 1024 + 1))),
        "brace without a token": (401, await door.answers(b"{")),
        "values without a token": (401, await door.answers({"membersRemoved": [{}] * 87_000})),
        "long text": (
            200,
            await door.answers(
                {**ACTIVITY, "id": "2", "text": "\u4f60" * 95_000}, token=door.token()
            ),
        ),
        "media type": (415, await door.answers(headers={"Content-Type": "text/plain"})),
        "compressed": (415, await door.answers(headers={"Content-Encoding": "gzip"})),
        "method": (405, await door.answers(b"", method="GET")),
    }

    assert {name: expected for name, (expected, _) in rows.items()} == {
        name: status for name, (_, status) in rows.items()
    }
    assert not [word for word in UNSEEN if word in door.instance.printed()]


async def test_a_new_key_is_accepted_at_once(door: Door) -> None:
    """The first token after a rotation of the issuer's keys is accepted."""
    before = await door.answers(token=door.token())
    door.issuer.rotate()
    # The bot fetches keys at most once in this time.
    await asyncio.sleep(FETCH_PAUSE_S)

    assert [200, 200] == [before, await door.answers(token=door.token())]


async def test_without_the_issuer_the_bot_asks_for_patience(door: Door) -> None:
    """A cold instance that cannot fetch the keys calls nobody a liar, and recovers by itself."""
    door.issuer.down = True

    assert 503 == await door.answers(token=door.token())


async def test_any_bytes_get_a_decent_answer(door: Door) -> None:
    """Whatever headers and bodies arrive, the answer is a success, a refusal or 503."""
    visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
    fields = st.dictionaries(
        st.sampled_from(sorted(ACTIVITY)),
        st.none() | st.integers() | st.text(max_size=20) | st.lists(st.booleans(), max_size=2),
    )
    bodies = st.binary(max_size=300) | fields.map(lambda f: json.dumps({**ACTIVITY, **f}).encode())
    examples: list[tuple[bytes, str]] = []

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
    @given(bodies, visible | visible.map(lambda token: f"Bearer {token}"))
    def collect(body: bytes, authorization: str) -> None:
        examples.append((body, authorization))

    collect()
    statuses = {
        await door.answers(body, headers={"Authorization": authorization})
        for body, authorization in examples
    }

    assert statuses <= {200, 400, 401, 403, 413, 415, 503}
    assert not [word for word in UNSEEN if word in door.instance.printed()]
