"""What an invoke is answered with: what the bot's own adapter of the SDK would answer."""

from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse, Storage, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    AdaptiveCardInvokeResponse,
    AdaptiveCardInvokeValue,
)
from botbuilder.schema.teams import (
    ConfigResponse,
    FileConsentCardResponse,
    MessagingExtensionActionResponse,
    MessagingExtensionResponse,
    MessagingExtensionResult,
    TabResponse,
    TabResponsePayload,
    TaskModuleMessageResponse,
    TaskModuleResponse,
)

from shared.sdk_json import to_plain_json
from tests.unit.turns.conftest import Room, StockRoom

KEY = CloudAdapterBase._INVOKE_RESPONSE_KEY
Before = Callable[[TurnContext], Any]
Answer = tuple[int, Any]

EXTENSION = {"commandId": "find", "parameters": [], "queryOptions": {"count": 5}}
ACTION = {"commandId": "find", "commandContext": "compose", "data": {"a": 1}}
EXECUTE = {"action": {"type": "Action.Execute", "verb": "go", "data": {}}}
INVOKES: list[tuple[str | None, Any]] = [
    (None, {"card": "action"}),
    ("fileConsent/invoke", {"type": "fileUpload", "action": "accept", "context": {}}),
    ("fileConsent/invoke", {"type": "fileUpload", "action": "decline", "context": {}}),
    ("fileConsent/invoke", {"type": "fileUpload", "action": "perhaps", "context": {}}),
    ("actionableMessage/executeAction", {"body": "b", "actionId": "1"}),
    ("composeExtension/queryLink", {"url": "https://example.com"}),
    ("composeExtension/anonymousQueryLink", {"url": "https://example.com"}),
    ("composeExtension/query", EXTENSION),
    ("composeExtension/selectItem", {"a": 1}),
    ("composeExtension/submitAction", ACTION),
    ("composeExtension/submitAction", ACTION | {"botMessagePreviewAction": "edit"}),
    ("composeExtension/fetchTask", ACTION),
    ("composeExtension/querySettingUrl", EXTENSION),
    ("composeExtension/setting", {"state": "s"}),
    ("composeExtension/onCardButtonClicked", {"a": 1}),
    ("task/fetch", {"data": {"a": 1}}),
    ("task/submit", {"data": {"a": 1}}),
    ("tab/fetch", {"tabContext": {"tabEntityId": "t"}}),
    ("tab/submit", {"tabContext": {"tabEntityId": "t"}, "data": {"type": "tab/submit"}}),
    ("config/fetch", {"a": 1}),
    ("config/submit", {"a": 1}),
    ("signin/verifyState", {"state": "123456"}),
    ("signin/tokenExchange", {"id": "1", "connectionName": "c", "token": "t"}),
    ("adaptiveCard/action", EXECUTE),
    ("adaptiveCard/action", {"action": {"type": "Action.Submit"}}),
    ("adaptiveCard/action", {"trigger": "manual"}),
    ("adaptiveCard/action", None),
    ("application/search", {"queryText": "a"}),
    ("an invoke of our own", {"a": [1, None, "ü"]}),
]


class Deaf(TeamsActivityHandler):
    """Handles no invoke."""


class Obliging(TeamsActivityHandler):
    """Handles every invoke that Teams and the SDK know, with the SDK's models."""

    async def on_teams_card_action_invoke(self, turn_context: TurnContext) -> InvokeResponse:
        return InvokeResponse(status=200, body={"clicked": turn_context.activity.value})

    async def on_teams_file_consent_accept(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        await turn_context.send_activity(f"Thank you: {file_consent_card_response.action}.")

    async def on_teams_file_consent_decline(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        await turn_context.send_activity(f"What a pity: {file_consent_card_response.action}.")

    async def on_teams_o365_connector_card_action(self, *_: Any) -> None: ...

    async def on_teams_app_based_link_query(self, *_: Any) -> MessagingExtensionResponse:
        return MessagingExtensionResponse(
            compose_extension=MessagingExtensionResult(type="message", text="a link")
        )

    on_teams_anonymous_app_based_link_query = on_teams_app_based_link_query
    on_teams_messaging_extension_query = on_teams_app_based_link_query
    on_teams_messaging_extension_select_item = on_teams_app_based_link_query
    on_teams_messaging_extension_configuration_query_settings_url = on_teams_app_based_link_query

    async def on_teams_messaging_extension_submit_action(
        self, *_: Any
    ) -> MessagingExtensionActionResponse:
        return MessagingExtensionActionResponse(task=TaskModuleMessageResponse(value="done"))

    on_teams_messaging_extension_bot_message_preview_edit = (
        on_teams_messaging_extension_submit_action
    )
    on_teams_messaging_extension_fetch_task = on_teams_messaging_extension_submit_action

    async def on_teams_messaging_extension_configuration_setting(self, *_: Any) -> None: ...

    async def on_teams_messaging_extension_card_button_clicked(self, *_: Any) -> None: ...

    async def on_teams_task_module_fetch(self, *_: Any) -> TaskModuleResponse:
        return TaskModuleResponse(task=TaskModuleMessageResponse(value="hello"))

    on_teams_task_module_submit = on_teams_task_module_fetch

    async def on_teams_tab_fetch(self, *_: Any) -> TabResponse:
        return TabResponse(tab=TabResponsePayload(type="continue"))

    on_teams_tab_submit = on_teams_tab_fetch

    async def on_teams_config_fetch(self, *_: Any) -> ConfigResponse:
        return ConfigResponse(config={"type": "auth"})

    on_teams_config_submit = on_teams_config_fetch

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity("You are signed in.")

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        return AdaptiveCardInvokeResponse(
            status_code=200, type="application/vnd.microsoft.card.adaptive", value={"body": []}
        )


async def nothing(_context: TurnContext) -> None:
    """Leave the answer to the handler."""


async def refuse(context: TurnContext) -> None:
    """Answer as OAuthPrompt does when a token cannot be exchanged."""
    refusal = InvokeResponse(status=412, body={"failureDetail": "no consent"})
    await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=refusal))


async def refuse_then_accept(context: TurnContext) -> None:
    await refuse(context)
    accepted = InvokeResponse(status=202, body=["accepted"])
    await context.send_activities(
        [
            Activity(type=ActivityTypes.message, text="between"),
            Activity(type=ActivityTypes.invoke_response, value=accepted),
        ]
    )


async def take_back(context: TurnContext) -> None:
    """Answer, and think better of it."""
    await refuse(context)
    del context.turn_state[KEY]


async def leave_in_the_turn(context: TurnContext) -> None:
    """Answer without sending anything, as adapters themselves do."""
    body = {"left": True}
    context.turn_state[KEY] = Activity(
        type=ActivityTypes.invoke_response, value=InvokeResponse(status=203, body=body)
    )


async def answer_nothing(context: TurnContext) -> None:
    await context.send_activity(Activity(type=ActivityTypes.invoke_response))


async def ask_first(context: TurnContext) -> None:
    """Answer only what is not answered yet, by what the turn says."""
    for _ in range(2):
        if KEY not in context.turn_state:
            await refuse(context)


def bot_of(kind: type[TeamsActivityHandler], before: Before) -> type[TeamsActivityHandler]:
    """Return a class of bots that do something else first."""

    class BusyBot(kind):
        async def on_turn(self, turn_context: TurnContext) -> None:
            await before(turn_context)
            await super().on_turn(turn_context)

    return BusyBot


def seen(response: InvokeResponse | None) -> Answer | None:
    """What is in the HTTP response. None: a status of success, and no more."""
    return (response.status, to_plain_json(response.body)) if response else None


async def answers(
    room_with: Callable[..., Room], kind: type[Bot], invoke: dict[str, Any]
) -> list[tuple[Answer | None, list[str]]]:
    """Answers and texts of the stock adapter, of the atomic turn, and of its redelivery."""

    async def on_turn(context: TurnContext, _storage: Storage) -> None:
        await kind().on_turn(context)

    room = room_with(on_turn)
    invoke = {"type": "invoke", "channelId": "msteams", "id": "i", **invoke}
    stock_room = StockRoom(kind())
    stock = await stock_room.hears(room.activity(**invoke))
    first = seen(await room.hears(**invoke)), room.texts()
    again = seen(await room.hears(**invoke)), room.texts()
    return [(seen(stock), stock_room.channel.texts()), first, again]


@pytest.mark.parametrize("before", [nothing, refuse])
@pytest.mark.parametrize("kind", [Deaf, Obliging])
@pytest.mark.parametrize(("name", "value"), INVOKES)
async def test_an_invoke_is_answered_as_by_the_stock_adapter(
    room_with: Callable[..., Room],
    kind: type[TeamsActivityHandler],
    before: Before,
    name: str | None,
    value: Any,
) -> None:
    """Status, body and messages are the same, also when the invoke is delivered again."""
    stock, first, again = await answers(
        room_with, bot_of(kind, before), {"name": name, "value": value}
    )

    assert stock == first
    assert stock == again


@pytest.mark.parametrize(
    "before", [refuse_then_accept, take_back, leave_in_the_turn, answer_nothing, ask_first]
)
@pytest.mark.parametrize("fields", [{}, {"deliveryMode": "expectReplies"}, {"type": "event"}])
async def test_of_several_answers_the_one_counts_that_counts_for_the_stock_adapter(
    room_with: Callable[..., Room], before: Before, fields: dict[str, Any]
) -> None:
    """It is what the turn's state says in the end, whoever put it there and in which order."""
    invoke = {"name": "task/fetch", "value": {"data": {}}} | fields
    stock, first, again = await answers(room_with, bot_of(Obliging, before), invoke)

    assert stock == first
    assert stock == again
