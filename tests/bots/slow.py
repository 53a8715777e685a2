"""
A bot that takes its time: "wait 20" is answered after 20 seconds, like a language model's.

Each run leaves a line with its conversation and text in the file that the environment names, for
tests to count.
"""

import asyncio
import os
from pathlib import Path

from botbuilder.core import ActivityHandler, Bot, ConversationState, Storage, TurnContext

STATE_TYPES: tuple[type, ...] = ()

RUNS = "SLOW_BOT_RUNS"
"""The variable with the name of the file; without it no runs are noted."""


class SlowBot(ActivityHandler):
    """Counts the messages of a conversation, and answers when it is ready."""

    def __init__(self, conversation: ConversationState) -> None:
        self._conversation = conversation
        self._count = conversation.create_property("count")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        text = turn_context.activity.text
        _note(f"{turn_context.activity.conversation.id}: {text}")
        verb, _, seconds = text.partition(" ")
        count = (await self._count.get(turn_context) or 0) + 1
        await self._count.set(turn_context, count)
        if verb == "wait":
            await asyncio.sleep(float(seconds.split()[0]))
        await turn_context.send_activity(f"{count}: {text}")
        await self._conversation.save_changes(turn_context)


def _note(run: str) -> None:
    if file := os.environ.get(RUNS):
        with Path(file).open("a", encoding="utf-8") as runs:
            runs.write(f"{run}\n")


def create_bot(storage: Storage) -> Bot:
    return SlowBot(ConversationState(storage))
