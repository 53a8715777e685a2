"""The recipes in docs/recipes.md work as they stand there."""

import re
from fractions import Fraction
from pathlib import Path
from types import ModuleType

from botbuilder.core import ActivityHandler, Bot, ConversationState, Storage, TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity

from shared.bells.event_loop import EventLoopBells
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns import bot_in
from tests.fast_turns import NoContexts

RECIPES = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")


def recipe(heading: str) -> str:
    """The first example in Python under a heading."""
    _, section = RECIPES.split(f"\n## {heading}\n")
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


class CountingBot(ActivityHandler):
    """Counts, saves nothing itself, and fails when it is told to."""

    def __init__(self, state: ConversationState) -> None:
        self.count = state.create_property("count")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        if turn_context.activity.text == "fail":
            raise ValueError
        number = (await self.count.get(turn_context) or 0) + 1
        await self.count.set(turn_context, number)
        await turn_context.send_activity(f"{number}.")


def create_bot(storage: Storage) -> Bot:
    return CountingBot(ConversationState(storage))


async def said_by(module: ModuleType, *texts: str) -> list[str]:
    """What a user sees who says these things to the bot of a module."""
    storage = MemoryStorage(DocumentCodec([]))
    bot = bot_in(module, storage, bells=EventLoopBells(), contexts=NoContexts())
    adapter = TestAdapter(bot.on_turn)
    for text in texts:
        await adapter.receive_activity(Activity(type="message", text=text, locale="de-CH"))
    return [activity.text for activity in adapter.activity_buffer if activity.type == "message"]


async def test_middleware_and_on_error_work_as_they_stand() -> None:
    """State is saved, texts are changed, and an error starts the conversation again."""
    module = ModuleType("example")
    source = recipe("Middleware, errors and apologies")
    vars(module).update(create_bot=create_bot, STATE_TYPES=())
    exec(compile(source, "recipes.md", "exec"), vars(module))
    said = await said_by(module, "one", "two", "fail", "three")
    del vars(module)["on_error"]
    apology = await said_by(module, "fail")

    sorry = "That was too much for me. Let us start again. Please."
    assert ["1. Please.", "2. Please.", sorry, "1. Please."] == said
    assert ["Das ging schief. Bitte noch einmal."] == apology


def test_the_class_of_a_library_is_stored_as_it_stands() -> None:
    """Taken apart by its attributes, and put together by the function."""
    module = ModuleType("example")
    exec(compile(recipe("What may stand in state"), "recipes.md", "exec"), vars(module))
    codec = DocumentCodec(module.STATE_TYPES)
    half = {"half": Fraction(1, 2)}

    assert half == codec.decode(codec.encode(half))
