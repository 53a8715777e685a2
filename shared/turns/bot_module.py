"""
A bot as its author hands it over: a module with some names, of which most may be left out.
"""

import inspect
import time
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Protocol

from botbuilder.core import Bot, Middleware, Storage

from shared.bells.base import Bells
from shared.storage.codec.state_types import Schema
from shared.turns.apologies import Apologies
from shared.turns.chance import Chance
from shared.turns.clock import Clock
from shared.turns.mailbox.contexts import Contexts
from shared.turns.transactional_bot import TransactionalBot

EVERYWHERE = "*"
"""The locale of apologies for everybody whose own locale has none."""

_TEXTS = [field.name for field in fields(Apologies) if field.name != "by_locale"]


class BotModule(Protocol):
    """
    What the application takes from `shared.bot`, or from another module in its place.

    There may also be `create_middleware(storage)`, `async def on_error(context, error)`, and
    `APOLOGIES`: by locale and name, what to say instead of the sentences of `Apologies`.
    """

    @property
    def STATE_TYPES(self) -> Iterable[type | Schema]: ...  # noqa: N802 (the module's constant)

    def create_bot(self, storage: Storage, /) -> Bot: ...


def bot_in(
    module: BotModule,
    storage: Storage,
    *,
    bells: Bells,
    contexts: Contexts,
    now_s: Clock = time.time,
    chance: Chance | None = None,
) -> TransactionalBot:
    """
    Give the bot of a module atomic turns. All else is as for `TransactionalBot`.

    Raises:
        TypeError, ValueError: one of the names is there, and is not what it must be.
    """
    where = getattr(module, "__name__", type(module).__name__)
    on_error = getattr(module, "on_error", None)
    if on_error is not None and not _takes(on_error, 2, asynchronous=True):
        raise TypeError(f"on_error in {where} must be `async def on_error(context, error)`.")
    create_middleware = getattr(module, "create_middleware", None) or _no_middleware
    _check_middleware(create_middleware, storage, where)
    return TransactionalBot(
        module.create_bot,
        storage,
        bells=bells,
        contexts=contexts,
        create_middleware=create_middleware,
        on_error=on_error,
        apologies=_apologies(getattr(module, "APOLOGIES", None) or {}, where),
        now_s=now_s,
        chance=chance,
    )


def _no_middleware(_storage: Storage) -> Iterable[Middleware]:
    return ()


def _check_middleware(create_middleware: Any, storage: Storage, where: str) -> None:
    if not _takes(create_middleware, 1, asynchronous=False):
        raise TypeError(
            f"create_middleware in {where} must be a function that takes the storage and returns "
            "a list of middleware."
        )
    made = create_middleware(storage)
    if not isinstance(made, Iterable):
        raise TypeError(
            f"create_middleware in {where} must return a list of middleware, "
            f"not a {type(made).__name__}."
        )
    for one in made:
        if isinstance(one, type) or not callable(getattr(one, "on_turn", None)):
            name = one.__name__ if isinstance(one, type) else type(one).__name__
            raise TypeError(
                f"create_middleware in {where} must return objects with "
                f"`async def on_turn(context, logic)`, but {name} has no such method."
            )


def _takes(function: Any, arguments: int, *, asynchronous: bool) -> bool:
    """Whether it is a function that can be called with so many arguments."""
    if not callable(function):
        return False
    called = function if inspect.isroutine(function) else getattr(function, "func", function)
    is_async = inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(
        getattr(called, "__call__", None)  # noqa: B004  # an object may be called, too
    )
    try:
        inspect.signature(function).bind(*range(arguments))
    except TypeError:
        return False
    except ValueError:
        pass  # It says nothing of its arguments.
    return is_async == asynchronous


def _apologies(by_locale: Any, where: str) -> Apologies:
    if not isinstance(by_locale, Mapping):
        raise TypeError(
            f"APOLOGIES in {where} must have a dictionary of texts for each locale, such as "
            '{"de": {"bot_failed": "Das ging schief."}}.'
        )
    made = {locale: _texts(texts, locale, where) for locale, texts in by_locale.items()}
    everywhere = made.pop(EVERYWHERE, {})
    return replace(
        Apologies(**everywhere),
        by_locale={
            locale.lower(): Apologies(**{**everywhere, **texts}) for locale, texts in made.items()
        },
    )


def _texts(texts: Any, locale: Any, where: str) -> dict[str, Any]:
    place = f"APOLOGIES[{locale!r}] in {where}"
    if not isinstance(locale, str) or not isinstance(texts, Mapping):
        raise TypeError(
            f'{place} must have texts by name, under a locale such as "de", "de-AT" or "*".'
        )
    for name, text in texts.items():
        if name not in _TEXTS:
            raise ValueError(f"{place} has {name!r}, which is not one of {', '.join(_TEXTS)}.")
        if not isinstance(text, str):
            raise TypeError(
                f"{place} must have a text under {name!r}, not a {type(text).__name__}."
            )
    try:
        texts.get("not_kept", "").format(names="")
    except (AttributeError, LookupError, ValueError):
        raise ValueError(
            f"{place} may have {{names}} in braces under 'not_kept', and nothing else."
        ) from None
    return dict(texts)
