"""
The adapter under the bot's turn context: it keeps what the bot says until the turn commits.
"""

from collections.abc import Awaitable, Callable, Coroutine
from copy import deepcopy
from inspect import signature
from typing import Any

from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, ResourceResponse

from shared.turns.limits import PAUSE_MAX_MS
from shared.turns.own_copy import own_copy
from shared.turns.replies.operations import Operation, Verb

INVOKE_RESPONSE_KEY: str = BotAdapter._INVOKE_RESPONSE_KEY
"""The key under which a turn context has the activity that answers its invoke."""

TURN_IS_OVER = (
    "The turn is over, and with it its state and its replies: await everything that the bot "
    "starts. What takes longer than a turn begins a turn of its own (continue_conversation)."
)
"""What a task that the bot has started and forgotten is told."""


Logic = Callable[[TurnContext], Awaitable[object]]
RunPipeline = Callable[[TurnContext, Logic], Awaitable[None]]

_RUN_A_CALLBACK = {
    "continue_conversation",
    "continue_conversation_with_claims",
    "create_conversation",
    "process_proactive",
}
"""Methods of the SDK's adapters that run a callback in another conversation."""

_CALLBACKS = {"callback", "logic"}
"""What they call it."""


class Outbox:
    """What a bot said in one attempt at a turn, in order."""

    def __init__(self, attempt: str) -> None:
        self._attempt = attempt
        self._closed = False
        self.operations: list[Operation] = []

    def add(self, verb: Verb, subject: Activity | ConversationReference) -> str:
        """
        Keep one operation; returns the id by which the bot may refer to it.

        Raises:
            RuntimeError: the turn is over.
            StateNotStorable: it cannot be kept until the turn commits.
        """
        self.require_open()
        given_id = f"{self._attempt}.{len(self.operations)}" if verb is Verb.SEND else ""
        operation = Operation(verb, subject, given_id)
        # Now, where the bot can catch it; the text is needed later anyway.
        operation.to_text()
        self.operations.append(operation)
        return given_id

    def close(self) -> None:
        """Refuse what is said after the turn."""
        self._closed = True

    def require_open(self) -> None:
        """Raise RuntimeError if the turn is over."""
        if self._closed:
            raise RuntimeError(TURN_IS_OVER)


async def _run_alone(context: TurnContext, callback: Logic) -> None:
    await callback(context)


class BufferingAdapter:
    """
    Looks like the real adapter to the bot, but sends nothing.

    The same holds for other conversations that the bot continues or begins in its turn: what is
    said there waits for the commit, behind what was said before. Everything else that a bot may
    want from its adapter (user tokens, say) is the real one's, and happens at once; so does the
    beginning of a conversation, whose id the bot has to know.
    """

    def __init__(
        self, real: Any, outbox: Outbox, send_typing: Callable[[Activity], Awaitable[None]]
    ) -> None:
        self._real = real
        self._outbox = outbox
        self._send_typing = send_typing
        self.run_pipeline: RunPipeline = _run_alone
        """Runs a callback with what surrounds the bot. The bot brings it along."""

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._real, name)
        if name not in _RUN_A_CALLBACK:
            return attribute

        async def run_staged(*arguments: Any, **options: Any) -> Any:
            given = signature(attribute).bind(*arguments, **options)
            for callback in given.arguments.keys() & _CALLBACKS:
                given.arguments[callback] = self._staged(given.arguments[callback])
            return await attribute(*given.args, **given.kwargs)

        return run_staged

    @property  # type: ignore[misc]  # how a proxy answers isinstance(adapter, ...)
    def __class__(self) -> type:
        return type(self._real)

    def send_activities(
        self, context: TurnContext, activities: list[Activity]
    ) -> Coroutine[Any, Any, list[ResourceResponse]]:
        """
        Keep activities; typing indicators change nothing and leave at once.

        Raises:
            RuntimeError: the turn is over. It is raised at once and not when the result is
                awaited: that ends the timer of the SDK's ShowTypingMiddleware, which else goes
                on for ever once a bot has raised.
        """
        self._outbox.require_open()
        return self._send_all(context, activities)

    async def update_activity(self, _context: TurnContext, activity: Activity) -> ResourceResponse:
        """Keep an update."""
        self._outbox.add(Verb.UPDATE, own_copy(activity))
        return ResourceResponse(id=activity.id)

    async def delete_activity(
        self, _context: TurnContext, reference: ConversationReference
    ) -> None:
        """Keep a deletion."""
        self._outbox.add(Verb.DELETE, deepcopy(reference))

    def _staged(self, callback: Logic) -> Logic:
        """The callback, on a context that keeps what it says."""

        async def run(context: TurnContext) -> None:
            inner = TurnContext(self, context.activity)
            inner.turn_state.update(context.turn_state)
            await self.run_pipeline(inner, callback)

        return run

    async def _send_all(
        self, context: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        return [await self._send(context, activity) for activity in activities]

    async def _send(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        if activity.type == ActivityTypes.invoke_response:
            # Where the SDK's adapters keep it: by this the bot's handler sees that it has answered.
            context.turn_state[INVOKE_RESPONSE_KEY] = activity
        if activity.type == ActivityTypes.typing:
            await self._send_typing(activity)
            return ResourceResponse(id="")
        if activity.type == "delay":
            activity.value = min(int(activity.value or 1000), PAUSE_MAX_MS)
        return ResourceResponse(id=self._outbox.add(Verb.SEND, activity))
