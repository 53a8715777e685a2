"""
Asks for a profile with one waterfall and one prompt of each kind, each with what refuses an answer.

The ground that Microsoft's sample 05 (multi-turn prompt) covers.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

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
    DialogExtensions,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice
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
from botbuilder.schema import Attachment

from shared.storage.codec.state_types import state_type


@state_type("UserProfile")
@dataclass
class UserProfile:
    """What is known of a user in the end."""

    transport: str = ""
    name: str = ""
    age: Decimal = Decimal()
    """As NumberPrompt gives it."""
    picture: Attachment | None = None


class ProfileDialog(ComponentDialog):
    """The questions, in their order."""

    def __init__(self, user_state: UserState) -> None:
        super().__init__(ProfileDialog.__name__)
        self._profile = user_state.create_property("UserProfile")
        steps = [
            self._transport,
            self._name,
            self._age,
            self._weight,
            self._picture,
            self._when,
            self._confirm,
            self._summary,
        ]
        self.add_dialog(WaterfallDialog(WaterfallDialog.__name__, steps))
        self.add_dialog(TextPrompt(TextPrompt.__name__, self._is_a_name))
        self.add_dialog(NumberPrompt(NumberPrompt.__name__, self._is_an_age))
        self.add_dialog(NumberPrompt("weight"))
        self.add_dialog(ChoicePrompt(ChoicePrompt.__name__))
        self.add_dialog(ConfirmPrompt(ConfirmPrompt.__name__))
        self.add_dialog(AttachmentPrompt(AttachmentPrompt.__name__, self._is_a_picture))
        self.add_dialog(DateTimePrompt(DateTimePrompt.__name__, self._is_a_day))
        self.initial_dialog_id = WaterfallDialog.__name__

    async def _transport(self, step: WaterfallStepContext) -> DialogTurnResult:
        return await step.prompt(
            ChoicePrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("How do you travel?"),
                retry_prompt=MessageFactory.text("By car, by bus or by bicycle?"),
                choices=[Choice("Car"), Choice("Bus", synonyms=["coach"]), Choice("Bicycle")],
            ),
        )

    async def _name(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["transport"] = step.result.value
        step.values["choice"] = step.result
        return await step.prompt(
            TextPrompt.__name__, PromptOptions(prompt=MessageFactory.text("Your name?"))
        )

    async def _age(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["name"] = step.result
        await step.context.send_activity(f"Thanks, {step.result}.")
        return await step.prompt(
            NumberPrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("Your age?"),
                retry_prompt=MessageFactory.text("Between 0 and 150, please."),
                validations={"most": 150, "patience": timedelta(minutes=1)},
            ),
        )

    async def _weight(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["age"] = step.result
        return await step.prompt(
            "weight", PromptOptions(prompt=MessageFactory.text("Your weight?"))
        )

    async def _picture(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["weight"] = step.result
        assert isinstance(step.result, Decimal | float)
        return await step.prompt(
            AttachmentPrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("A picture?"),
                retry_prompt=MessageFactory.text("It must be a PNG. Anything else is for none."),
            ),
        )

    async def _when(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["picture"] = step.result[0] if step.result else None
        return await step.prompt(
            DateTimePrompt.__name__,
            PromptOptions(
                prompt=MessageFactory.text("Which day?"),
                retry_prompt=MessageFactory.text("A day of a year, please."),
            ),
        )

    async def _confirm(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["days"] = step.result
        return await step.prompt(
            ConfirmPrompt.__name__, PromptOptions(prompt=MessageFactory.text("Is that right?"))
        )

    async def _summary(self, step: WaterfallStepContext) -> DialogTurnResult:
        if not step.result:
            await step.context.send_activity("Then it is not kept.")
            return await step.end_dialog()
        values = step.values
        profile = await self._profile.get(step.context, UserProfile)
        profile.transport = values["transport"]
        profile.name = values["name"]
        profile.age = values["age"]
        profile.picture = values["picture"]
        day = values["days"][0].timex
        await step.context.send_activity(
            f"{profile.name}, {profile.age}, {profile.picture and profile.picture.name}, "
            f"{values['weight']:.1f} kg, {day}, {values['choice'].index}"
        )
        return await step.end_dialog()

    async def _is_a_name(self, prompt: PromptValidatorContext) -> bool:
        return len(prompt.recognized.value) > 1

    async def _is_an_age(self, prompt: PromptValidatorContext) -> bool:
        if prompt.attempt_count > 2:
            await prompt.context.send_activity(f"That was answer {prompt.attempt_count}.")
        most = prompt.options.validations["most"]
        return bool(prompt.recognized.succeeded and 0 < prompt.recognized.value < most)

    async def _is_a_picture(self, prompt: PromptValidatorContext) -> bool:
        if not prompt.recognized.succeeded:
            await prompt.context.send_activity("No picture, then.")
            return True
        prompt.recognized.value = [
            one for one in prompt.recognized.value if one.content_type == "image/png"
        ]
        return bool(prompt.recognized.value)

    async def _is_a_day(self, prompt: PromptValidatorContext) -> bool:
        return bool(prompt.recognized.succeeded) and (
            "XXXX" not in prompt.recognized.value[0].timex
        )


class ProfileBot(ActivityHandler):
    """Runs the dialog with every message."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._conversation_state = conversation_state
        self._user_state = user_state
        self._dialog = ProfileDialog(user_state)

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._conversation_state.save_changes(turn_context, False)
        await self._user_state.save_changes(turn_context, False)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        dialog_state = self._conversation_state.create_property("DialogState")
        await DialogExtensions.run_dialog(self._dialog, turn_context, dialog_state)


STATE_TYPES: tuple[type, ...] = (UserProfile,)

SCRIPT = (
    "hello",
    "by train",
    "coach",
    "A",
    "Ada",
    "two hundred",
    "none",
    "42",
    "70.5",
    {
        "type": "message",
        "attachments": [
            {"contentType": "image/png", "contentUrl": "$service/files/a.png", "name": "a.png"}
        ],
    },
    "May 3",
    "May 3, 2027",
    "yes",
    "hello",
    "2",
)
"""What a user sends, one after the other."""

PHRASES = ("hello", "Car", "Ada", "42", "70.5", "none", "May 3, 2027", "yes", "no")
"""What users say in simulated histories."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps its dialogs and profiles in `storage`."""
    return ProfileBot(ConversationState(storage), UserState(storage))
