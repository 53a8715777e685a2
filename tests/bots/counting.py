"""
A conversation that counts.

What it says shows which activities have taken effect before, and how often. A message such as
"slow 2 hello" takes two seconds.
"""

import asyncio

from botbuilder.core import Bot, ConversationState, Storage, TurnContext, UserState

STATE_TYPES: tuple[type, ...] = ()

REPLIES = 3


def replies_to(text: str, count: int, of_user: int | None = None) -> list[str]:
    """
    Return what is said to the message `text`, the conversation's `count`th.

    `of_user` says how many of them were the user's; None: all.
    """
    counts = f"message {count}, {of_user or count} of them yours"
    return [f"{text}: {counts} ({number}/{REPLIES})" for number in range(1, REPLIES + 1)]


def replies_to_all(texts: list[str]) -> list[str]:
    """Return what is said to one user's messages, in this order, in a new conversation."""
    return [reply for count, text in enumerate(texts, 1) for reply in replies_to(text, count)]


def answered_in(replies: list[str]) -> list[str]:
    """Return the messages that were answered, in the order of their first replies."""
    return list(dict.fromkeys(reply.partition(":")[0] for reply in replies))


class MessageCountingBot(Bot):
    """Counts a conversation's messages, and for each user those in each conversation."""

    def __init__(self, storage: Storage) -> None:
        self._conversation_state = ConversationState(storage)
        self._user_state = UserState(storage)

    async def on_turn(self, context: TurnContext) -> None:
        place = context.activity.conversation.id
        verb, seconds, *_ = f"{context.activity.text}  ".split(" ")
        if verb == "slow":
            await asyncio.sleep(float(seconds))
        in_conversation = self._conversation_state.create_property("count")
        of_user = self._user_state.create_property(f"count in {place}")
        count = (await in_conversation.get(context) or 0) + 1
        user_count = (await of_user.get(context) or 0) + 1
        await in_conversation.set(context, count)
        await self._conversation_state.save_changes(context)
        for reply in replies_to(context.activity.text, count, user_count):
            await context.send_activity(reply)
        await of_user.set(context, user_count)
        await self._user_state.save_changes(context)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that counts in `storage`."""
    return MessageCountingBot(storage)
