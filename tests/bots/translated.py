"""
Speaks English, through middleware that translates; clears a conversation in which it has failed.

The ground that Microsoft's samples 16 (proactive messages) and 17 (multilingual bot) cover, with
the error handler that all of them have.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from botbuilder.core import (
    ActivityHandler,
    AutoSaveStateMiddleware,
    Bot,
    ConversationState,
    MessageFactory,
    Middleware,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    CardAction,
    SuggestedActions,
)

from shared.storage import storage_of

STATE_TYPES: tuple[type, ...] = ()

ENGLISH = {"hola": "hello", "falla": "fail", "recuerda": "remind", "cuenta": "count"}


class TranslationMiddleware(Middleware):
    """Translates what a user writes, and what is said and updated, if the user has so chosen."""

    def __init__(self, user_state: UserState) -> None:
        self._language = user_state.create_property("language")

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        if await self._is_spanish(context) and context.activity.type == ActivityTypes.message:
            text = context.activity.text
            context.activity.text = ENGLISH.get(text, text)

        async def translate_sent(
            turn: TurnContext, activities: list[Activity], send: Callable[[], Awaitable[Any]]
        ) -> Any:
            if await self._is_spanish(turn):
                for activity in activities:
                    _translate(activity)
            return await send()

        async def translate_updated(
            turn: TurnContext, activity: Activity, update: Callable[[], Awaitable[Any]]
        ) -> Any:
            if await self._is_spanish(turn):
                _translate(activity)
            return await update()

        context.on_send_activities(translate_sent)
        context.on_update_activity(translate_updated)
        await logic()

    async def _is_spanish(self, context: TurnContext) -> bool:
        return bool(await self._language.get(context, lambda: "en") == "es")


class TranslatedBot(ActivityHandler):
    """Saves nothing itself: the middleware does."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._count = conversation_state.create_property("count")
        self._card_id = conversation_state.create_property("card_id")
        self._language = user_state.create_property("language")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        text = turn_context.activity.text
        count = (await self._count.get(turn_context) or 0) + 1
        await self._count.set(turn_context, count)
        if text in ("es", "en"):
            await self._language.set(turn_context, text)
            await turn_context.send_activity(f"Your current language code is: {text}")
        elif text == "count":
            await self._show_count(turn_context, count)
        elif text == "remind":
            await self._remind(turn_context)
        elif text == "fail":
            await turn_context.send_activity("I try.")
            raise RuntimeError("The bot has failed.")
        else:
            reply = MessageFactory.text(f"You said {text}, message {count}. Your language?")
            reply.suggested_actions = SuggestedActions(
                actions=[
                    CardAction(title=title, type=ActionTypes.post_back, value=value)
                    for title, value in (("Español", "es"), ("English", "en"))
                ]
            )
            await turn_context.send_activity(reply)

    async def _show_count(self, turn_context: TurnContext, count: int) -> None:
        counted = MessageFactory.text(f"Messages: {count}")
        card_id = await self._card_id.get(turn_context)
        if card_id:
            counted.id = card_id
            await turn_context.update_activity(counted)
        else:
            sent = await turn_context.send_activity(counted)
            await self._card_id.set(turn_context, sent.id)

    async def _remind(self, turn_context: TurnContext) -> None:
        reference = TurnContext.get_conversation_reference(turn_context.activity)

        async def remind(later: TurnContext) -> None:
            await later.send_activity("proactive hello")

        await turn_context.send_activity("Before.")
        await turn_context.adapter.continue_conversation(reference, remind, "")


def _translate(activity: Activity) -> None:
    if activity.type == ActivityTypes.message:
        activity.text = f"¡{activity.text}!"


SCRIPT = (
    "hello",
    "es",
    "hola",
    "cuenta",
    "cuenta",
    "recuerda",
    "falla",
    "hola",
    "en",
    "hello",
)
"""What a user sends, one after the other."""

PHRASES = SCRIPT
"""What users say in simulated histories."""


def create_middleware(storage: Storage) -> Iterable[Middleware]:
    """Translate, and save what bot and middleware have changed."""
    user_state = UserState(storage)
    return [
        AutoSaveStateMiddleware([ConversationState(storage), user_state]),
        TranslationMiddleware(user_state),
    ]


async def on_error(context: TurnContext, error: Exception) -> None:
    """Tell the user, and begin again."""
    await context.send_activity("The bot encountered an error or bug.")
    conversation_state = ConversationState(storage_of(context))
    await conversation_state.delete(context)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that counts in `storage`."""
    return TranslatedBot(ConversationState(storage), UserState(storage))
