"""
Dialogs in dialogs: a loop by replace_dialog, results handed up, help and cancel at any time.

The ground that Microsoft's samples 13 (core bot), 19 (custom dialogs), 43 (complex dialog) and 44
(custom prompt) cover.
"""

from dataclasses import dataclass, field
from typing import Any

from botbuilder.core import (
    ActivityHandler,
    Bot,
    ConversationState,
    MessageFactory,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.dialogs import (
    ComponentDialog,
    Dialog,
    DialogContext,
    DialogExtensions,
    DialogInstance,
    DialogReason,
    DialogTurnResult,
    DialogTurnStatus,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice, ListStyle
from botbuilder.dialogs.prompts import (
    ActivityPrompt,
    ChoicePrompt,
    NumberPrompt,
    PromptOptions,
    PromptValidatorContext,
    TextPrompt,
)
from botbuilder.schema import Activity, ActivityTypes, InputHints

from shared.storage.codec.state_types import state_type

COMPANIES = ("Adatum", "Contoso", "Fabrikam")


@state_type("Review")
@dataclass
class Review:
    """What the dialogs hand to each other."""

    name: str = ""
    age: int = 0
    companies: list[str] = field(default_factory=list)


class Interruptible(ComponentDialog):
    """Understands "help" and "cancel" whatever it is asked."""

    async def on_continue_dialog(self, inner_dc: DialogContext) -> DialogTurnResult:
        text = (inner_dc.context.activity.text or "").lower()
        if text in ("help", "?"):
            await inner_dc.context.send_activity("Say what you are asked, or cancel.")
            return DialogTurnResult(DialogTurnStatus.Waiting)
        if text in ("cancel", "quit"):
            await inner_dc.context.send_activity("Cancelled.")
            return await inner_dc.cancel_all_dialogs()
        return await super().on_continue_dialog(inner_dc)


class SelectionDialog(Interruptible):
    """Lets one pick companies until there are two, by starting itself again."""

    DONE = "done"

    def __init__(self) -> None:
        super().__init__(SelectionDialog.__name__)
        self.add_dialog(ChoicePrompt(ChoicePrompt.__name__))
        self.add_dialog(WaterfallDialog("selection", [self._select, self._loop]))
        self.initial_dialog_id = "selection"

    async def _select(self, step: WaterfallStepContext) -> DialogTurnResult:
        chosen: list[str] = step.options if isinstance(step.options, list) else []
        step.values["chosen"] = chosen
        left = [company for company in COMPANIES if company not in chosen]
        options = [*left, self.DONE] if chosen else left
        return await step.prompt(
            ChoicePrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text(f"You have chosen {chosen}. Another?"),
                retry_prompt=MessageFactory.text("From the list, please."),
                choices=[Choice(option) for option in options],
                style=ListStyle.suggested_action,
            ),
        )

    async def _loop(self, step: WaterfallStepContext) -> DialogTurnResult:
        chosen = step.values["chosen"]
        if step.result.value != self.DONE:
            chosen.append(step.result.value)
        if step.result.value == self.DONE or len(chosen) >= 2:
            return await step.end_dialog(chosen)
        return await step.replace_dialog("selection", chosen)


class WatchedWaterfall(WaterfallDialog):
    """Says when it ends, and why."""

    async def end_dialog(
        self, context: TurnContext, instance: DialogInstance, reason: DialogReason
    ) -> None:
        if reason == DialogReason.CancelCalled:
            await context.send_activity(f"{instance.id} has ended: {reason.name}.")
        await super().end_dialog(context, instance, reason)


class SlotDialog(Dialog):
    """A dialog without steps: it fills its slots one after the other."""

    SLOTS = ("street", "city")

    async def begin_dialog(self, dialog_context: DialogContext, options: Any = None) -> Any:
        dialog_context.active_dialog.state["filled"] = {}
        return await self._next(dialog_context)

    async def continue_dialog(self, dialog_context: DialogContext) -> Any:
        if dialog_context.context.activity.type != ActivityTypes.message:
            return Dialog.end_of_turn
        return await self._next(dialog_context)

    async def resume_dialog(
        self, dialog_context: DialogContext, reason: DialogReason, result: object
    ) -> Any:
        state = dialog_context.active_dialog.state
        state["filled"][state["slot"]] = result
        return await self._next(dialog_context)

    async def _next(self, dialog_context: DialogContext) -> Any:
        state = dialog_context.active_dialog.state
        empty = [slot for slot in self.SLOTS if slot not in state["filled"]]
        if not empty:
            return await dialog_context.end_dialog(state["filled"])
        state["slot"] = empty[0]
        question = MessageFactory.text(f"Your {empty[0]}?", f"Your {empty[0]}?", "expectingInput")
        return await dialog_context.prompt(TextPrompt.__name__, PromptOptions(prompt=question))


class MainDialog(Interruptible):
    """A name, an age, an address, companies, and an event that ends it."""

    def __init__(self, user_state: UserState) -> None:
        super().__init__(MainDialog.__name__)
        self._review = user_state.create_property("Review")
        self.add_dialog(TextPrompt(TextPrompt.__name__))
        self.add_dialog(NumberPrompt(NumberPrompt.__name__))
        self.add_dialog(ActivityPrompt(ActivityPrompt.__name__, self._is_the_event))
        self.add_dialog(SlotDialog(SlotDialog.__name__))
        self.add_dialog(SelectionDialog())
        steps = [self._name, self._age, self._address, self._companies, self._wait, self._thank]
        self.add_dialog(WatchedWaterfall("main", steps))
        self.initial_dialog_id = "main"

    async def _name(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["review"] = Review()
        return await step.prompt(
            TextPrompt.__name__,
            PromptOptions(
                prompt=Activity(
                    type=ActivityTypes.message,
                    text="Your name?",
                    input_hint=InputHints.expecting_input,
                )
            ),
        )

    async def _age(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["review"].name = step.result
        return await step.prompt(
            NumberPrompt.__name__, PromptOptions(prompt=MessageFactory.text("Your age?"))
        )

    async def _address(self, step: WaterfallStepContext) -> DialogTurnResult:
        review: Review = step.values["review"]
        review.age = int(step.result)
        if review.age < 25:
            await step.context.send_activity("25 or older, to review companies.")
            return await step.next({})
        return await step.begin_dialog(SlotDialog.__name__)

    async def _companies(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["address"] = step.result
        if not step.result:
            return await step.next([])
        return await step.begin_dialog(SelectionDialog.__name__)

    async def _wait(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["review"].companies = step.result
        return await step.prompt(
            ActivityPrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("I wait for the event."),
                retry_prompt=MessageFactory.text("That was not the event."),
            ),
        )

    async def _thank(self, step: WaterfallStepContext) -> DialogTurnResult:
        review: Review = step.values["review"]
        await self._review.set(step.context, review)
        address = step.values["address"]
        await step.context.send_activity(f"Thanks, {review}, {address}, {step.result.value}.")
        return await step.end_dialog(review)

    async def _is_the_event(self, prompt: PromptValidatorContext) -> bool:
        activity = prompt.recognized.value
        return bool(activity.type == ActivityTypes.event and activity.name == "done")


class NestedBot(ActivityHandler):
    """Runs the dialog with every message and event."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._conversation_state = conversation_state
        self._user_state = user_state
        self._dialog = MainDialog(user_state)

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._conversation_state.save_changes(turn_context)
        await self._user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        dialog_state = self._conversation_state.create_property("DialogState")
        await DialogExtensions.run_dialog(self._dialog, turn_context, dialog_state)

    async def on_event_activity(self, turn_context: TurnContext) -> None:
        await self.on_message_activity(turn_context)


STATE_TYPES: tuple[type, ...] = (Review,)

SCRIPT = (
    "hello",
    "help",
    "Ada",
    "42",
    "1 Main Street",
    "London",
    "Contoso",
    "nobody",
    "Adatum",
    "done",
    {"type": "event", "name": "done", "value": {"at": 5}},
    "again",
    "Bob",
    "30",
    "quit",
    "again",
)
"""What a user sends, one after the other."""

PHRASES = ("hello", "help", "Ada", "42", "Contoso", "Adatum", "done", "cancel")
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps its dialogs in `storage`."""
    return NestedBot(ConversationState(storage), UserState(storage))
