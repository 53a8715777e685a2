"""Conversations that the stock SDK has begun, and that go on here where they stopped."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import pytest
from botbuilder.azure import CosmosDbPartitionedStorage
from botbuilder.core import (
    Bot,
    ConversationState,
    MessageFactory,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.core.adapters import TestAdapter
from botbuilder.dialogs import (
    ComponentDialog,
    DialogContext,
    DialogManager,
    DialogTurnResult,
    DialogTurnStatus,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice, ListStyle
from botbuilder.dialogs.prompts import (
    AttachmentPrompt,
    ChoicePrompt,
    ConfirmPrompt,
    DateTimePrompt,
    NumberPrompt,
    PromptOptions,
    PromptValidatorContext,
    TextPrompt,
)
from botbuilder.schema import Activity, CardAction

from shared.settings import CosmosSettings
from shared.storage import state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.storage import CosmosStorage
from shared.storage.document_ids import document_id
from tests.fast_turns import fast_turns


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Price(NamedTuple):
    amount: Decimal
    currency: str


@state_type("Order", formerly=(f"{__name__}.Order",))
@dataclass
class Order:
    """What the old bot kept between its steps."""

    size: Size
    price: Price


class CakeDialog(ComponentDialog):
    """Orders cakes until there are enough: a dialog in a dialog, which starts itself again."""

    def __init__(self) -> None:
        super().__init__("cake")
        self.add_dialog(ChoicePrompt("size"))
        self.add_dialog(NumberPrompt("count", self._is_count))
        self.add_dialog(ConfirmPrompt("more"))
        self.add_dialog(WaterfallDialog("steps", [self._size, self._count, self._more, self._end]))
        self.initial_dialog_id = "steps"

    async def _size(self, step: WaterfallStepContext) -> DialogTurnResult:
        sizes = [Choice("small", CardAction(title="S", type="imBack", value="small"), ["tiny"])]
        options = PromptOptions(
            MessageFactory.text("Which size?"),
            choices=[*sizes, Choice("large")],
            style=ListStyle.list_style,
        )
        return await step.prompt("size", options)

    async def _count(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["size"] = Size.SMALL if step.result.index == 0 else Size.LARGE
        step.values["found"] = step.result
        options = PromptOptions(
            MessageFactory.text("How many?"),
            MessageFactory.text("Between 1 and 9, please."),
            validations={"most": 9, "within": timedelta(hours=1)},
        )
        return await step.prompt("count", options)

    async def _more(self, step: WaterfallStepContext) -> DialogTurnResult:
        price = Price(Decimal("2.50") * int(step.result), "EUR")
        orders = [*(step.options or []), Order(step.values["size"], price)]
        step.values["orders"] = orders
        return await step.prompt("more", PromptOptions(MessageFactory.text("More?")))

    async def _end(self, step: WaterfallStepContext) -> DialogTurnResult:
        if step.result:
            return await step.replace_dialog("steps", step.values["orders"])
        return await step.end_dialog(step.values["orders"])

    async def _is_count(self, prompt: PromptValidatorContext) -> bool:
        most = prompt.options.validations["most"]
        return bool(prompt.recognized.succeeded and 0 < prompt.recognized.value <= most)


class PartyDialog(ComponentDialog):
    """The whole, which one may ask for help with, and cancel."""

    def __init__(self, user_state: UserState) -> None:
        super().__init__("party")
        self._last = user_state.create_property("last")
        self.add_dialog(TextPrompt("name"))
        self.add_dialog(DateTimePrompt("day"))
        self.add_dialog(AttachmentPrompt("photo"))
        self.add_dialog(CakeDialog())
        steps = [self._name, self._day, self._photo, self._cakes, self._end]
        self.add_dialog(WaterfallDialog("steps", steps))
        self.initial_dialog_id = "steps"

    async def on_continue_dialog(self, inner_dc: DialogContext) -> DialogTurnResult:
        text = inner_dc.context.activity.text
        if text == "help":
            await inner_dc.context.send_activity(f"In {inner_dc.active_dialog.id}.")
            return DialogTurnResult(DialogTurnStatus.Waiting)
        if text == "cancel":
            await inner_dc.context.send_activity("Cancelled.")
            return await inner_dc.cancel_all_dialogs()
        return await super().on_continue_dialog(inner_dc)

    async def _name(self, step: WaterfallStepContext) -> DialogTurnResult:
        return await step.prompt("name", PromptOptions(MessageFactory.text("Whose party?")))

    async def _day(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["name"] = step.result
        step.values["asked"] = step.context.activity
        return await step.prompt("day", PromptOptions(MessageFactory.text("When?")))

    async def _photo(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["day"] = step.result
        step.values["seen"] = {"photo", "day"}, (1, 2)
        return await step.prompt("photo", PromptOptions(MessageFactory.text("A photo?")))

    async def _cakes(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["photo"] = step.result
        return await step.begin_dialog("cake")

    async def _end(self, step: WaterfallStepContext) -> DialogTurnResult:
        values, last = step.values, await self._last.get(step.context)
        orders = [(one.size, one.price.amount) for one in step.result]
        await step.context.send_activity(
            f"{values['name']} on {values['day'][0].timex}, {values['photo'][0].name}, {orders}, "
            f"{sorted(values['seen'][0])}, {values['seen'][1]}, {values['asked'].text}, {last}"
        )
        await self._last.set(step.context, values["name"])
        return await step.end_dialog()


class PartyBot(Bot):
    """Runs the dialog in a DialogManager, which keeps a time of its own."""

    def __init__(self, storage: Storage) -> None:
        user_state = UserState(storage)
        self._manager = DialogManager(PartyDialog(user_state))
        self._manager.conversation_state = ConversationState(storage)
        self._manager.user_state = user_state

    async def on_turn(self, context: TurnContext) -> None:
        await self._manager.on_turn(context)


PHOTO = [{"contentType": "image/png", "contentUrl": "https://example.com/a.png", "name": "a.png"}]
SCRIPT: tuple[Any, ...] = (
    *("hello", "Ada", "help", "sometime", "May 3, 2027", PHOTO, "medium", "tiny", "twenty", "many"),
    *("3", "perhaps", "yes", "large", "1", "no"),
    *("hello", "Grace", "cancel", "hello", "Bob"),
)


class StockStorage(CosmosDbPartitionedStorage):
    """The SDK's own storage: the JSON that it sends, and what it makes of it, without a server."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        return {
            key: self._CosmosDbPartitionedStorage__create_si(
                {"document": json.loads(self.documents[key]), "_etag": "*"}
            )
            for key in keys
            if key in self.documents
        }

    async def write(self, changes: dict[str, Any]) -> None:
        for key, document in changes.items():
            plain = self._CosmosDbPartitionedStorage__create_dict(document)
            self.documents[key] = json.dumps(plain)


async def said(bot: Callable[[TurnContext], Any], script: Iterable[Any]) -> list[str]:
    """What the bot answers to each of a user's messages."""
    adapter = TestAdapter(bot)
    texts = []
    for text in script:
        activity = Activity(type="message", text=text if isinstance(text, str) else None)
        if not isinstance(text, str):
            activity = Activity.deserialize({"type": "message", "attachments": text})
        await adapter.receive_activity(activity)
        texts.append("; ".join(reply.text or reply.type for reply in adapter.activity_buffer))
        adapter.activity_buffer.clear()
    return texts


@pytest.fixture
async def cosmos(cosmos_container: CosmosSettings) -> AsyncIterator[CosmosStorage]:
    """An empty container."""
    storage = CosmosStorage(cosmos_container, DocumentCodec([Order]))
    yield storage
    await storage.close()


async def test_a_conversation_goes_on_where_the_stock_sdk_left_it(cosmos: CosmosStorage) -> None:
    """After each message of it, in whatever prompt, and with whatever its steps have kept."""
    stock = StockStorage()
    # As on the stock SDK: a bot that is made once, and keeps what it can in itself.
    expected = await said(PartyBot(stock).on_turn, SCRIPT)
    assert "Ada on 2027-05-03, a.png" in expected[15], expected
    for done in range(1, len(SCRIPT)):
        begun = StockStorage()
        before = await said(PartyBot(begun).on_turn, SCRIPT[:done])
        for key, document in begun.documents.items():
            item = {"id": document_id(key), "realId": key, "document": json.loads(document)}
            await cosmos.container.upsert_item(item)
        after = await said(fast_turns(PartyBot, cosmos).on_turn, SCRIPT[done:])

        assert expected == [*before, *after]


async def test_the_documents_are_plain_after_that(cosmos: CosmosStorage) -> None:
    """The first turn writes what it has read in this app's own form."""
    begun = StockStorage()
    await said(PartyBot(begun).on_turn, SCRIPT[:9])
    [(key, document)] = [one for one in begun.documents.items() if "py/" in one[1]]
    item = {"id": document_id(key), "realId": key, "document": json.loads(document)}
    await cosmos.container.upsert_item(item)
    await said(fast_turns(PartyBot, cosmos).on_turn, SCRIPT[9:10])

    written = await cosmos.container.read_item(item["id"], partition_key=item["id"])
    stored = {name: value for name, value in written["document"].items() if name != "$turns"}
    assert {"_lastAccess", "DialogState"} == stored.keys()
    assert "py/" not in json.dumps(stored)
    last = (await cosmos.read([key]))[key]["_lastAccess"]
    assert datetime is type(last)
