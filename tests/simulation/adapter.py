"""
One request's way to the channel, on which everything can go wrong that does with a real one.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ConversationReference,
    ResourceResponse,
)

from tests.simulation.channel import (
    MAYBE_STATUSES,
    NEVER_STATUSES,
    NOT_YET_STATUSES,
    TYPING,
    Came,
    SimulatedChannel,
    key_of,
)
from tests.simulation.faults import Fault


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
    """How likely what is, and what is always so for a while."""

    throttled: float = 0.0
    not_connected: float = 0.0
    failed: float = 0.0
    """A status of 5xx, and the activity is not accepted."""
    answer_lost: float = 0.0
    """The activity is accepted, and the connection breaks."""
    slow: float = 0.0
    """The request takes seconds instead of milliseconds."""
    busy: float = 0.0
    """The channel says to try again, mostly for being busy with the conversation."""
    refused: float = 0.0
    odd: float = 0.0
    """The activity is accepted, and the answer has no usable id in it."""
    outages: list[tuple[float, float]] = field(default_factory=list)
    """From when until when nobody reaches the channel."""
    throttled_place: str = ""
    """A conversation that is throttled,"""
    throttled_until_s: float = 0.0
    """until then."""
    fails_for: str = ""
    """The channel never takes what begins so, and answers 5xx."""

    def heal(self) -> None:
        """From now on the channel works, but for what is wrong for good."""
        self.throttled = self.not_connected = self.failed = self.answer_lost = 0.0
        self.slow = self.busy = self.refused = self.odd = 0.0
        self.outages.clear()


class SimulatedAdapter(BotAdapter):
    """One request's way to the channel."""

    def __init__(
        self,
        channel: SimulatedChannel,
        chance: random.Random,
        faults: ChannelFaults,
        sender: object = None,
        is_cut_off: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self._channel = channel
        self._chance = chance
        self._faults = faults
        self._sender = sender
        self._is_cut_off = is_cut_off

    async def send_activities(self, context: TurnContext, activities: list[Activity]) -> list[Any]:
        responses: list[Any] = []
        for activity in activities:
            if activity.type == ActivityTypes.invoke_response:
                context.turn_state[self._INVOKE_RESPONSE_KEY] = activity
                responses.append(ResourceResponse(id=""))
                continue
            if activity.type == ActivityTypes.typing:
                whose = activity.recipient and activity.recipient.id
                key = f"{TYPING} {activity.reply_to_id} {whose}"
                with self._channel.sending(activity, key, self._sender):
                    # Nothing is lost with it, and nothing said.
                    await self._travel(TYPING, activity.conversation.id)
                responses.append(ResourceResponse(id=""))
                continue
            recipient = activity.recipient
            key = key_of(activity.text or "", activity.reply_to_id, recipient and recipient.id)
            with self._channel.sending(activity, key, self._sender):
                accepted = await self._send(activity, key)
            if self._happens(self._faults.odd):
                self._channel.oddly_answered.add(accepted)
                odd = self._chance.choice((5, None, {"id": accepted}, "none", "nothing"))
                self._tell("send", f"answered oddly: {odd!r}", Fault.CHANNEL_ODD_ANSWER)
                responses.append({"none": None}.get(str(odd), ResourceResponse(id=odd)))
                if odd == "nothing":
                    responses.clear()
                continue
            responses.append(ResourceResponse(id=accepted))
        return responses

    async def _send(self, activity: Activity, key: str) -> str:
        await self._travel(key, activity.conversation.id)
        accepted = self._channel.accept(activity, self._sender)
        await self._come_back(key, accepted)
        self._channel.answered.add(accepted)
        self._channel.note(key, Came.ACCEPTED)
        return accepted

    async def update_activity(self, _context: TurnContext, activity: Activity) -> None:
        key = f"edit of {activity.id}"
        await self._travel(key, "")
        self._channel.edits.append((activity.id, activity.text))
        self._tell("update", f"{activity.id}: {activity.text}")
        await self._come_back(key, activity.id)

    async def delete_activity(
        self, _context: TurnContext, reference: ConversationReference
    ) -> None:
        key = f"edit of {reference.activity_id}"
        await self._travel(key, "")
        self._channel.edits.append((reference.activity_id, ""))
        self._tell("delete", reference.activity_id)
        await self._come_back(key, reference.activity_id)

    async def _travel(self, key: str, place: str) -> None:
        """On the way there: whatever fails here has not arrived."""
        try:
            await asyncio.sleep(self._delay_s())
            await self._fail(key, place)
        except asyncio.CancelledError:
            self._channel.note(key, Came.UNKNOWN)
            raise

    async def _fail(self, key: str, place: str) -> None:
        faults, now_s = self._faults, asyncio.get_running_loop().time()
        if self._is_cut_off():
            await self._not_connected(key, Fault.PARTITION)
        if any(begins_s <= now_s < ends_s for begins_s, ends_s in faults.outages):
            await self._not_connected(key, Fault.CHANNEL_OUTAGE)
        if place == faults.throttled_place and now_s < faults.throttled_until_s:
            self._answer(429, key, Came.NOT_SENT, Fault.CHANNEL_LONG_OUTAGE)
        if faults.fails_for and key.startswith(faults.fails_for):
            self._answer(500, key, Came.UNKNOWN, Fault.CHANNEL_NEVER_ANSWERS)
        if self._happens(faults.not_connected):
            await self._not_connected(key, Fault.CHANNEL_NOT_CONNECTED)
        if self._happens(faults.throttled):
            self._answer(429, key, Came.NOT_SENT, Fault.CHANNEL_THROTTLED)
        if self._happens(faults.busy):
            status = self._chance.choice(NOT_YET_STATUSES)
            self._answer(status, key, Came.NOT_SENT, Fault.CHANNEL_BUSY)
        if self._happens(faults.failed):
            status = self._chance.choice(MAYBE_STATUSES)
            self._answer(status, key, Came.UNKNOWN, Fault.CHANNEL_FAILED)
        if key in self._channel.refused or self._happens(faults.refused):
            self._channel.refused.add(key)
            status = self._chance.choice(NEVER_STATUSES)
            self._answer(status, key, Came.NEVER, Fault.CHANNEL_REFUSED)

    def _answer(self, status: int, key: str, came: Came, fault: Fault) -> None:
        self._tell("send", str(status), fault)
        self._channel.note(key, came)
        seconds = str(self._chance.choice((0, 1, 1, 3, 3, 30)))
        raise HttpStatus(status, {"Retry-After": seconds} if status == 429 else None)

    async def _not_connected(self, key: str, fault: Fault) -> None:
        self._tell("send", "no connection", fault)
        self._channel.note(key, Came.NOT_SENT)
        if fault is not Fault.CHANNEL_NOT_CONNECTED:
            await asyncio.sleep(self._chance.choice((0.01, 0.5)))
        raise NoConnection

    async def _come_back(self, key: str, activity_id: str) -> None:
        """On the way back: whatever fails here has arrived."""
        try:
            await asyncio.sleep(self._delay_s())
        except asyncio.CancelledError:
            self._tell("send", f"the answer for {activity_id} is not waited for")
            self._channel.impatient.add(activity_id)
            self._channel.note(key, Came.UNKNOWN)
            raise
        fault = None
        if self._happens(self._faults.answer_lost):
            fault = Fault.CHANNEL_ANSWER_LOST
        elif self._is_cut_off():
            fault = Fault.PARTITION
        if fault:
            self._tell("send", f"the answer for {activity_id} is lost", fault)
            self._channel.note(key, Came.UNKNOWN)
            raise aiohttp.ServerDisconnectedError

    def _delay_s(self) -> float:
        if self._happens(self._faults.slow):
            self._tell("send", "slow", Fault.CHANNEL_SLOW)
            return self._chance.uniform(1.0, 7.0)
        return self._chance.uniform(0.001, 0.05)

    def _tell(self, verb: str, outcome: str, fault: Fault | None = None) -> None:
        self._channel.tell(verb, outcome, fault)

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability


def answer_of(context: TurnContext) -> list[str]:
    """Keys of what the HTTP response to a turn says."""
    replies = [
        key_of(reply.text or "", reply.reply_to_id, reply.recipient and reply.recipient.id)
        for reply in context.buffered_reply_activities
    ]
    response = context.turn_state.get("BotFrameworkAdapter.InvokeResponse")
    if response is not None:
        replies.append(str(response.value.body or response.value.status))
    return replies
