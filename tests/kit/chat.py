"""A conversation with a bot, in which nothing but the storage outlives a turn."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botbuilder.core import Bot, Storage
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ActivityTypes


class Clock:
    """The time that the channel says it is; a test sets it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 17, 15, 30, 123_000, tzinfo=UTC)


class Chat:
    """
    Sends activities as a channel writes them and returns the texts of the replies.

    What the bot raises reaches the test; in the app, the user would get an apology.
    """

    def __init__(
        self,
        create_bot: Callable[[Storage], Bot],
        storage: Storage,
        clock: Clock,
        user_id: str = "user",
        conversation_id: str = "conversation",
    ) -> None:
        self._create_bot = create_bot
        self._storage = storage
        self._clock = clock
        self._from = {
            "channelId": "test",
            "from": {"id": user_id},
            "recipient": {"id": "bot", "name": "Bot"},
            "conversation": {"id": conversation_id},
        }

    async def says(self, text: str | None, **fields: Any) -> list[str]:
        """Send a message; return the texts of the replies."""
        return await self.sends("message", text=text, **fields)

    async def sends(self, activity_type: str, **fields: Any) -> list[str]:
        """Send any activity, fields as in its JSON; return the texts of the replies."""
        replies = await self.replies_to(activity_type, **fields)
        return [reply.text for reply in replies if reply.type == ActivityTypes.message]

    async def replies_to(self, activity_type: str, **fields: Any) -> list[Activity]:
        """Send any activity; return the replies with all that is in them: cards, buttons."""
        sent_at = {"timestamp": self._clock.now.isoformat()}
        activity = Activity.deserialize(self._from | sent_at | {"type": activity_type} | fields)
        adapter = TestAdapter(self._create_bot(self._storage).on_turn, activity)
        # The adapter fills what is missing from its template, which is the activity itself.
        await adapter.receive_activity(Activity())
        replies: list[Activity] = adapter.activity_buffer
        return replies
