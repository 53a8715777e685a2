"""The channel's signing keys: fetched rarely, found at once, kept through an outage."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.channel.http import HttpPool
from shared.channel.keys import FETCH_PAUSE_S, KEPT_FOR_S, REFRESH_AFTER_S, SigningKeys
from shared.errors import KeysUnavailable, NotAuthenticated
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

    with pytest.raises(KeysUnavailable):
        await keys.get(issuer.key_id)


async def test_a_cold_worker_without_keys_says_so(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """A worker that never saw the keys tells nobody that their token is wrong."""
    issuer.down = True
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await keys.get(issuer.key_id)

    assert issuer.fetches == 1


async def test_a_cold_worker_recovers(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """Once the endpoint is back, so are the keys, at the latest after the pause."""
    issuer.down = True
    with pytest.raises(KeysUnavailable):
        await keys.get(issuer.key_id)
    issuer.down = False
    clock.now_s += FETCH_PAUSE_S

    assert (await keys.get(issuer.key_id)).public_key is not None


async def test_an_endpoint_that_is_gone_is_an_outage(clock: Clock) -> None:
    """Where nobody listens, the error names the address."""
    http = HttpPool()
    with pytest.raises(KeysUnavailable) as caught:
        await SigningKeys("http://127.0.0.1:9/openid", http, clock).get("key")
    await http.close()

    assert "http://127.0.0.1:9/openid" in str(caught.value)


async def test_a_slow_endpoint_is_an_outage(issuer: IdentityProvider, clock: Clock) -> None:
    """No request waits for keys longer than the time-out."""
    http = HttpPool(timeout_s=0.05)
    issuer.open.clear()
    with pytest.raises(KeysUnavailable):
        await SigningKeys(issuer.metadata_url, http, clock).get(issuer.key_id)
    await http.close()


async def test_a_redirect_is_not_followed(
    keys: SigningKeys, issuer: IdentityProvider, clock: Clock
) -> None:
    """The keys come from the address in the settings, and from nowhere that it points to."""
    issuer.moved = True

    with pytest.raises(KeysUnavailable):
        await keys.get(issuer.key_id)
