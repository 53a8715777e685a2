"""
Showing the user that an answer is being made, while a turn takes long.
"""

import asyncio

from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes
from botframework.connector.auth import ClaimsIdentity, SkillValidation

from shared.turns.clock import loop_time_s
from shared.turns.limits import TYPING_S
from shared.turns.replies.delivery import Channel
from shared.turns.replies.operations import typing_to

_SHOW_NONE = {"email", "sms"}
"""On these channels the answer is a letter, and so is whatever else is sent."""


class TypingIndicator:
    """
    One indicator, whether the bot or the turn sends it.

    A bot that sends its own, as with the SDK's ShowTypingMiddleware, is given precedence: the
    next of ours waits until that one has faded.
    """

    def __init__(self, context: TurnContext, channel: Channel) -> None:
        self._context = context
        self._channel = channel
        self._last_s = float("-inf")
        self._on_its_way: asyncio.Task[None] | None = None

    async def say(self, activity: Activity) -> None:
        """Send the bot's own."""
        self._last_s = loop_time_s()
        await self._channel.say(activity)

    def show(self) -> None:
        """Send one of ours if it is time to."""
        is_sending = self._on_its_way is not None and not self._on_its_way.done()
        if is_sending or loop_time_s() - self._last_s < TYPING_S or not _is_wanted(self._context):
            return
        typing = typing_to(self._context.activity)
        self._on_its_way = asyncio.create_task(self.say(typing))

    async def end(self) -> None:
        """Wait for one that is on its way: it must not arrive after the answer."""
        if self._on_its_way is not None:
            await self._on_its_way


def _is_wanted(context: TurnContext) -> bool:
    """As the SDK's middleware: for messages, and not for another bot, which waits for replies."""
    activity = context.activity
    identity = context.turn_state.get(BotAdapter.BOT_IDENTITY_KEY)
    is_skill = isinstance(identity, ClaimsIdentity) and SkillValidation.is_skill_claim(
        identity.claims
    )
    return (
        activity.type == ActivityTypes.message
        and activity.delivery_mode != DeliveryModes.expect_replies
        and activity.channel_id not in _SHOW_NONE
        and not is_skill
    )
