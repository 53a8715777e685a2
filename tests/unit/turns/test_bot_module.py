"""What a module that a bot is in may have besides the bot, and what is said if it is wrong."""

import re
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import (
    AnonymousReceiveMiddleware,
    AutoSaveStateMiddleware,
    Bot,
    Middleware,
    ShowTypingMiddleware,
    Storage,
    TurnContext,
)

from shared.turns import TransactionalBot, bot_in
from tests.unit.turns.conftest import CountedStorage, Room

SORRY = "Sorry, something went wrong here. Please try again."


class FailingBot(Bot):
    """Raises what it hears."""

    async def on_turn(self, context: TurnContext) -> None:
        raise ValueError(context.activity.text)


def module(**names: Any) -> Any:
    """A module with a bot that fails, and with these names."""
    return SimpleNamespace(
        __name__="my.bot", STATE_TYPES=(), create_bot=lambda _: FailingBot(), **names
    )


@pytest.fixture
def room_of(room_with: Callable[..., Room], storage: CountedStorage) -> Callable[..., Room]:
    """Make a room of a module with these names."""

    async def nothing(_context: TurnContext, _storage: Storage) -> None: ...

    def room_of(**names: Any) -> Room:
        room = room_with(nothing)
        room.bot = bot_in(module(**names), storage, bells=room.queue, contexts=room)
        return room

    return room_of


async def test_only_the_bot_is_needed(room_of: Callable[..., Room]) -> None:
    """A module without any of the other names has a bot with atomic turns."""
    room = room_of()
    await room.hears("hi")

    assert [SORRY] == room.texts()


async def test_middleware_and_on_error_are_found_in_the_module(
    room_of: Callable[..., Room],
) -> None:
    """Both are around the module's bot."""

    async def shout(context: TurnContext, logic: Callable[[], Any]) -> None:
        context.activity.text = context.activity.text.upper()
        await logic()

    async def on_error(context: TurnContext, error: Exception) -> None:
        await context.send_activity(f"{error}!")

    room = room_of(
        create_middleware=lambda _: [AnonymousReceiveMiddleware(shout)], on_error=on_error
    )
    await room.hears("hi")

    assert ["HI!"] == room.texts()


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de", "Das ging schief."),
        ("de-AT", "Des geht si ned aus."),
        ("DE_at", "Des geht si ned aus."),
        ("de-AT-x-wien", "Des geht si ned aus."),
        ("de-CH", "Das ging schief."),
        ("fr", "Oops."),
        ("d", "Oops."),
        ("", "Oops."),
        (None, "Oops."),
    ],
)
async def test_apologies_are_in_the_users_language(
    room_of: Callable[..., Room], locale: str | None, expected: str
) -> None:
    """The exact locale goes before its language, and that before everything else."""
    apologies = {
        "*": {"bot_failed": "Oops."},
        "de": {"bot_failed": "Das ging schief."},
        "de-AT": {"bot_failed": "Des geht si ned aus."},
    }
    room = room_of(APOLOGIES=apologies)
    await room.hears("hi", locale=locale)

    assert [expected] == room.texts()


async def test_an_apology_that_a_locale_lacks_is_that_of_all_locales(
    room_of: Callable[..., Room],
) -> None:
    """And where that is not there either, the built-in one."""
    room = room_of(APOLOGIES={"*": {"bot_failed": "Oops."}, "de": {"too_large": "Zu lang."}})
    await room.hears("hi", locale="de")
    without = room_of(APOLOGIES={"de": {"too_large": "Zu lang."}})
    await without.hears("hi", id="b", locale="de")

    assert ["Oops."] == room.texts()
    assert [SORRY] == without.texts()


class OnErrorObject:
    """Something that can be awaited when it is called."""

    async def __call__(self, context: TurnContext, error: Exception) -> None: ...


async def on_error_with_more(
    text: str, context: TurnContext, error: Exception, *, loud: bool = True
) -> None: ...


@pytest.mark.parametrize(
    "names",
    [
        {"on_error": OnErrorObject()},
        {"on_error": OnErrorObject().__call__},
        {"on_error": partial(on_error_with_more, "text")},
        {"create_middleware": lambda _storage: ()},
        {"create_middleware": lambda _storage: iter([ShowTypingMiddleware()])},
        {"create_middleware": lambda *_: [AutoSaveStateMiddleware()]},
        {"create_middleware": partial(lambda _name, _storage: [], "name")},
        {"APOLOGIES": {}},
        {"APOLOGIES": {"de": {}}},
        {"APOLOGIES": {"de": {"not_kept": "Vergessen."}}},
        {"APOLOGIES": {"de": {"bot_failed": "{"}}},
        {"on_error": None, "create_middleware": None, "APOLOGIES": None},
    ],
)
def test_what_can_be_used_is_taken(names: dict[str, Any], room_of: Callable[..., Room]) -> None:
    """Whatever it is made of."""
    assert isinstance(room_of(**names).bot, TransactionalBot)


def sync_on_error(_context: TurnContext, _error: Exception) -> None: ...


async def lonely_on_error(_context: TurnContext) -> None: ...


def forgetful_create_middleware() -> Iterable[Middleware]:
    return []


async def async_create_middleware(_storage: Storage) -> Iterable[Middleware]:
    return []


async def generated_middleware(_storage: Storage) -> AsyncIterator[Middleware]:
    yield ShowTypingMiddleware()


SIGNATURE = "on_error in my.bot must be `async def on_error(context, error)`."
FUNCTION = (
    "create_middleware in my.bot must be a function that takes the storage and returns a list of "
    "middleware."
)
RETURNS = "create_middleware in my.bot must return a list of middleware, not a "
OBJECTS = (
    "create_middleware in my.bot must return objects with `async def on_turn(context, logic)`, but "
)
PLACE = "APOLOGIES['de'] in my.bot"


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ({"on_error": "sorry"}, SIGNATURE),
        ({"on_error": sync_on_error}, SIGNATURE),
        ({"on_error": lonely_on_error}, SIGNATURE),
        ({"create_middleware": [ShowTypingMiddleware()]}, FUNCTION),
        ({"create_middleware": ShowTypingMiddleware()}, FUNCTION),
        ({"create_middleware": forgetful_create_middleware}, FUNCTION),
        ({"create_middleware": async_create_middleware}, FUNCTION),
        ({"create_middleware": lambda _: None}, RETURNS + "NoneType."),
        ({"create_middleware": generated_middleware}, RETURNS + "async_generator."),
        (
            {"create_middleware": lambda _: ShowTypingMiddleware()},
            RETURNS + "ShowTypingMiddleware.",
        ),
        ({"create_middleware": lambda _: ["a"]}, OBJECTS + "str has no such method."),
        ({"create_middleware": lambda _: [ShowTypingMiddleware]}, OBJECTS + "ShowTyping"),
        ({"APOLOGIES": "Oops."}, "APOLOGIES in my.bot must have a dictionary of texts for each"),
        ({"APOLOGIES": ["Oops."]}, "APOLOGIES in my.bot must have a dictionary of texts for each"),
        ({"APOLOGIES": {"de": "Oops."}}, PLACE + " must have texts by name, under a locale"),
        ({"APOLOGIES": {None: {}}}, "APOLOGIES[None] in my.bot must have texts by name"),
        (
            {"APOLOGIES": {"de": {"bot_faild": "Oops."}}},
            PLACE + " has 'bot_faild', which is not one",
        ),
        ({"APOLOGIES": {"de": {"by_locale": {}}}}, PLACE + " has 'by_locale', which is not one of"),
        (
            {"APOLOGIES": {"de": {"bot_failed": 1}}},
            PLACE + " must have a text under 'bot_failed', not",
        ),
        ({"APOLOGIES": {"de": {"not_kept": "{name}"}}}, PLACE + " may have {names} in braces"),
        ({"APOLOGIES": {"de": {"not_kept": "{names.a}"}}}, PLACE + " may have {names} in braces"),
        ({"APOLOGIES": {"de": {"not_kept": "{"}}}, PLACE + " may have {names} in braces"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    names: dict[str, Any], error: str, room_of: Callable[..., Room]
) -> None:
    """The app does not start, and the error names the module, the name and what it must be."""
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(error)}[^\\n]*$") as raised:
        room_of(**names)

    assert str(raised.value).endswith(".")
