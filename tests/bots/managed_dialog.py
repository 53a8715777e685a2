"""
A dialog that the SDK's DialogManager runs, with its time of last access in the state.
"""

from botbuilder.core import (
    Bot,
    ConversationState,
    MessageFactory,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.dialogs import (
    ComponentDialog,
    DialogManager,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import ConfirmPrompt, PromptOptions, TextPrompt

STATE_TYPES: tuple[type, ...] = ()


class OrderDialog(ComponentDialog):
    """Takes an order, and counts a user's."""

    def __init__(self, user_state: UserState) -> None:
        super().__init__(OrderDialog.__name__)
        self._orders = user_state.create_property("orders")
        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(ConfirmPrompt(ConfirmPrompt.__name__))
        self.add_dialog(WaterfallDialog("order", [self._ask, self._confirm, self._take]))
        self.initial_dialog_id = "order"

    async def _ask(self, step: WaterfallStepContext) -> DialogTurnResult:
        return await step.prompt(
            TextPrompt.__name__, PromptOptions(prompt=MessageFactory.text("Your order?"))
        )

    async def _confirm(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["order"] = step.result
        return await step.prompt(
            ConfirmPrompt.__name__,
            PromptOptions(prompt=MessageFactory.text(f"{step.result}, is that right?")),
        )

    async def _take(self, step: WaterfallStepContext) -> DialogTurnResult:
        if not step.result:
            return await step.replace_dialog("order")
        orders = await self._orders.get(step.context, int) + 1
        await self._orders.set(step.context, orders)
        await step.context.send_activity(f"Order {orders} is {step.values['order']}.")
        return await step.end_dialog()


class ManagedBot(Bot):
    """Hands every turn to a DialogManager, which saves the state as well."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._manager = DialogManager(OrderDialog(user_state))
        self._manager.conversation_state = conversation_state
        self._manager.user_state = user_state
        self._manager.expire_after = 24 * 3600

    async def on_turn(self, context: TurnContext) -> None:
        await self._manager.on_turn(context)


SCRIPT = ("hello", "tea", "perhaps", "no", "coffee", "yes", "hello", "milk", "yes")
"""What a user sends, one after the other."""

PHRASES = ("hello", "tea", "yes", "no")
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps its dialogs in `storage`."""
    return ManagedBot(ConversationState(storage), UserState(storage))
