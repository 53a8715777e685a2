"""
The bot under test: it counts in every place where a bot may count, and says what it counted.
"""

from collections.abc import Callable

from botbuilder.core import (
    Bot,
    ConversationState,
    InvokeResponse,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.schema import Activity, ActivityTypes


class BotBug(Exception):
    """What the bot raises where it is told to."""


class CountingBot(Bot):
    """
    Counts its conversation's activities, and those of each user in it.

    The text of an activity says what else it does: "reply N", "silent", "boom", "edit",
    "note", or "clear".
    """

    def __init__(self, storage: Storage, next_run: Callable[[], int]) -> None:
        self._storage = storage
        self._conversation = ConversationState(storage)
        self._user = UserState(storage)
        self._next_run = next_run

    async def on_turn(self, context: TurnContext) -> None:
        run = self._next_run()
        verb, _, detail = (context.activity.text or context.activity.name or "").partition(" ")
        if verb == "silent":
            return
        place = context.activity.conversation.id
        in_conversation = self._conversation.create_property("count")
        of_user = self._user.create_property(f"count in {place}")
        conversation_count = (await in_conversation.get(context, 0) or 0) + 1
        user_count = (await of_user.get(context, 0) or 0) + 1
        await in_conversation.set(context, conversation_count)
        await self._conversation.save_changes(context)
        await of_user.set(context, user_count)
        await self._user.save_changes(context)

        counted = f"{conversation_count}/{user_count}/run{run}"
        if verb == "boom":
            await context.send_activity(f"ghost/0/{counted}")
            raise BotBug
        if verb == "note":
            await self._note(place)
        if context.activity.type == ActivityTypes.invoke:
            response = InvokeResponse(status=200, body=f"{context.activity.id}/0/{counted}")
            await context.send_activity(
                Activity(type=ActivityTypes.invoke_response, value=response)
            )
        for index in range(int(detail or 1)):
            reply = await context.send_activity(f"{context.activity.id}/{index}/{counted}")
            if verb == "edit" and reply.id:
                edited = Activity(id=reply.id, type="message", text=f"edited {reply.id}")
                await context.update_activity(edited)
        # In any place that a bot may choose, and as often as it likes.
        await self._conversation.save_changes(context, force=True)

    async def _note(self, place: str) -> None:
        """Count in a document that all conversations write."""
        board = (await self._storage.read(["board"])).get("board", {})
        board[place] = board.get(place, 0) + 1
        await self._storage.write({"board": board})
