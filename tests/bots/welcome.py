"""
Greets whoever joins, once; offers buttons and cards of every kind, and reacts to what is picked.

The ground that Microsoft's samples 03 (welcome), 06 (cards), 07 (adaptive cards), 08 (suggested
actions) and 25 (reactions) cover.
"""

from dataclasses import dataclass

from botbuilder.core import (
    ActivityHandler,
    Bot,
    CardFactory,
    ConversationState,
    MessageFactory,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    AnimationCard,
    Attachment,
    AttachmentLayoutTypes,
    AudioCard,
    CardAction,
    CardImage,
    ChannelAccount,
    Fact,
    HeroCard,
    MediaUrl,
    MessageReaction,
    ReceiptCard,
    ReceiptItem,
    SigninCard,
    SuggestedActions,
    ThumbnailCard,
    VideoCard,
)

from shared.storage.codec.state_types import state_type

MEDIA = "https://media.example/"


@state_type("WelcomeUserState")
@dataclass
class WelcomeUserState:
    """Whether a user was greeted."""

    did_welcome_user: bool = False


STATE_TYPES: tuple[type, ...] = (WelcomeUserState,)


def cards() -> list[Attachment]:
    """Return one card of each kind."""
    media = [MediaUrl(url=f"{MEDIA}clip")]
    image = CardImage(url=f"{MEDIA}picture.png")
    button = CardAction(type=ActionTypes.open_url, title="More", value=MEDIA)
    adaptive = {
        "type": "AdaptiveCard",
        "version": "1.3",
        "body": [{"type": "TextBlock", "text": "A table for", "id": "table"}],
        "actions": [{"type": "Action.Submit", "title": "Go", "data": {"table": 4, "at": None}}],
    }
    return [
        CardFactory.adaptive_card(adaptive),
        CardFactory.animation_card(AnimationCard(media=media, title="Animation")),
        CardFactory.audio_card(AudioCard(media=media, title="Audio", buttons=[button])),
        CardFactory.hero_card(HeroCard(title="Hero", images=[image], buttons=[button])),
        CardFactory.receipt_card(
            ReceiptCard(
                title="Receipt",
                facts=[Fact(key="Order", value="1234")],
                items=[ReceiptItem(title="Tea", price="$ 2", quantity="2", image=image)],
                total="$ 4",
            )
        ),
        CardFactory.signin_card(SigninCard(text="Sign in", buttons=[button])),
        CardFactory.thumbnail_card(ThumbnailCard(title="Thumbnail", images=[image])),
        CardFactory.video_card(VideoCard(media=media, title="Video", autostart=True)),
    ]


class WelcomeBot(ActivityHandler):
    """Knows whom it has greeted; what is picked in a card comes back to it as a message."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._conversation_state = conversation_state
        self._user_state = user_state
        self._welcomed = user_state.create_property("WelcomeUserState")
        self._picked = conversation_state.create_property("picked")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._conversation_state.save_changes(turn_context)
        await self._user_state.save_changes(turn_context)

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        for member in members_added:
            if member.id != turn_context.activity.recipient.id:
                await turn_context.send_activity(f"Hi {member.name}. Say anything.")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        state = await self._welcomed.get(turn_context, WelcomeUserState)
        picked = await self._picked.get(turn_context, list)
        if not state.did_welcome_user:
            state.did_welcome_user = True
            await turn_context.send_activities(
                [
                    Activity(type=ActivityTypes.typing),
                    MessageFactory.text("You are seeing this once.", "Once.", "ignoringInput"),
                    Activity(type="delay", value=10),
                    self._colours(),
                ]
            )
        elif turn_context.activity.value:
            picked.append(turn_context.activity.value)
            await turn_context.send_activity(f"You sent {picked}.")
        elif turn_context.activity.text == "cards":
            await turn_context.send_activity(
                MessageFactory.list(cards(), "All of them:", "", "acceptingInput")
            )
            carousel = MessageFactory.carousel(cards()[3:5])
            assert carousel.attachment_layout == AttachmentLayoutTypes.carousel
            await turn_context.send_activity(carousel)
        elif turn_context.activity.text == "trace":
            await turn_context.send_trace_activity("picked", picked, "list", "What was picked")
            await turn_context.send_activity("Traced.")
        else:
            picked.append(turn_context.activity.text)
            await turn_context.send_activity(f"{turn_context.activity.text} it is.")
            await turn_context.send_activity(self._colours())

    async def on_message_reaction_activity(self, turn_context: TurnContext) -> None:
        await super().on_message_reaction_activity(turn_context)
        await turn_context.send_activity(f"That was {turn_context.activity.reply_to_id}.")

    async def on_reactions_added(
        self, message_reactions: list[MessageReaction], turn_context: TurnContext
    ) -> None:
        for reaction in message_reactions:
            await turn_context.send_activity(f"You reacted with {reaction.type}.")

    async def on_reactions_removed(
        self, message_reactions: list[MessageReaction], turn_context: TurnContext
    ) -> None:
        for reaction in message_reactions:
            await turn_context.send_activity(f"You took back {reaction.type}.")

    async def on_event_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"The event {turn_context.activity.name}.")

    async def on_unrecognized_activity_type(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"Unheard of: {turn_context.activity.type}")

    def _colours(self) -> Activity:
        reply = MessageFactory.text("What is your favourite colour?")
        reply.suggested_actions = SuggestedActions(
            actions=[
                CardAction(
                    title=colour, type=ActionTypes.im_back, value=colour, image_alt_text=colour
                )
                for colour in ("Red", "Blue")
            ]
        )
        return reply


SCRIPT = (
    {"type": "conversationUpdate", "membersAdded": [{"id": "ada", "name": "Ada"}, {"id": "bot"}]},
    "hello",
    "Red",
    "cards",
    {"type": "message", "value": {"table": 4, "at": None}},
    {
        "type": "messageReaction",
        "replyToId": "$last reply",
        "reactionsAdded": [{"type": "like"}, {"type": "heart"}],
    },
    {"type": "messageReaction", "replyToId": "r0", "reactionsRemoved": [{"type": "like"}]},
    {"type": "event", "name": "postback", "value": {"a": 1}},
    {"type": "handoff"},
    {"type": "message", "text": "trace", "channelData": {"clientActivityID": "1"}},
    "Blue",
)
"""What a user sends, one after the other."""

PHRASES = ("hello", "Red", "cards", "trace", "")
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps whom it has greeted in `storage`."""
    return WelcomeBot(ConversationState(storage), UserState(storage))
