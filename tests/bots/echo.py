"""Says what it hears, from whom and how often; told "I am Ada", it knows Ada everywhere."""

from dataclasses import dataclass

from botbuilder.core import ActivityHandler, Bot, ConversationState, Storage, TurnContext, UserState

from shared.storage.codec.state_types import state_type

INTRODUCTION = "I am "


@state_type("Person")
@dataclass
class Person:
    """What is known of a user."""

    name: str = "Somebody"


class EchoBot(ActivityHandler):
    """Reads the user's state, and writes the conversation's."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.heard = conversation_state.create_property("heard")
        self.person = user_state.create_property("Person")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context)
        await self.user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        text = turn_context.activity.text
        heard = (await self.heard.get(turn_context) or 0) + 1
        await self.heard.set(turn_context, heard)
        person: Person = await self.person.get(turn_context, Person)
        if text.startswith(INTRODUCTION):
            person.name = text.removeprefix(INTRODUCTION)
        for reply in (
            f"{person.name} said: {text}",
            f"That was message {heard} here.",
            f"It came from {turn_context.activity.channel_id}.",
        ):
            await turn_context.send_activity(reply)


STATE_TYPES: tuple[type, ...] = (Person,)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that knows whom it has met from `storage`."""
    return EchoBot(ConversationState(storage), UserState(storage))
