"""
Signs its users in with the SDK's UserTokenClient, and no dialog: card, code, exchange, sign-out.
"""

from typing import Any

from botbuilder.core import (
    ActivityHandler,
    Bot,
    CardFactory,
    ConversationState,
    InvokeResponse,
    MessageFactory,
    Storage,
    TurnContext,
)
from botbuilder.schema import (
    ActionTypes,
    CardAction,
    OAuthCard,
    TokenExchangeInvokeResponse,
)
from botframework.connector.auth import UserTokenClient
from botframework.connector.token_api.models import TokenExchangeRequest

CONNECTION = "graph"

STATE_TYPES: tuple[type, ...] = ()


class SignInBot(ActivityHandler):
    """Asks whoever writes to sign in, and takes what they write next for the code."""

    def __init__(self, state: ConversationState) -> None:
        self._state = state
        self._is_asked = state.create_property("asked")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        activity, client = turn_context.activity, self._client(turn_context)
        who = (activity.from_property.id, CONNECTION, activity.channel_id)
        if activity.text == "logout":
            await client.sign_out_user(*who)
            await turn_context.send_activity("You have been signed out.")
        elif activity.text == "status":
            statuses = await client.get_token_status(who[0], who[2], None)
            told = {status.connection_name: status.has_token for status in statuses}
            tokens = await client.get_aad_tokens(*who[:2], ["https://graph.example"], who[2])
            await turn_context.send_activity(f"{told}, {sorted(tokens)}")
        else:
            await self._sign_in(turn_context, client, who)

    async def _sign_in(
        self, turn_context: TurnContext, client: UserTokenClient, who: tuple[str, str, str]
    ) -> None:
        is_asked = await self._is_asked.get(turn_context, bool)
        code = turn_context.activity.text if is_asked else None
        response = await client.get_user_token(*who, code)
        await self._is_asked.set(turn_context, response is None)
        if response:
            await turn_context.send_activity(f"Your token is the {response.token}.")
            return
        resource = await client.get_sign_in_resource(CONNECTION, turn_context.activity, None)
        button = CardAction(
            title="Sign in", text="Sign in", type=ActionTypes.signin, value=resource.sign_in_link
        )
        card = OAuthCard(
            text="Please sign in.",
            connection_name=CONNECTION,
            buttons=[button],
            token_exchange_resource=resource.token_exchange_resource,
        )
        await turn_context.send_activity(MessageFactory.attachment(CardFactory.oauth_card(card)))

    async def on_token_response_event(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"Came: the {turn_context.activity.value['token']}.")

    async def on_sign_in_invoke(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity("Verified.")

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse | None:
        activity = turn_context.activity
        if activity.name != "signin/tokenExchange":
            return await super().on_invoke_activity(turn_context)
        exchanged = await self._client(turn_context).exchange_token(
            activity.from_property.id,
            CONNECTION,
            activity.channel_id,
            TokenExchangeRequest(token=activity.value["token"]),
        )
        token = getattr(exchanged, "token", None)
        await turn_context.send_activity("Exchanged." if token else "It cannot be exchanged.")
        body = TokenExchangeInvokeResponse(
            id=activity.value["id"],
            connection_name=CONNECTION,
            failure_detail=None if token else "Sign in, please.",
        )
        return InvokeResponse(status=200 if token else 412, body=body)

    def _client(self, turn_context: TurnContext) -> UserTokenClient:
        client = turn_context.turn_state[UserTokenClient.__name__]
        assert isinstance(client, UserTokenClient)
        return client


def _exchange(token: str) -> dict[str, Any]:
    value = {"id": "exchange-1", "connectionName": CONNECTION, "token": token}
    return {"type": "invoke", "name": "signin/tokenExchange", "value": value}


SCRIPT = (
    "hello",
    "654321",
    "123456",
    "hello",
    "status",
    "logout",
    _exchange("a stranger's"),
    "hello",
    _exchange("a token of the client"),
    "hello",
    {"type": "invoke", "name": "signin/verifyState", "value": {"state": "123456"}},
    {"type": "event", "name": "tokens/response", "value": {"token": "token of an event"}},
    "logout",
    "hello",
)
"""What a user sends, one after the other."""

PHRASES = SCRIPT
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps whom it has asked in `storage`."""
    return SignInBot(ConversationState(storage))
