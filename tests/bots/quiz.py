"""A quiz with buttons, in conversations; whoever has waited is reminded by a proactive message."""

import random
from dataclasses import dataclass, field
from typing import Any

from botbuilder.core import (
    ActivityHandler,
    Bot,
    CardFactory,
    ConversationState,
    Storage,
    TurnContext,
)
from botbuilder.schema import Activity, ActivityTypes, CardAction, HeroCard, SuggestedActions

from shared.storage.codec.state_types import state_type

QUESTIONS = {"2 + 2": "4", "3 x 3": "9", "10 - 3": "7"}


@state_type("Round")
@dataclass
class Round:
    """The questions of a conversation in the order in which they are put, and the score."""

    order: list[str] = field(default_factory=list)
    asked: int = 0
    score: int = 0
    card_id: str = ""
    """The id of the activity that shows the score; "" before it was shown."""


class QuizBot(ActivityHandler):
    """Puts a question with each message, and takes the next one for its answer."""

    def __init__(self, conversation_state: ConversationState) -> None:
        self.conversation_state = conversation_state
        self.round = conversation_state.create_property("Round")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        quiz: Round = await self.round.get(turn_context, Round)
        if turn_context.activity.text == "remind":
            await self._remind(turn_context)
            return
        if quiz.order and quiz.asked <= len(quiz.order):
            expected = QUESTIONS[quiz.order[quiz.asked - 1]]
            is_right = turn_context.activity.text == expected
            quiz.score += is_right
            await turn_context.send_activity("Right." if is_right else f"No, {expected}.")
        if quiz.asked >= len(quiz.order):
            await turn_context.send_activity(f"{quiz.score} right. A new round:")
            quiz.order = random.sample(sorted(QUESTIONS), len(QUESTIONS))
            quiz.asked = quiz.score = 0
        await self._ask(turn_context, quiz)

    async def _ask(self, turn_context: TurnContext, quiz: Round) -> None:
        question = quiz.order[quiz.asked]
        quiz.asked += 1
        buttons = [
            CardAction(type="imBack", title=answer, value=answer) for answer in QUESTIONS.values()
        ]
        await turn_context.send_activity(
            Activity(
                type=ActivityTypes.message,
                text=f"How much is {question}?",
                suggested_actions=SuggestedActions(actions=buttons),
            )
        )
        card = CardFactory.hero_card(HeroCard(title=f"Score: {quiz.score}", buttons=buttons))
        score = Activity(type=ActivityTypes.message, attachments=[card])
        if quiz.card_id:
            score.id = quiz.card_id
            await turn_context.update_activity(score)
        else:
            sent = await turn_context.send_activity(score)
            # With expectReplies nothing has an id yet.
            quiz.card_id = (sent and sent.id) or ""

    async def _remind(self, turn_context: TurnContext) -> None:
        reference = TurnContext.get_conversation_reference(turn_context.activity)

        async def remind(later: TurnContext) -> Any:
            await later.send_activity("A question is waiting for you.")

        await turn_context.adapter.continue_conversation(reference, remind, "bot")


PHRASES = ("4", "9", "7", "what?", "remind")
"""What users say in simulated histories."""

STATE_TYPES: tuple[type, ...] = (Round,)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps its rounds in `storage`."""
    return QuizBot(ConversationState(storage))
