"""
Keeps things of all kinds in all kinds of state, and clears, deletes and shares them.

What bots do that no sample does: private state, several properties, Enums, a handler of their own,
cards that answer by `adaptiveCard/action`, attachments with the data in them, files beside the bot,
messages that users change and take back.
"""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from botbuilder.core import (
    ActivityHandler,
    Bot,
    BotStateSet,
    ConversationState,
    InvokeResponse,
    MessageFactory,
    PrivateConversationState,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    AdaptiveCardInvokeResponse,
    AdaptiveCardInvokeValue,
    Attachment,
    MessageReaction,
)

STATE_TYPES: tuple[type, ...] = ()

ABOUT = Path(__file__).read_text(encoding="utf-8").split("\n")[1]
"""A file is read where the bot is imported."""


class Colour(Enum):
    """What is counted."""

    RED = "red"
    BLUE = "blue"


class OwnHandler(TeamsActivityHandler):
    """What many bots have between the SDK's handler and their own: it loads and saves."""

    def __init__(self, states: BotStateSet) -> None:
        self._states = states

    async def on_turn(self, turn_context: TurnContext) -> None:
        await self._states.load_all(turn_context)
        await super().on_turn(turn_context)
        await self._states.save_all_changes(turn_context)


class ManyStatesBot(OwnHandler):
    """Says what it has kept."""

    def __init__(self, storage: Storage) -> None:
        self.conversation = ConversationState(storage)
        self.user = UserState(storage)
        self.private = PrivateConversationState(storage)
        super().__init__(BotStateSet([self.conversation, self.user, self.private]))
        self.colours = self.conversation.create_property("colours")
        self.asked = self.conversation.create_property("asked")
        self.last = self.conversation.create_property("last")
        self.visits = self.user.create_property("visits")
        self.prices = self.user.create_property("prices")
        self.secret = self.private.create_property("secret")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        activity = turn_context.activity
        text = (activity.text or "").strip()
        await self.visits.set(turn_context, (await self.visits.get(turn_context, int)) + 1)
        if activity.attachments:
            await self._take_picture(turn_context, activity.attachments[0])
        elif text in ("red", "blue"):
            colours: list[Colour] = await self.colours.get(turn_context, list)
            colours.append(Colour(text))
            told = [f"{one.name}: {colours.count(one)}" for one in Colour]
            await turn_context.send_activity(", ".join(told))
        elif text.startswith("price "):
            prices: list[Any] = await self.prices.get(turn_context, list)
            prices.append((Decimal(text[6:]), timedelta(days=len(prices))))
            await turn_context.send_activity(f"{sum(price for price, _ in prices)}, {prices[-1]}")
        elif text.startswith("secret "):
            await self.secret.set(turn_context, {"text": text[7:], "at": datetime.now(UTC)})
            await turn_context.send_activity("Kept.")
        elif text == "secret":
            secret = await self.secret.get(turn_context)
            kind = type(secret["at"]).__name__ if secret else "nothing"
            await turn_context.send_activity(f"{secret and secret['text']}, {kind}")
        else:
            await self._manage(turn_context, text)

    async def _manage(self, turn_context: TurnContext, text: str) -> None:
        if text == "forget me":
            await self.user.clear_state(turn_context)
            await self.user.save_changes(turn_context)
            await turn_context.send_activity("You are new here.")
        elif text == "forget all":
            await self.conversation.delete(turn_context)
            await turn_context.send_activity("All is forgotten.")
        elif text == "forget colours":
            # The SDK's accessor fails at what is not there.
            await self.colours.get(turn_context, list)
            await self.colours.delete(turn_context)
            await turn_context.send_activity("No colours.")
        elif text == "about":
            await turn_context.send_activity(ABOUT)
        elif text == "wait":
            pause = Activity(type="delay", value=20)
            typing = Activity(type=ActivityTypes.typing)
            await turn_context.send_activities([typing, pause, MessageFactory.text("There.")])
        elif text == "draft":
            first = await turn_context.send_activity("A draft.")
            sent = await turn_context.send_activity("Another one.")
            await turn_context.update_activity(
                Activity(id=sent.id, type=ActivityTypes.message, text="The text.")
            )
            await turn_context.delete_activity(first.id)
            await self.last.set(turn_context, sent.id)
        else:
            visits = await self.visits.get(turn_context)
            colours = await self.colours.get(turn_context)
            await turn_context.send_activity(f"Visit {visits}. {len(colours or {})} colours.")

    async def _take_picture(self, turn_context: TurnContext, picture: Attachment) -> None:
        data = picture.content_url.partition(",")[2]
        size = len(b64decode(data))
        back = Attachment(
            name="back.png",
            content_type="image/png",
            content_url=f"data:image/png;base64,{b64encode(b64decode(data)[::-1]).decode()}",
        )
        await self.asked.set(turn_context, picture)
        await turn_context.send_activity(MessageFactory.attachment(back, f"{size} bytes."))

    async def on_message_reaction_activity(self, turn_context: TurnContext) -> None:
        is_last = turn_context.activity.reply_to_id == await self.last.get(turn_context)
        await turn_context.send_activity(f"To my last one: {is_last}.")
        await super().on_message_reaction_activity(turn_context)

    async def on_reactions_added(
        self, message_reactions: list[MessageReaction], turn_context: TurnContext
    ) -> None:
        await turn_context.send_activity(f"{message_reactions[0].type}.")

    async def on_message_update_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"Now it says {turn_context.activity.text}.")

    async def on_message_delete_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity("Gone.")

    async def on_end_of_conversation_activity(self, turn_context: TurnContext) -> None:
        await self.conversation.clear_state(turn_context)
        await turn_context.send_activity("Bye.")

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity("I am here now.")

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        # The SDK leaves it as it came.
        action: Any = invoke_value.action
        verb, data = action["verb"], action["data"]
        await self.asked.set(turn_context, data)
        if verb == "refuse":
            return AdaptiveCardInvokeResponse(
                status_code=400,
                type="application/vnd.microsoft.error",
                value={"code": "BadRequest", "message": "No."},
            )
        await turn_context.send_activity(f"{verb}: {data}")
        return AdaptiveCardInvokeResponse(
            status_code=200,
            type="application/vnd.microsoft.card.adaptive",
            value={"type": "AdaptiveCard", "version": "1.4", "body": []},
        )

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse | None:
        if turn_context.activity.name == "own/invoke":
            return InvokeResponse(status=418, body={"asked": await self.asked.get(turn_context)})
        return await ActivityHandler.on_invoke_activity(self, turn_context)


def _action(verb: str, **data: Any) -> dict[str, Any]:
    action = {"type": "Action.Execute", "id": "a", "verb": verb, "data": data}
    return {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": action}}


PICTURE = {"contentType": "image/png", "contentUrl": "data:image/png;base64,AAECAw=="}

SCRIPT = (
    {"type": "installationUpdate", "action": "add"},
    "red",
    "price 1.50",
    "secret swordfish",
    "secret",
    {"type": "message", "text": "", "attachments": [PICTURE]},
    _action("choose", size=3),
    {"type": "invoke", "name": "own/invoke", "value": {}},
    "about",
    "wait",
    "draft",
    {"type": "messageReaction", "replyToId": "$last reply", "reactionsAdded": [{"type": "like"}]},
    {"type": "messageUpdate", "id": "m1", "text": "another"},
    "forget me",
    "forget all",
    "hello",
)
"""What a user sends, one after the other."""

PHRASES = (
    *SCRIPT,
    "blue",
    _action("refuse"),
    "forget colours",
    {"type": "messageDelete", "id": "m1"},
    {"type": "endOfConversation", "code": "completedSuccessfully"},
)
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps all of it in `storage`."""
    return ManyStatesBot(storage)
