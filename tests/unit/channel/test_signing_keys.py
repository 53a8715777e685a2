"""The channel's signing keys: fetched rarely, found at once, kept through an outage."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from shared.channel.http_pool import HttpPool
from shared.channel.signing_keys import FETCH_PAUSE_S, KEPT_FOR_S, REFRESH_AFTER_S, SigningKeys
from shared.errors import NotAuthenticated, SigningKeysUnavailable
from tests.identity_provider import IdentityProvider


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider().serve() as provider:
        yield provider


@pytest.fixture
async def keys(issuer: IdentityProvider, clock: Clock) -> AsyncIterator[SigningKeys]:
    http = HttpPool()
    yield SigningKeys(issuer.metadata_url, http, clock)
    await http.close()


async def test_keys_are_fetched_once(keys: SigningKeys, issuer: IdentityProvider) -> None:
    """All requests of a worker share one fetch, those in flight too."""
    await asyncio.gather(*(keys.get(issuer.key_id) for _ in range(50)))
    await keys.get(issuer.key_id)

    assert issuer.fetches == 1


async def test_a_key_comes_with_its_endorsements(
    keys: SigningKeys, issuer: IdentityProvider
) -> None:
    """The SDK learns which channels may use the key."""
    assert (await keys.get(issuer.key_id)).endorsements == ["msteams", "emulator"]


async def test_a_new_key_is_found_at_once(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """After a rotation the first token that is signed with the new key is accepted."""
    await keys.get(issuer.key_id)
    issuer.rotate()
    clock.now_s += FETCH_PAUSE_S

    assert (await keys.get(issuer.key_id)).public_key is not None
    assert issuer.fetches == 2


async def test_all_who_wait_for_a_new_key_get_it(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """The second request after a rotation joins the fetch of the first."""
    await keys.get(issuer.key_id)
    issuer.rotate()
    clock.now_s += FETCH_PAUSE_S

    first = asyncio.create_task(keys.get(issuer.key_id))
    # Until the fetch has begun.
    while clock.now_s != keys._tried_s:  # noqa: ASYNC110
        await asyncio.sleep(0)
    second = await keys.get(issuer.key_id)
    assert second == await first
    assert issuer.fetches == 2


async def test_junk_does_not_cause_fetches(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """However many unknown keys are asked for, there is one fetch in 10 seconds."""
    await keys.get(issuer.key_id)
    for second in range(25):
        clock.now_s = 100.0 + second
        for n in range(10):
            with pytest.raises(NotAuthenticated):
                await keys.get(f"junk-{n}")

    assert issuer.fetches == 1 + 3


@pytest.mark.parametrize("key_id", [None, ""])
async def test_a_token_names_its_key(
    keys: SigningKeys, issuer: IdentityProvider, key_id: str | None
) -> None:
    """Without a key id there is no key."""
    with pytest.raises(NotAuthenticated):
        await keys.get(key_id)


async def test_old_keys_are_refreshed_in_the_background(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """After a day the keys are fetched anew while requests go on with the old ones."""
    await keys.get(issuer.key_id)
    clock.now_s += REFRESH_AFTER_S + 1
    issuer.open.clear()
    await keys.get(issuer.key_id)
    issuer.open.set()
    for _ in range(100):
        if issuer.fetches == 2:
            break
        await asyncio.sleep(0.01)

    assert issuer.fetches == 2


async def test_an_outage_does_not_lose_the_keys(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """While the metadata endpoint is down, the old keys stay in force for five days."""
    await keys.get(issuer.key_id)
    issuer.down = True
    for _ in range(5):
        clock.now_s += KEPT_FOR_S / 5
        assert (await keys.get(issuer.key_id)).public_key is not None
        await asyncio.sleep(0.02)  # lets the refresh in the background fail
    clock.now_s += 1

    with pytest.raises(SigningKeysUnavailable):
        await keys.get(issuer.key_id)


async def test_a_cold_worker_without_keys_says_so(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """A worker that never saw the keys tells nobody that their token is wrong."""
    issuer.down = True
    for _ in range(3):
        with pytest.raises(SigningKeysUnavailable):
            await keys.get(issuer.key_id)

    assert issuer.fetches == 1


async def test_a_cold_worker_recovers(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """Once the endpoint is back, so are the keys, at the latest after the pause."""
    issuer.down = True
    with pytest.raises(SigningKeysUnavailable):
        await keys.get(issuer.key_id)
    issuer.down = False
    clock.now_s += FETCH_PAUSE_S

    assert (await keys.get(issuer.key_id)).public_key is not None


async def test_an_endpoint_that_is_gone_is_an_outage(clock: Clock) -> None:
    """Where nobody listens, the error names the address."""
    http = HttpPool()
    with pytest.raises(SigningKeysUnavailable) as caught:
        await SigningKeys("http://127.0.0.1:9/openid", http, clock).get("key")
    await http.close()

    assert "http://127.0.0.1:9/openid" in str(caught.value)


async def test_a_slow_endpoint_is_an_outage(issuer: IdentityProvider, clock: Clock) -> None:
    """No request waits for keys longer than the time-out."""
    http = HttpPool(timeout_s=0.05)
    issuer.open.clear()
    with pytest.raises(SigningKeysUnavailable):
        await SigningKeys(issuer.metadata_url, http, clock).get(issuer.key_id)
    await http.close()


async def test_a_redirect_is_not_followed(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """The keys come from the address in the settings, and from nowhere that it points to."""
    issuer.moved = True

    with pytest.raises(SigningKeysUnavailable):
        await keys.get(issuer.key_id)


GARBAGE = (
    b"",
    b"null",
    b"5",
    b'"keys"',
    b"[]",
    b"{}",
    b"{",
    b"\xff\xfe",
    b"[" * 900_000,
    b'{"keys":' + b"[" * 900_000,
    b"9" * 100_000,
    b"1e999",
    b'{"keys": 5}',
    b'{"keys": null}',
    b'{"keys": true}',
    b'{"keys": "keys"}',
    b'{"keys": {"kid": "key"}}',
    b'{"keys": [5, null, "key", [], {}, [[]]]}',
    b'{"jwks_uri": 5}',
    b'{"jwks_uri": null}',
    b'{"jwks_uri": ["http://127.0.0.1:9"]}',
    b'{"jwks_uri": ""}',
    b'{"jwks_uri": "keys"}',
    b'{"jwks_uri": "file:///etc/passwd"}',
    b'{"jwks_uri": "http://"}',
    b'{"jwks_uri": "http://[::1"}',
    b'{"jwks_uri": "http://127.0.0.1:99999999/"}',
    b'{"jwks_uri": "http://127.0.0.1:9/"}',
    b'{"jwks_uri": "http://a\\u0000b/"}',
    b'{"jwks_uri": "http://' + b"x" * 100_000 + b'/"}',
)


@pytest.mark.parametrize("document", GARBAGE, ids=lambda document: repr(document[:40]))
@pytest.mark.parametrize("where", ["metadata", "key_set"])
async def test_garbage_is_an_outage(
    keys: SigningKeys, issuer: IdentityProvider, where: str, document: bytes
) -> None:
    """Whatever the endpoint answers in place of its documents, nobody is called a liar for it."""
    setattr(issuer, where, document)

    with pytest.raises(SigningKeysUnavailable):
        await keys.get(issuer.key_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": None},
        {"kid": 5},
        {"kty": "EC"},
        {"kty": 5},
        {"n": None},
        {"n": 5},
        {"n": ""},
        {"n": "!"},
        {"n": "\u0661"},
        {"n": ["AQAB"]},
        {"n": "A" * 500_000},
        {"n": "_" * 500_000},
        {"n": 10**4000},
        {"e": None},
        {"e": 5},
        {"e": ""},
        {"e": "AA"},
        {"e": "AQ"},
        {"e": "Ag"},
        {"e": "_" * 500_000},
        {"endorsements": 0},
        {"endorsements": False},
        {"endorsements": "msteams"},
        {"endorsements": {}},
        {"endorsements": [5]},
        {"endorsements": [["msteams"]]},
        {"endorsements": [None]},
    ],
    ids=lambda changes: repr(changes)[:40],
)
async def test_a_key_that_is_none_is_left_out(
    keys: SigningKeys, issuer: IdentityProvider, changes: dict[str, Any]
) -> None:
    """A key with a field of the wrong type is not used; without endorsements it speaks for all."""
    (key,) = issuer.published_keys()
    issuer.key_set = json.dumps({"keys": [{**key, **changes}]}).encode()

    with pytest.raises(SigningKeysUnavailable):
        await keys.get(issuer.key_id)


async def test_a_weak_key_is_left_out(keys: SigningKeys, issuer: IdentityProvider) -> None:
    """Whoever can break a small key would speak as the channel."""
    weak = generate_private_key(65537, 1024).public_key()
    numbers = json.loads(RSAAlgorithm.to_jwk(weak))
    (key,) = issuer.published_keys()
    issuer.key_set = json.dumps({"keys": [{**key, **numbers}]}).encode()

    with pytest.raises(SigningKeysUnavailable):
        await keys.get(issuer.key_id)


async def test_a_private_key_counts_as_its_public_half(
    keys: SigningKeys, issuer: IdentityProvider
) -> None:
    """A key set that gives away more than it should is still one to check signatures with."""
    (key,) = issuer.published_keys()
    issuer.key_set = json.dumps({"keys": [{**key, "d": "AQAB", "p": 5}]}).encode()

    assert (await keys.get(issuer.key_id)).public_key.key_size == 2048


async def test_garbage_does_not_lose_the_keys(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """What was read before stays in force while the endpoint answers with anything else."""
    await keys.get(issuer.key_id)
    issuer.key_set = b'{"keys": 5}'
    clock.now_s += FETCH_PAUSE_S
    with pytest.raises(SigningKeysUnavailable):
        await keys.get("unheard-of")

    assert (await keys.get(issuer.key_id)).public_key is not None


async def test_any_document_is_keys_or_an_outage(issuer: IdentityProvider, clock: Clock) -> None:
    """Whatever JSON the endpoint answers, there is a key or an outage, and no other error."""
    (key,) = issuer.published_keys()
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    values = st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*key, "keys"]), inner, max_size=4)
        ),
        max_leaves=8,
    )
    entries = st.dictionaries(st.sampled_from([*key]), values).map(lambda some: {**key, **some})
    documents: list[bytes] = []

    @settings(database=None, suppress_health_check=list(HealthCheck))
    @given(st.fixed_dictionaries({"keys": st.lists(entries | values, max_size=3)}) | values)
    def collect(document: object) -> None:
        documents.append(json.dumps(document).encode())

    collect()
    http = HttpPool()
    for document in documents:
        issuer.key_set = document
        try:
            await SigningKeys(issuer.metadata_url, http, clock).get(issuer.key_id)
        except (SigningKeysUnavailable, NotAuthenticated):
            continue
    await http.close()


async def test_a_secret_in_the_address_is_not_repeated(clock: Clock) -> None:
    """An error names the endpoint without its query."""
    http = HttpPool()
    with pytest.raises(SigningKeysUnavailable) as caught:
        await SigningKeys("http://127.0.0.1:9/openid?sig=marked", http, clock).get("key")
    await http.close()

    assert "marked" not in str(caught.value)
