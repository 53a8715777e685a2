"""A bot with all that a module may have: middleware, on_error and apologies."""

from collections.abc import Awaitable, Callable, Iterable

from botbuilder.core import (
    ActivityHandler,
    AnonymousReceiveMiddleware,
    AutoSaveStateMiddleware,
    Bot,
    ConversationState,
    InvokeResponse,
    Middleware,
    Storage,
    TurnContext,
)
from botbuilder.schema import Activity, ActivityTypes

from shared.storage import storage_of


class GuardedBot(ActivityHandler):
    """Counts what it hears, and leaves it to middleware to store that."""

    def __init__(self, state: ConversationState) -> None:
        self.heard = state.create_property("heard")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        heard = (await self.heard.get(turn_context) or 0) + 1
        text = turn_context.activity.text
        if text == "break":
            # No storage takes it, now or whenever it is tried again.
            await self.heard.set(turn_context, object())
        else:
            await self.heard.set(turn_context, heard)
        if text == "despair":
            raise SystemExit
        await turn_context.send_activity(f"{text} {heard}")

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        refusal = InvokeResponse(status=412, body={"failureDetail": "no consent"})
        await turn_context.send_activity(
            Activity(type=ActivityTypes.invoke_response, value=refusal)
        )
        return InvokeResponse(status=200)


async def _shout(context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
    if context.activity.type == ActivityTypes.message:
        context.activity.text = context.activity.text.swapcase()

    async def shout(_: TurnContext, activities: list[Activity], send: Callable[[], object]) -> None:
        for activity in activities:
            if activity.type == ActivityTypes.message:
                activity.text = activity.text.swapcase()
        await send()  # type: ignore[misc]  # as the SDK hands it over

    context.on_send_activities(shout)
    await logic()


def create_middleware(storage: Storage) -> Iterable[Middleware]:
    """Save the conversation's state, around what changes the case of all that is said."""
    return [
        AutoSaveStateMiddleware([ConversationState(storage)]),
        AnonymousReceiveMiddleware(_shout),
    ]


async def on_error(context: TurnContext, error: Exception) -> None:
    """Start again."""
    await context.send_activity(f"forget it: {type(error).__name__}")
    state = ConversationState(storage_of(context))
    await state.load(context)
    await state.delete(context)


APOLOGIES = {"*": {"bot_failed": "Oops."}, "de": {"bot_failed": "Hoppla."}}

STATE_TYPES: tuple[type, ...] = ()


def create_bot(storage: Storage) -> Bot:
    """Make the bot."""
    return GuardedBot(ConversationState(storage))
