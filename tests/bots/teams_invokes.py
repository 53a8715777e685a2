"""
A bot that Microsoft Teams asks by invokes: messaging extensions, links, task modules, card actions.

The ground that Microsoft's samples 50 to 55 cover.
"""

from typing import Any

from botbuilder.core import (
    Bot,
    CardFactory,
    ConversationState,
    InvokeResponse,
    Storage,
    TurnContext,
)
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import CardAction, HeroCard, ThumbnailCard
from botbuilder.schema.teams import (
    AppBasedLinkQuery,
    MessagingExtensionAction,
    MessagingExtensionActionResponse,
    MessagingExtensionAttachment,
    MessagingExtensionQuery,
    MessagingExtensionResponse,
    MessagingExtensionResult,
    TaskModuleContinueResponse,
    TaskModuleMessageResponse,
    TaskModuleRequest,
    TaskModuleResponse,
    TaskModuleTaskInfo,
)

STATE_TYPES: tuple[type, ...] = ()


class TeamsInvokesBot(TeamsActivityHandler):
    """Counts its searches in the conversation's state."""

    def __init__(self, state: ConversationState) -> None:
        self._state = state
        self._count = state.create_property("count")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._state.save_changes(turn_context)

    async def on_teams_messaging_extension_query(
        self, turn_context: TurnContext, query: MessagingExtensionQuery
    ) -> MessagingExtensionResponse:
        count = (await self._count.get(turn_context) or 0) + 1
        await self._count.set(turn_context, count)
        found = f"{query.parameters[0].value} ({count})"
        preview = CardFactory.hero_card(
            HeroCard(title=found, tap=CardAction(type="invoke", value={"found": found}))
        )
        attachment = MessagingExtensionAttachment(
            content=HeroCard(title=found), content_type=preview.content_type, preview=preview
        )
        return _found(attachment)

    async def on_teams_messaging_extension_select_item(
        self, turn_context: TurnContext, query: Any
    ) -> MessagingExtensionResponse:
        card = CardFactory.thumbnail_card(ThumbnailCard(title=query["found"]))
        return _found(
            MessagingExtensionAttachment(content_type=card.content_type, content=card.content)
        )

    async def on_teams_messaging_extension_submit_action(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        card = CardFactory.hero_card(HeroCard(title=action.data["title"]))
        attachment = MessagingExtensionAttachment(
            content_type=card.content_type, content=card.content, preview=card
        )
        await turn_context.send_activity(f"{action.data['title']} was made.")
        return MessagingExtensionActionResponse(
            compose_extension=_found(attachment).compose_extension
        )

    async def on_teams_app_based_link_query(
        self, turn_context: TurnContext, query: AppBasedLinkQuery
    ) -> MessagingExtensionResponse:
        card = CardFactory.thumbnail_card(ThumbnailCard(title="Unfurled", text=query.url))
        return _found(
            MessagingExtensionAttachment(content_type=card.content_type, content=card.content)
        )

    async def on_teams_task_module_fetch(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        info = TaskModuleTaskInfo(
            title=task_module_request.data["data"],
            height=200,
            width=400,
            card=CardFactory.adaptive_card({"type": "AdaptiveCard", "version": "1.0", "body": []}),
        )
        return TaskModuleResponse(task=TaskModuleContinueResponse(value=info))

    async def on_teams_task_module_submit(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        await turn_context.send_activity(f"Submitted: {task_module_request.data}")
        return TaskModuleResponse(task=TaskModuleMessageResponse(value="Thanks!"))

    async def on_teams_card_action_invoke(self, turn_context: TurnContext) -> InvokeResponse:
        await turn_context.send_activity(f"A card sent {turn_context.activity.value}.")
        return InvokeResponse(status=202, body=TaskModuleMessageResponse(value="own"))


def _found(attachment: MessagingExtensionAttachment) -> MessagingExtensionResponse:
    return MessagingExtensionResponse(
        compose_extension=MessagingExtensionResult(
            type="result", attachment_layout="list", attachments=[attachment]
        )
    )


def _invoke(name: str, **value: Any) -> dict[str, Any]:
    return {"type": "invoke", "name": name, "value": value}


SCRIPT = (
    _invoke("composeExtension/query", commandId="search", parameters=[{"name": "q", "value": "x"}]),
    _invoke("composeExtension/selectItem", found="x"),
    _invoke("composeExtension/submitAction", commandId="make", data={"title": "A card"}),
    _invoke("composeExtension/fetchTask", commandId="unheard of"),
    _invoke("composeExtension/queryLink", url="https://example.com"),
    _invoke("task/fetch", data={"data": "A task"}),
    _invoke("task/submit", data={"answer": 42}),
    {"type": "invoke", "value": {"pressed": True}},
    _invoke("unheard/of"),
)
"""What a user sends, one after the other."""

PHRASES = SCRIPT
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that counts in `storage`."""
    return TeamsInvokesBot(ConversationState(storage))
