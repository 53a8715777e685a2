"""
Who gets in: a row for each way in which a token can be wrong.

The tokens come from an issuer on this machine, through the SDK's own override settings and,
for Azure's clouds, by standing in at the addresses that the SDK has built in.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from botbuilder.schema import Activity, ChannelAccount
from botframework.connector.auth import BotFrameworkAuthentication, JwtTokenExtractor
from hypothesis import given
from hypothesis import strategies as st
from jwt import PyJWS

from shared.channel.authentication import MAX_HEADER_CHARACTERS, ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.channel.signing_keys import SigningKeys
from shared.errors import NotAuthenticated, NotPermitted, SigningKeysUnavailable
from shared.settings import GOVERNMENT_CHANNEL_SERVICE, ChannelOverrides
from tests.identity_provider import (
    APP_ID,
    ISSUER,
    SERVICE_URL,
    IdentityProvider,
    channel_claims,
)

OTHER_APP_ID = "99999999-9999-9999-9999-999999999999"
GOVERNMENT_ISSUER = "https://api.botframework.us"
EMULATOR_ISSUER = "https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0"
HOUR_S = 3600


def emulator_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a token that the bot's own app got for itself, as the Emulator does."""
    return channel_claims(
        **{"iss": EMULATOR_ISSUER, "ver": "2.0", "azp": APP_ID, "serviceurl": None, **changes}
    )


def activity(**changes: Any) -> Activity:
    fields = {"type": "message", "channel_id": "msteams", "service_url": SERVICE_URL}
    return Activity(recipient=ChannelAccount(id="bot"), **{**fields, **changes})


@pytest.fixture
async def issuer() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider().serve() as provider:
        yield provider


@pytest.fixture
async def http() -> AsyncIterator[HttpPool]:
    http = HttpPool()
    yield http
    await http.close()


def authentication(
    issuer: IdentityProvider, http: HttpPool, where: str, app_id: str = APP_ID
) -> ChannelAuthentication:
    overrides = {
        "overridden": ChannelOverrides(
            channel_open_id_metadata_url=issuer.metadata_url,
            emulator_open_id_metadata_url=issuer.metadata_url,
        ),
        "public": ChannelOverrides(),
        "government": ChannelOverrides(channel_service=GOVERNMENT_CHANNEL_SERVICE),
    }[where]
    cloud = cloud_of(overrides)
    connectors = ConnectorPool(app_id, cloud.oauth_scope, None, http)
    built = ChannelAuthentication(app_id, cloud, overrides, connectors, http)
    keys = SigningKeys(issuer.metadata_url, http)
    JwtTokenExtractor.metadataCache[cloud.channel_metadata_url] = keys
    JwtTokenExtractor.metadataCache[cloud.emulator_metadata_url] = keys
    return built


@pytest.fixture(params=["overridden", "public"])
def door(
    request: pytest.FixtureRequest, issuer: IdentityProvider, http: HttpPool
) -> ChannelAuthentication:
    return authentication(issuer, http, request.param)


async def test_the_channel_gets_in(door: ChannelAuthentication, issuer: IdentityProvider) -> None:
    """A token of the Bot Connector for this bot and service URL is accepted."""
    result = await door.authenticate_request(activity(), f"Bearer {issuer.sign(channel_claims())}")

    assert result.claims_identity.is_authenticated
    assert result.claims_identity.get_claim_value("aud") == APP_ID


async def test_the_emulator_gets_in(door: ChannelAuthentication, issuer: IdentityProvider) -> None:
    """A developer who has the bot's own credentials may speak to it."""
    token = issuer.sign(emulator_claims())
    result = await door.authenticate_request(activity(channel_id="emulator"), f"Bearer {token}")

    assert result.claims_identity.is_authenticated


async def test_azure_government_gets_in(issuer: IdentityProvider, http: HttpPool) -> None:
    """With ChannelService set, tokens of Azure Government's issuer are accepted, others not."""
    door = authentication(issuer, http, "government")
    own = issuer.sign(channel_claims(iss=GOVERNMENT_ISSUER))
    public = issuer.sign(channel_claims())

    assert (await door.authenticate_request(activity(), f"Bearer {own}")).claims_identity
    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {public}")


@pytest.mark.parametrize(
    ("where", "channel", "caller_id"),
    [
        ("public", ISSUER, "urn:botframework:azure"),
        ("government", GOVERNMENT_ISSUER, "urn:botframework:azureusgov"),
    ],
)
async def test_the_cloud_is_the_callers_id(
    issuer: IdentityProvider, http: HttpPool, where: str, channel: str, caller_id: str
) -> None:
    """As with the stock SDK a bot finds in its activity which of Azure's clouds has called it."""
    door = authentication(issuer, http, where)
    token = issuer.sign(channel_claims(iss=channel))
    result = await door.authenticate_request(activity(), f"Bearer {token}")

    assert caller_id == result.caller_id


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer \udcff", "Bearer é.é.é", "x"],
)
async def test_without_a_token_nobody_gets_in(door: ChannelAuthentication, header: str) -> None:
    """No header, an empty one and one that holds no token are refused alike."""
    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), header)


@pytest.mark.parametrize("scheme", ["Basic", "bearer", "Negotiate", "Bearer "])
async def test_the_scheme_is_bearer(
    door: ChannelAuthentication, issuer: IdentityProvider, scheme: str
) -> None:
    """A good token under another scheme is none."""
    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"{scheme} {issuer.sign(channel_claims())}")


async def test_unsigned_tokens_do_not_count(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """alg: none is no signature."""
    token = jwt.encode(channel_claims(), "", "none", {"kid": issuer.key_id})

    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {token}")


@pytest.mark.parametrize("algorithm", ["HS256", "RS384", "RS512", "PS256"])
async def test_only_rs256_counts(
    door: ChannelAuthentication, issuer: IdentityProvider, algorithm: str
) -> None:
    """Any other algorithm is refused, signed with the right key or with the public one."""
    key = "public" * 10 if algorithm == "HS256" else issuer._keys[issuer.key_id]
    token = jwt.encode(channel_claims(), key, algorithm, {"kid": issuer.key_id})

    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {token}")


@pytest.mark.parametrize(
    "claims",
    [
        channel_claims(exp=int(time.time()) - HOUR_S),
        channel_claims(nbf=int(time.time()) + HOUR_S),
        channel_claims(exp="soon"),
        channel_claims(exp=None),
        channel_claims(exp=str(int(time.time()) + HOUR_S)),
        channel_claims(exp=True),
        channel_claims(exp=[int(time.time()) + HOUR_S]),
        channel_claims(exp=float("nan")),
        channel_claims(exp=float("inf")),
        channel_claims(exp=-(10**400)),
        channel_claims(nbf="now"),
        channel_claims(nbf="0"),
        channel_claims(nbf=False),
        channel_claims(nbf=float("inf")),
        channel_claims(nbf=10**400),
        channel_claims(iat=int(time.time()) + HOUR_S),
        channel_claims(iat="0"),
        channel_claims(iat={}),
        channel_claims(serviceurl=5),
        channel_claims(serviceurl=[SERVICE_URL]),
        channel_claims(aud=OTHER_APP_ID),
        channel_claims(aud=None),
        channel_claims(aud=[APP_ID, OTHER_APP_ID]),
        channel_claims(iss="https://evil.example"),
        channel_claims(iss=None),
        channel_claims(iss=[ISSUER]),
        channel_claims(serviceurl=None),
        emulator_claims(azp=OTHER_APP_ID, aud=OTHER_APP_ID),
        emulator_claims(azp=None),
        emulator_claims(ver=None),
        emulator_claims(ver="3.0"),
        emulator_claims(exp=None),
        # A user's token for the bot, which any app may get that the user signs in to.
        emulator_claims(scp="access_as_user"),
        emulator_claims(scp=""),
        emulator_claims(scp=["access_as_user"]),
        emulator_claims(idtyp="user"),
        # What the bot itself sends to the channel with each reply.
        emulator_claims(aud=ISSUER),
        emulator_claims(aud=None),
        emulator_claims(exp=int(time.time()) - HOUR_S),
    ],
    ids=lambda claims: ",".join(f"{key}={value}" for key, value in claims.items())[:60],
)
async def test_a_token_is_for_this_bot_from_its_channel_and_of_now(
    door: ChannelAuthentication, issuer: IdentityProvider, claims: dict[str, Any]
) -> None:
    """Signed with a good key, but expired, early, or by or for somebody else: refused."""
    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {issuer.sign(claims)}")


@pytest.mark.parametrize(
    "claims",
    [
        {},
        channel_claims(iss="https://evil.example"),
        channel_claims(iss=None),
        channel_claims(aud=OTHER_APP_ID),
        channel_claims(exp=None),
        channel_claims(serviceurl=None),
        emulator_claims(scp="access_as_user"),
    ],
    ids=lambda claims: ",".join(f"{key}={value}" for key, value in claims.items())[:60],
)
async def test_no_key_is_fetched_for_what_cannot_be_genuine(
    door: ChannelAuthentication, issuer: IdentityProvider, claims: dict[str, Any]
) -> None:
    """A token that says of itself that it is for another bot or by nobody costs no connection."""
    with pytest.raises(NotAuthenticated):
        await door.authenticate(f"Bearer {issuer.sign(claims)}")

    assert issuer.fetches == 0


@pytest.mark.parametrize("scheme", ["Basic", "bearer"])
async def test_no_key_is_fetched_for_another_scheme(
    door: ChannelAuthentication, issuer: IdentityProvider, scheme: str
) -> None:
    """Whatever comes with it, even a good token."""
    with pytest.raises(NotAuthenticated):
        await door.authenticate(f"{scheme} {issuer.sign(channel_claims())}")

    assert issuer.fetches == 0


async def test_a_token_has_a_largest_size(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """A longer one is refused unread, though it may be genuine."""
    spare = MAX_HEADER_CHARACTERS - len(f"Bearer {issuer.sign(channel_claims(x=''))}")
    # Base 64 makes four characters of three.
    fitting = f"Bearer {issuer.sign(channel_claims(x='x' * (spare * 3 // 4)))}"
    await door.authenticate(fitting)

    with pytest.raises(NotAuthenticated, match="no bearer token"):
        await door.authenticate(f"Bearer {issuer.sign(channel_claims(x='x' * spare))}")


async def test_a_made_up_key_is_looked_for_once(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """What is left to a forger who knows the bot's id: one look at the keys in ten seconds."""
    for n in range(20):
        with pytest.raises(NotAuthenticated):
            await door.authenticate(f"Bearer {issuer.sign(channel_claims(), kid=f'made-up-{n}')}")

    assert issuer.fetches == 1


async def test_who_speaks_is_known_without_the_activity(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """The token is checked before anything of the activity is, and then held against it."""
    header = f"Bearer {issuer.sign(channel_claims())}"
    caller = await door.authenticate(header)
    await door.permit(caller, header, "msteams", SERVICE_URL)

    assert caller.claims_identity.is_authenticated
    with pytest.raises(NotPermitted):
        await door.permit(caller, header, "msteams", "https://smba.trafficmanager.net/amer/")
    with pytest.raises(NotPermitted):
        await door.permit(caller, header, "facebook", SERVICE_URL)


@pytest.mark.parametrize("where", ["overridden", "public", "government"])
async def test_two_steps_let_in_whom_the_sdk_lets_in(
    issuer: IdentityProvider, http: HttpPool, where: str
) -> None:
    """Split in two, the SDK's validation accepts the same tokens for the same activities."""
    door = authentication(issuer, http, where)
    channel = GOVERNMENT_ISSUER if where == "government" else ISSUER
    hour_ago_s = int(time.time()) - HOUR_S
    claims = (
        channel_claims(iss=channel),
        channel_claims(iss=channel, serviceurl="https://other.example"),
        channel_claims(iss=channel, aud=OTHER_APP_ID),
        channel_claims(iss=channel, exp=hour_ago_s),
        channel_claims(iss="https://evil.example"),
        emulator_claims(),
        emulator_claims(serviceurl="https://other.example"),
        emulator_claims(azp=OTHER_APP_ID, aud=OTHER_APP_ID),
        emulator_claims(exp=hour_ago_s),
    )
    activities = (
        activity(),
        activity(service_url="https://other.example"),
        activity(channel_id="emulator"),
        activity(channel_id="facebook"),
        activity(channel_id="facebook", service_url="https://other.example"),
    )
    for token in map(issuer.sign, claims):
        for sent in activities:
            header = f"Bearer {token}"

            async def lets_in(judge: BotFrameworkAuthentication) -> bool:
                try:
                    await judge.authenticate_request(sent, header)  # noqa: B023  (called at once)
                except Exception:
                    return False
                return True

            assert await lets_in(door._sdk) == await lets_in(door)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"5",
        b"null",
        b"[]",
        b"{",
        b"[" * 5_000,
        b'{"iss":' * 2_000,
        b"9" * 5_000,
        b"\xff",
        b"[" * 900_000,
    ],
    ids=lambda payload: repr(payload[:20]),
)
async def test_what_is_inside_a_token_may_be_anything(
    door: ChannelAuthentication, issuer: IdentityProvider, payload: bytes
) -> None:
    """A token whose claims are no claims is none, also one that is signed."""
    token = PyJWS().encode(payload, issuer._keys[issuer.key_id], "RS256", {"kid": issuer.key_id})
    unsigned = b".".join(map(base64.urlsafe_b64encode, (payload, payload, b"x"))).decode()

    for header in (f"Bearer {token}", f"Bearer {unsigned}"):
        with pytest.raises(NotAuthenticated):
            await door.authenticate(header)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "serviceurl", "ver", "azp", "appid"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
        min_size=1,
    )
)
def test_any_claims_get_an_answer(claims: dict[str, Any]) -> None:
    """Whatever a genuine issuer might write into a token, it is valid or it is refused."""

    async def ask() -> None:
        async with IdentityProvider().serve() as issuer:
            http = HttpPool()
            door = authentication(issuer, http, "overridden")
            try:
                await door.authenticate(f"Bearer {issuer.sign({**channel_claims(), **claims})}")
            except (NotAuthenticated, NotPermitted):
                pass
            finally:
                await http.close()

    asyncio.run(ask())


async def test_the_signature_is_checked(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """The right claims under another key's signature are refused, whichever key they name."""
    key_id = issuer.key_id
    await door.authenticate_request(activity(), f"Bearer {issuer.sign(channel_claims())}")
    issuer.rotate()

    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(
            activity(), f"Bearer {issuer.sign(channel_claims(), kid=key_id)}"
        )
    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(
            activity(), f"Bearer {issuer.sign(channel_claims(), kid='unheard-of')}"
        )


async def test_each_issuers_keys_are_for_its_own_tokens(
    issuer: IdentityProvider, http: HttpPool
) -> None:
    """A key of the Emulator's issuer signs nothing for the channel, and the other way round."""
    async with IdentityProvider().serve() as emulator:
        overrides = ChannelOverrides(
            channel_open_id_metadata_url=issuer.metadata_url,
            emulator_open_id_metadata_url=emulator.metadata_url,
        )
        cloud = cloud_of(overrides)
        connectors = ConnectorPool(APP_ID, cloud.oauth_scope, None, http)
        door = ChannelAuthentication(APP_ID, cloud, overrides, connectors, http)
        right = issuer.sign(channel_claims()), emulator.sign(emulator_claims())
        wrong = emulator.sign(channel_claims()), issuer.sign(emulator_claims())

        for token in right:
            result = await door.authenticate_request(activity(), f"Bearer {token}")
            assert result.claims_identity.is_authenticated
        for token in wrong:
            with pytest.raises(NotAuthenticated):
                await door.authenticate_request(activity(), f"Bearer {token}")


async def test_a_token_is_for_one_service_url(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """A genuine token cannot be used to have replies sent to another place."""
    token = issuer.sign(channel_claims())

    with pytest.raises(NotPermitted):
        await door.authenticate_request(
            activity(service_url="https://smba.trafficmanager.net/amer/"), f"Bearer {token}"
        )


async def test_an_expired_token_for_another_place_is_just_expired(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """Only a genuine token learns that it is for another service URL."""
    token = issuer.sign(channel_claims(exp=int(time.time()) - HOUR_S, serviceurl="https://x"))

    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {token}")


async def test_a_key_speaks_for_its_channels(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """A key that is endorsed for Teams cannot send as Facebook."""
    token = issuer.sign(channel_claims())

    with pytest.raises(NotPermitted):
        await door.authenticate_request(activity(channel_id="facebook"), f"Bearer {token}")


async def test_a_key_without_endorsements_speaks_for_all_channels(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """As Microsoft Entra ID's keys do, which sign the Emulator's tokens."""
    issuer.endorsements = []
    token = issuer.sign(channel_claims())
    result = await door.authenticate_request(activity(channel_id="facebook"), f"Bearer {token}")

    assert result.claims_identity.is_authenticated


async def test_replies_are_for_the_audience_of_the_cloud(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """The SDK asks for a connector with the audience that comes of the authentication."""
    token = issuer.sign(channel_claims())
    result = await door.authenticate_request(activity(), f"Bearer {token}")

    assert cloud_of(ChannelOverrides()).oauth_scope == result.audience


async def test_other_bots_do_not_get_in(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """A genuine token of another app, as a bot has that calls a skill, is not permitted."""
    token = issuer.sign(emulator_claims(azp=OTHER_APP_ID))

    with pytest.raises(NotPermitted):
        await door.authenticate_request(activity(), f"Bearer {token}")


async def test_without_keys_nobody_is_called_a_liar(
    door: ChannelAuthentication, issuer: IdentityProvider
) -> None:
    """A token that cannot be checked is neither accepted nor refused."""
    issuer.down = True

    with pytest.raises(SigningKeysUnavailable):
        await door.authenticate_request(activity(), f"Bearer {issuer.sign(channel_claims())}")


async def test_without_an_identity_nobody_needs_a_token(
    issuer: IdentityProvider, http: HttpPool
) -> None:
    """Where authentication is off, a request without a token is anonymous, and accepted."""
    door = authentication(issuer, http, "overridden", app_id="")
    result = await door.authenticate_request(activity(), "")

    assert result.claims_identity.is_authenticated
    assert {} == result.claims_identity.claims


async def test_without_an_identity_no_token_is_right(
    issuer: IdentityProvider, http: HttpPool
) -> None:
    """Where authentication is off, a token for some bot is not for this one."""
    door = authentication(issuer, http, "overridden", app_id="")

    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {issuer.sign(channel_claims())}")


async def test_tokens_do_not_reach_the_log(
    door: ChannelAuthentication, issuer: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused token is reported without the token and without what it claims."""
    token = issuer.sign(channel_claims(aud="marked-audience"))
    with pytest.raises(NotAuthenticated):
        await door.authenticate_request(activity(), f"Bearer {token}")

    assert "not authenticated" in caplog.text
    assert token not in caplog.text
    assert "marked-audience" not in caplog.text
