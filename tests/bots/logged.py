"""
Has the SDK's middleware write down all that it hears and says: as telemetry, and as a transcript.

Both are kept by a service beside the channel. A bot's own would be Application Insights, and a
container of blobs.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
from botbuilder.core import (
    ActivityHandler,
    AutoSaveStateMiddleware,
    Bot,
    ConversationState,
    MessageFactory,
    Middleware,
    NullTelemetryClient,
    Storage,
    TelemetryLoggerMiddleware,
    TranscriptLogger,
    TranscriptLoggerMiddleware,
    TurnContext,
)
from botbuilder.schema import Activity, ChannelAccount

STATE_TYPES: tuple[type, ...] = ()


class Telemetry(NullTelemetryClient):
    """Keeps a turn's events, until they are sent off."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def track_event(
        self,
        name: str,
        properties: dict[str, object] | None = None,
        measurements: dict[str, object] | None = None,
    ) -> None:
        self.events.append([name, properties])


class SendTelemetry(Middleware):
    """Sends off what a turn has given cause to note."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        await logic()
        await _send(context.activity.service_url, "telemetry", self._telemetry.events)
        self._telemetry.events = []


class Transcript(TranscriptLogger):
    """Sends off each line."""

    async def log_activity(self, activity: Activity) -> None:
        line = activity.serialize()
        # While a turn runs, what it says has no id yet that the channel knows.
        line.pop("id", None)
        line.pop("timestamp", None)
        await _send(activity.service_url, "transcript", line)


async def _send(service_url: str, kind: str, body: Any) -> None:
    async with aiohttp.ClientSession() as session:
        await session.post(f"{service_url}log/{kind}", json=body)


class LoggedBot(ActivityHandler):
    """Counts; the middleware saves its state."""

    def __init__(self, state: ConversationState) -> None:
        self._count = state.create_property("count")
        self._last_id = state.create_property("last_id")

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        await turn_context.send_activity(f"Welcome, {members_added[0].name}.")

    async def on_event_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"{turn_context.activity.name}.")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        text = turn_context.activity.text
        count = (await self._count.get(turn_context) or 0) + 1
        await self._count.set(turn_context, count)
        last_id = await self._last_id.get(turn_context)
        if text == "fix":
            fixed = MessageFactory.text("Rather this.")
            fixed.id = last_id
            await turn_context.update_activity(fixed)
        elif text == "drop":
            await turn_context.delete_activity(last_id)
        else:
            await turn_context.send_activity(MessageFactory.text("Hm.", input_hint="ignoringInput"))
            sent = await turn_context.send_activity(f"{text} is number {count}.")
            await self._last_id.set(turn_context, sent.id)


SCRIPT = (
    {"type": "conversationUpdate", "membersAdded": [{"id": "ada", "name": "Ada"}]},
    "one",
    "fix",
    "drop",
    {"type": "event", "name": "an event", "value": 1},
    "two",
)
"""What a user sends, one after the other."""


def create_middleware(storage: Storage) -> Iterable[Middleware]:
    """Log what is heard and said, and save what is counted."""
    telemetry = Telemetry()
    return [
        SendTelemetry(telemetry),
        TelemetryLoggerMiddleware(telemetry, log_personal_information=True),
        TranscriptLoggerMiddleware(Transcript()),
        AutoSaveStateMiddleware([ConversationState(storage)]),
    ]


def create_bot(storage: Storage) -> Bot:
    """Make a bot that counts in `storage`."""
    return LoggedBot(ConversationState(storage))
