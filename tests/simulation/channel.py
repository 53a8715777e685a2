"""
A channel that takes replies, refuses them, is slow, and forgets to say that it took one.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ConversationReference,
    ResourceResponse,
)


class HttpStatus(Exception):
    """The channel answers with a status that is not a success."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        super().__init__(f"HTTP {status}")


class NoConnection(aiohttp.ClientConnectorError):
    """The connection could not be made."""

    def __init__(self) -> None:
        Exception.__init__(self, "no connection")

    def __str__(self) -> str:
        return "no connection"


@dataclass
class ChannelFaults:
    """How likely what is; all zero for a channel that works."""

    throttled: float = 0.0
    not_connected: float = 0.0
    failed: float = 0.0
    """A status of 500, and the activity is not accepted."""
    answer_lost: float = 0.0
    """The activity is accepted, and the connection breaks."""
    slow: float = 0.0
    """The request takes seconds instead of milliseconds."""


@dataclass(frozen=True)
class Accepted:
    """An activity that the channel shows to its users."""

    at_s: float
    activity_id: str
    conversation_id: str
    recipient_id: str
    reply_to_id: str
    text: str
    sender: object
    """Whoever sent it, as `SimulatedChannel` was told."""


@dataclass
class SimulatedChannel:
    """What the users of all conversations see."""

    tell: Callable[[str, str], None] = lambda _verb, _outcome: None
    accepted: list[Accepted] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    """Ids of accepted activities whose sender got to know."""
    edits: list[tuple[str, str]] = field(default_factory=list)
    """Ids and texts of updates and (empty text) deletions."""

    def accept(self, activity: Activity, sender: object) -> str:
        activity_id = f"m{len(self.accepted) + 1}"
        self.accepted.append(
            Accepted(
                asyncio.get_running_loop().time(),
                activity_id,
                activity.conversation.id,
                activity.recipient.id,
                activity.reply_to_id or "",
                activity.text or "",
                sender,
            )
        )
        self.tell("accept", f"{activity.text} as {activity_id}")
        return activity_id


class SimulatedAdapter(BotAdapter):
    """One request's way to the channel."""

    def __init__(
        self,
        channel: SimulatedChannel,
        chance: random.Random,
        faults: ChannelFaults,
        sender: object = None,
    ) -> None:
        super().__init__()
        self._channel = channel
        self._chance = chance
        self._faults = faults
        self._sender = sender

    async def send_activities(
        self, context: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        responses = []
        for activity in activities:
            if activity.type == ActivityTypes.invoke_response:
                context.turn_state[self._INVOKE_RESPONSE_KEY] = activity
                responses.append(ResourceResponse(id=""))
                continue
            await self._travel()
            accepted = self._channel.accept(activity, self._sender)
            await self._come_back(accepted)
            self._channel.answered.add(accepted)
            responses.append(ResourceResponse(id=accepted))
        return responses

    async def update_activity(self, _context: TurnContext, activity: Activity) -> None:
        await self._travel()
        self._channel.edits.append((activity.id, activity.text))
        self._channel.tell("update", f"{activity.id}: {activity.text}")
        await self._come_back(activity.id)

    async def delete_activity(
        self, _context: TurnContext, reference: ConversationReference
    ) -> None:
        await self._travel()
        self._channel.edits.append((reference.activity_id, ""))
        self._channel.tell("delete", reference.activity_id)
        await self._come_back(reference.activity_id)

    async def _travel(self) -> None:
        await asyncio.sleep(self._delay_s())
        if self._happens(self._faults.not_connected):
            self._channel.tell("send", "no connection")
            raise NoConnection
        if self._happens(self._faults.throttled):
            self._channel.tell("send", "429")
            raise HttpStatus(429, {"Retry-After": str(self._chance.choice((0, 1, 3)))})
        if self._happens(self._faults.failed):
            self._channel.tell("send", "500")
            raise HttpStatus(500)

    async def _come_back(self, activity_id: str) -> None:
        await asyncio.sleep(self._delay_s())
        if self._happens(self._faults.answer_lost):
            self._channel.tell("send", f"the answer for {activity_id} is lost")
            raise aiohttp.ServerDisconnectedError

    def _delay_s(self) -> float:
        if self._happens(self._faults.slow):
            return self._chance.uniform(1.0, 7.0)
        return self._chance.uniform(0.001, 0.05)

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability
