"""Histories of any bot: a correct one is called correct, and a wrong one is told what is wrong."""

from collections import defaultdict
from types import ModuleType
from typing import Any

import pytest
from botbuilder.core import (
    ActivityHandler,
    AnonymousReceiveMiddleware,
    Bot,
    ConversationState,
    InvokeResponse,
    Storage,
    TurnContext,
)
from botbuilder.schema import Activity

from tests.bots import quiz, single_sign_on, tally, teams_invokes, to_do_list, translated
from tests.simulation.copies import Edit, changed
from tests.simulation.differences import differences
from tests.simulation.histories import play_own
from tests.simulation.own_world import OwnSaid

SEEDS = range(20)


def module_of(create_bot: Any) -> ModuleType:
    """A bot of a test's own, as a module like shared.bot."""
    module = ModuleType("a_bot")
    module.create_bot = create_bot  # type: ignore[attr-defined]
    module.STATE_TYPES = ()  # type: ignore[attr-defined]
    return module


class Polite(ActivityHandler):
    """Thanks for each message."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity("Thanks.")


def wrong_with(bot: ModuleType) -> dict[int, list[str]]:
    """What is wrong with its histories, by their seeds."""
    return {seed: wrong for seed in SEEDS if (wrong := play_own(seed, bot=bot)[1].wrong)}


@pytest.mark.parametrize("bot", [tally, to_do_list, quiz], ids=lambda bot: bot.__name__)
def test_a_correct_bot_is_called_correct(bot: ModuleType) -> None:
    """Typing, cards, buttons, proactive messages, random ids and plain objects are no faults."""
    assert {} == wrong_with(bot)


def test_a_bot_that_counts_in_memory_is_told_what_was_expected() -> None:
    """Its replies differ, and both are shown."""
    counts: dict[str, int] = defaultdict(int)

    class Forgetful(ActivityHandler):
        async def on_message_activity(self, turn_context: TurnContext) -> None:
            place = turn_context.activity.conversation.id
            counts[place] += 1
            await turn_context.send_activity(f"message {min(counts[place], 2)}")

    wrong = wrong_with(module_of(lambda _storage: Forgetful()))

    assert wrong
    first = next(iter(wrong.values()))[0]
    assert 'expected "message 2", came "message 1"' in first
    assert first.startswith("replies to a")


def test_state_that_differs_is_shown() -> None:
    """So is a property that a serial run would not have left."""
    seen: set[str] = set()

    class Odd(ActivityHandler):
        def __init__(self, storage: Storage) -> None:
            self.state = ConversationState(storage)

        async def on_message_activity(self, turn_context: TurnContext) -> None:
            place = turn_context.activity.conversation.id
            if place not in seen:
                await self.state.create_property("first").set(turn_context, True)
            seen.add(place)
            await self.state.save_changes(turn_context)

    wrong = [line for lines in wrong_with(module_of(Odd)).values() for line in lines]

    assert any('expected null, came {"first": true}' in line for line in wrong)


def test_what_a_bot_raises_is_shown_as_its_own() -> None:
    """With the error, its place, and what was said; the rest of the history is as it should be."""

    class Failing(ActivityHandler):
        async def on_message_activity(self, turn_context: TurnContext) -> None:
            if turn_context.activity.text == "42":
                raise KeyError("no such thing")

    def create_bot(_storage: Storage) -> Bot:
        return Failing()

    wrong = [line for lines in wrong_with(module_of(create_bot)).values() for line in lines]

    assert wrong
    for line in wrong:
        assert line.startswith("the bot itself failed at ")
        assert "'42'" in line
        assert "KeyError: 'no such thing' (tests/simulation/test_own_bot.py:" in line


def test_an_answer_that_a_bot_remembers_in_memory_is_told_from_what_was_expected() -> None:
    """Answers to invokes are compared as replies are."""
    counts: dict[str, int] = defaultdict(int)

    class Forgetful(ActivityHandler):
        async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
            place = turn_context.activity.conversation.id
            counts[place] += 1
            return InvokeResponse(status=200, body={"count": min(counts[place], 2)})

    bot = module_of(lambda _storage: Forgetful())
    bot.PHRASES = ({"type": "invoke", "name": "count", "value": {}},)  # type: ignore[attr-defined]
    wrong = wrong_with(bot)

    assert wrong
    assert "body.count: expected 2, came 1" in next(iter(wrong.values()))[0]


def test_middleware_that_counts_in_memory_is_told_what_was_expected() -> None:
    """What it adds to replies is compared with what it adds in a serial run."""
    counts: dict[str, int] = defaultdict(int)

    async def number_replies(context: TurnContext, logic: Any) -> None:
        async def number(_: TurnContext, activities: list[Activity], send: Any) -> Any:
            for activity in activities:
                counts[activity.conversation.id] += 1
                activity.text = f"{min(counts[activity.conversation.id], 2)}. {activity.text}"
            return await send()

        context.on_send_activities(number)
        await logic()

    bot = module_of(lambda _storage: Polite())
    bot.create_middleware = lambda _: [  # type: ignore[attr-defined]
        AnonymousReceiveMiddleware(number_replies)
    ]
    wrong = [line for lines in wrong_with(bot).values() for line in lines]

    assert any('expected "2. Thanks.", came "1. Thanks."' in line for line in wrong)


def test_an_error_is_the_bots_own_where_its_handler_raises_another() -> None:
    """The handler's error is shown; where it makes something of an error, nothing is."""

    class Failing(ActivityHandler):
        async def on_message_activity(self, turn_context: TurnContext) -> None:
            raise ValueError(turn_context.activity.text)

    async def on_error(context: TurnContext, error: Exception) -> None:
        if "42" in str(error):
            raise KeyError("no way out") from error
        await context.send_activity("That was too much for me.")

    bot = module_of(lambda _storage: Failing())
    bot.on_error = on_error  # type: ignore[attr-defined]
    wrong = [line for lines in wrong_with(bot).values() for line in lines]

    assert wrong
    for line in wrong:
        assert "'42'" in line
        assert "KeyError: 'no way out'" in line


@pytest.mark.parametrize(
    ("phrase", "sent"),
    [
        ("hello", ("message", "hello", None, None)),
        ("{hello}", ("message", "{hello}", None, None)),
        ("{", ("message", "{", None, None)),
        (
            '{"type": "invoke", "name": "task/fetch", "value": {"a": 1}}',
            ("invoke", None, "task/fetch", {"a": 1}),
        ),
        ('{"type": "message", "value": 5}', ("message", None, None, 5)),
    ],
)
def test_a_phrase_is_a_text_or_the_fields_of_an_activity(phrase: str, sent: Any) -> None:
    """A line of phrases.txt that is a JSON object says what else than a message is sent."""
    activity = OwnSaid("a0", "a0", "one", "ada", phrase).to_activity()

    assert sent == (activity.type, activity.text, activity.name, activity.value)
    assert "a0" == activity.channel_data["label"]


FAULTS = {
    "no middleware": (
        Edit("pipeline.py", "self._middleware.receive_activity_with_status(context, logic)",
             "logic(context)"),
        translated,
    ),
    "no on_error": (Edit("pipeline.py", "self._on_error is None or", "True or"), translated),
    "answers are not repeated": (
        Edit("state/journal.py", "reversed(self.answers) if one.id == turn_id", "()"),
        teams_invokes,
    ),
    "tokens are exchanged again": (
        Edit("state/unit_of_work.py", "e_tag not in (None, \"*\", self._e_tag(key))", "False"),
        single_sign_on,
    ),
}  # fmt: skip
"""What may be wrong with the product, and the bot that shows it."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_product_is_noticed(fault: str) -> None:
    """Each of these makes correct bots differ from their serial runs."""
    edit, bot = FAULTS[fault]
    product = changed([edit])

    assert any(play_own(seed, bot=bot, product=product)[1].wrong for seed in range(100))


@pytest.mark.parametrize(
    ("expected", "came", "told"),
    [
        ([{"a": 1}, {"a": 1}], {"a": 1}, []),
        ([{"a": 1}, {"a": 1}], {"a": 2}, ["x.a: expected 1, came 2"]),
        ([{"a": 1}, {"a": 2}], {"a": 3}, []),
        ([{"a": 1}, {"a": 2}], {}, ["x.a: expected 1, came nothing"]),
        ([{"a": 1}, {"a": 2}], {"a": 1, "b": 1}, ["x.b: expected nothing, came 1"]),
        ([{"p": 1}, {"q": 1}], {"r": 1}, []),
        ([{"p": 1}, {"q": 1}], {"r": 1, "s": 1}, ["x: expected 1 entries, came 2"]),
        ([[1, 2], [2, 1]], [3, 4], []),
        ([[1, 2], [2, 1]], [1], ["x: expected [1, 2], came [1]"]),
        ([[1], [2, 1]], [1, 2, 3], []),
        ([[1, 5], [2, 5]], [3, 6], ["x[1]: expected 5, came 6"]),
        ([None, None], {"a": 1}, ['x: expected null, came {"a": 1}']),
        (["a", "b"], 5, ['x: expected "a", came 5']),
    ],
)
def test_only_what_all_runs_agree_upon_is_compared(
    expected: list[Any], came: Any, told: list[str]
) -> None:
    """What is made up may be anything; how much of it there is, and what is around it, may not."""
    assert told == list(differences("x", expected, came))
