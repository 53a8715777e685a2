"""
Takes orders: a recognizer says what is meant, and a dialog asks with cards for what is missing.

What bots do that no sample does: a recognizer of their own that everything passes first, choices
over cards of their own, dates and amounts among a waterfall's values, and results that are objects.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from botbuilder.core import (
    ActivityHandler,
    Bot,
    CardFactory,
    ConversationState,
    IntentScore,
    MessageFactory,
    Recognizer,
    RecognizerResult,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.dialogs import (
    ComponentDialog,
    DialogContext,
    DialogSet,
    DialogTurnResult,
    DialogTurnStatus,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice, ListStyle
from botbuilder.dialogs.prompts import ChoicePrompt, ConfirmPrompt, NumberPrompt, PromptOptions
from botbuilder.schema import ActionTypes, Activity, ActivityTypes, CardAction, HeroCard

from shared.storage.codec.state_types import state_type

PRICES = {"tea": Decimal("1.50"), "coffee": Decimal("2.30")}


@state_type("Order")
@dataclass
class Order:
    """What was ordered, once."""

    item: str
    amount: int
    price: Decimal
    due: datetime


STATE_TYPES: tuple[type, ...] = (Order,)


class WordRecognizer(Recognizer):
    """Knows intents and entities by words, as a service for languages would by more."""

    async def recognize(self, turn_context: TurnContext) -> RecognizerResult:
        text = turn_context.activity.text or ""
        intent = next((word for word in ("order", "help", "cancel") if word in text), "None")
        entities = {"item": [item for item in PRICES if item in text]}
        amounts = re.findall(r"\d+", text)
        return RecognizerResult(
            text=text,
            intents={intent: IntentScore(score=0.9)},
            entities={**entities, "amount": [int(amount) for amount in amounts]},
        )


class OrderDialog(ComponentDialog):
    """Item, amount, confirmation."""

    def __init__(self, recognizer: Recognizer, user_state: UserState) -> None:
        super().__init__(OrderDialog.__name__)
        self._recognizer = recognizer
        self._orders = user_state.create_property("orders")
        item = ChoicePrompt("item")
        item.style = ListStyle.none
        self.add_dialog(item)
        self.add_dialog(NumberPrompt("amount"))
        self.add_dialog(ConfirmPrompt("sure"))
        steps = [self._ask_item, self._ask_amount, self._ask_whether_sure, self._order]
        self.add_dialog(WaterfallDialog("steps", steps))
        self.initial_dialog_id = "steps"

    async def on_continue_dialog(self, inner_dc: DialogContext) -> DialogTurnResult:
        meant = (await self._recognizer.recognize(inner_dc.context)).get_top_scoring_intent()
        if meant.intent == "help":
            await inner_dc.context.send_activity("Say what you want to drink.")
            await inner_dc.reprompt_dialog()
            return DialogTurnResult(DialogTurnStatus.Waiting)
        if meant.intent == "cancel":
            await inner_dc.context.send_activity("Cancelled.")
            return await inner_dc.cancel_all_dialogs()
        return await super().on_continue_dialog(inner_dc)

    async def _ask_item(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["began"] = datetime(2026, 5, 1, 12, 30)  # noqa: DTZ001  # as many bots have it
        step.values["day"] = date(2026, 5, 1)
        step.values["found"] = step.options
        if step.options["item"]:
            return await step.next(step.options["item"][0])
        cards = [
            CardFactory.hero_card(
                HeroCard(
                    title=f"{name}, {price}",
                    buttons=[CardAction(type=ActionTypes.im_back, title=name, value=name)],
                )
            )
            for name, price in PRICES.items()
        ]
        options = PromptOptions(
            prompt=MessageFactory.carousel(cards, "What would you like?"),
            retry_prompt=MessageFactory.text("Tea or coffee?"),
            choices=[Choice(name, synonyms=[f"cup of {name}"]) for name in PRICES],
        )
        await step.context.send_activities(
            [Activity(type=ActivityTypes.typing), Activity(type="delay", value=10)]
        )
        return await step.prompt("item", options)

    async def _ask_amount(self, step: WaterfallStepContext) -> DialogTurnResult:
        item = step.result if isinstance(step.result, str) else step.result.value
        step.values["item"], step.values["price"] = item, PRICES[item]
        if step.values["found"]["amount"]:
            return await step.next(step.values["found"]["amount"][0])
        prompt = MessageFactory.text(f"How many, at {step.values['price']}?")
        return await step.prompt("amount", PromptOptions(prompt=prompt))

    async def _ask_whether_sure(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["amount"] = int(step.result)
        step.values["total"] = step.values["price"] * step.values["amount"]
        prompt = MessageFactory.text(f"{step.values['total']} for {step.values['day']}?")
        return await step.prompt("sure", PromptOptions(prompt=prompt))

    async def _order(self, step: WaterfallStepContext) -> DialogTurnResult:
        if not step.result:
            await step.context.send_activity("Nothing ordered.")
            return await step.end_dialog()
        values: dict[str, Any] = step.values
        due = values["began"] + timedelta(hours=2)
        orders = await self._orders.get(step.context, list)
        orders.append(Order(values["item"], values["amount"], values["price"], due))
        total = sum(order.price * order.amount for order in orders)
        await step.context.send_activity(f"Due at {due}; {total} altogether.")
        return await step.end_dialog(orders[-1])


class OrderBot(ActivityHandler):
    """Lets the recognizer look first, and begins the dialog with what it has found."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._conversation_state = conversation_state
        self._user_state = user_state
        self._recognizer = WordRecognizer()
        self._dialogs = DialogSet(conversation_state.create_property("DialogState"))
        self._dialogs.add(OrderDialog(self._recognizer, user_state))

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._conversation_state.save_changes(turn_context)
        await self._user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        dialogs = await self._dialogs.create_context(turn_context)
        result = await dialogs.continue_dialog()
        if result.status == DialogTurnStatus.Complete and result.result:
            await turn_context.send_activity(f"Thanks for ordering {result.result.item}.")
        elif result.status == DialogTurnStatus.Empty:
            found = await self._recognizer.recognize(turn_context)
            if found.get_top_scoring_intent().intent == "order":
                await dialogs.begin_dialog(OrderDialog.__name__, found.entities)
            else:
                await turn_context.send_activity("I take orders.")


SCRIPT = (
    "hello",
    "order",
    "help",
    "water",
    "cup of tea",
    "many",
    "3",
    "yes",
    "order 2 coffee",
    "no",
    "order coffee",
    "cancel",
    "order 4",
    "coffee",
    "yes",
)
"""What a user sends, one after the other."""

PHRASES = ("hello", "order", "help", "tea", "coffee", "3", "yes", "order 2 coffee", "cancel")
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps orders in `storage`."""
    return OrderBot(ConversationState(storage), UserState(storage))
