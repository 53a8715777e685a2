"""Histories of any bot: a correct one is called correct, and a wrong one is told what is wrong."""

from collections import defaultdict
from types import ModuleType
from typing import Any

import pytest
from botbuilder.core import ActivityHandler, Bot, ConversationState, Storage, TurnContext

from tests.bots import quiz, tally, to_do_list
from tests.simulation.differences import differences
from tests.simulation.histories import play_own

SEEDS = range(20)


def module_of(create_bot: Any) -> ModuleType:
    """A bot of a test's own, as a module like shared.bot."""
    module = ModuleType("a_bot")
    module.create_bot = create_bot  # type: ignore[attr-defined]
    module.STATE_TYPES = ()  # type: ignore[attr-defined]
    return module


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
