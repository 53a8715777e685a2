"""
Signs its users in with the SDK's OAuthPrompt: card, magic code, single sign-on, sign-out.

The ground that Microsoft's samples 18 (authentication) and 46 (authentication in Teams) cover.
"""

from typing import Any

from botbuilder.core import Bot, ConversationState, MessageFactory, Storage, TurnContext, UserState
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.dialogs import (
    ComponentDialog,
    DialogContext,
    DialogExtensions,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import (
    ConfirmPrompt,
    OAuthPrompt,
    OAuthPromptSettings,
    PromptOptions,
)
from botframework.connector.auth import UserTokenClient

CONNECTION = "graph"

STATE_TYPES: tuple[type, ...] = ()


class SignInDialog(ComponentDialog):
    """Signs in, and says the token once it is asked to."""

    def __init__(self) -> None:
        super().__init__(SignInDialog.__name__)
        settings = OAuthPromptSettings(
            connection_name=CONNECTION, text="Please sign in", title="Sign in", timeout=300_000
        )
        self.add_dialog(OAuthPrompt(OAuthPrompt.__name__, settings))
        self.add_dialog(ConfirmPrompt(ConfirmPrompt.__name__))
        steps = [self._sign_in, self._signed_in, self._again, self._tell]
        self.add_dialog(WaterfallDialog("main", steps))
        self.initial_dialog_id = "main"

    async def on_continue_dialog(self, inner_dc: DialogContext) -> DialogTurnResult:
        activity = inner_dc.context.activity
        if activity.text == "logout":
            client = inner_dc.context.turn_state[UserTokenClient.__name__]
            await client.sign_out_user(activity.from_property.id, CONNECTION, activity.channel_id)
            await inner_dc.context.send_activity("You have been signed out.")
            return await inner_dc.cancel_all_dialogs()
        return await super().on_continue_dialog(inner_dc)

    async def _sign_in(self, step: WaterfallStepContext) -> DialogTurnResult:
        return await step.begin_dialog(OAuthPrompt.__name__)

    async def _signed_in(self, step: WaterfallStepContext) -> DialogTurnResult:
        if not step.result:
            await step.context.send_activity("Login was not successful.")
            return await step.end_dialog()
        await step.context.send_activity("You are now logged in.")
        return await step.prompt(
            ConfirmPrompt.__name__,
            PromptOptions(prompt=MessageFactory.text("Would you like to view your token?")),
        )

    async def _again(self, step: WaterfallStepContext) -> DialogTurnResult:
        if not step.result:
            return await step.end_dialog()
        # Tokens are asked for again, and kept in no state.
        return await step.begin_dialog(OAuthPrompt.__name__)

    async def _tell(self, step: WaterfallStepContext) -> DialogTurnResult:
        await step.context.send_activity(f"Here it is: {step.result.token}.")
        return await step.end_dialog()


class SignInDialogBot(TeamsActivityHandler):
    """Runs the dialog with every message, and with what a sign-in comes back as."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._conversation_state = conversation_state
        self._user_state = user_state
        self._dialog = SignInDialog()

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._conversation_state.save_changes(turn_context)
        await self._user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        dialog_state = self._conversation_state.create_property("DialogState")
        await DialogExtensions.run_dialog(self._dialog, turn_context, dialog_state)

    async def on_token_response_event(self, turn_context: TurnContext) -> None:
        await self.on_message_activity(turn_context)

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        await self.on_message_activity(turn_context)

    async def on_teams_signin_tokenexchange(self, turn_context: TurnContext) -> None:
        await self.on_message_activity(turn_context)


def exchange(token: str, connection: str = CONNECTION) -> dict[str, Any]:
    """Make what a client of Teams sends that has a token to exchange."""
    value = {"id": "exchange-1", "connectionName": connection, "token": token}
    return {"type": "invoke", "name": "signin/tokenExchange", "value": value}


def _verify(state: str) -> dict[str, Any]:
    return {"type": "invoke", "name": "signin/verifyState", "value": {"state": state}}


SCRIPT = (
    "hello",
    "not the code",
    "123456",
    "yes",
    "hello",
    "logout",
    "hello",
    exchange("a token of the client", "another connection"),
    exchange("a stranger's token"),
    exchange("a token of the client"),
    "no",
    "logout",
    "hello",
    _verify("654321"),
    _verify("123456"),
    "yes",
)
"""What a user sends, one after the other."""

PHRASES = SCRIPT
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps its dialogs in `storage`."""
    return SignInDialogBot(ConversationState(storage), UserState(storage))
