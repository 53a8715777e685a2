"""
Turns that no request of the channel's asks for: the bot speaks first.
"""

import uuid
from collections.abc import Awaitable, Callable

from botbuilder.core import TurnContext
from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.schema import Activity, ConversationReference

from shared.channel.adapter import ChannelAdapter
from shared.errors import MalformedActivity

Logic = Callable[[TurnContext], Awaitable[object]]

_IDS = uuid.UUID("0d6f0a1c-6d0e-4c8e-9f7b-6c1f4b1f5f4e")
"""So that no id of a channel's own is one of these."""


class ProactiveTurns:
    """
    Continues conversations as the SDK's `continue_conversation` does, in atomic turns.

    `run` runs some logic as the turn of a context's activity.
    """

    def __init__(
        self,
        adapter: ChannelAdapter,
        app_id: str,
        run: Callable[[TurnContext, Logic], Awaitable[None]],
    ) -> None:
        self._adapter = adapter
        self._app_id = app_id
        self._run = run

    async def continue_conversation(self, activity: Activity, logic: Logic) -> None:
        """
        Run `logic` in a conversation, as the turn of what `continuation` has made up.

        Raises:
            NotPermitted: the conversation's service URL is not one that this bot may send to.
        """

        async def turn(context: TurnContext) -> None:
            await self._run(context, logic)

        await self._adapter.process_proactive(
            self._adapter.create_claims_identity(self._app_id), activity, None, turn
        )


def continuation(reference: ConversationReference, turn_id: str) -> Activity:
    """
    Return the activity that the SDK makes up, always with the same id for the same turn.

    Raises:
        MalformedActivity: the reference says of no conversation where it is.
    """
    if not reference.service_url or not reference.conversation:
        raise MalformedActivity("The reference has no service_url or no conversation.")
    activity = get_continuation_activity(reference)
    activity.id = str(uuid.uuid5(_IDS, turn_id))
    return activity
