"""A value that cannot be read: kept as it is, written back as it is, and of no use to the bot."""

import json
from typing import Any, NoReturn

from shared.errors import StateUnreadable

UNSAID = "This value was kept because it could not be read; read it again to learn why."


class Opaque:
    """
    Stands for what it was made of, which is never changed.

    The bot's own classes do not know it: code that uses it as if it were the value that it stands
    for gets a StateUnreadable, and so does code that asks the SDK for the property (see accessor).
    """

    __slots__ = ("_reason", "_spelled", "_stored")

    def __init__(self, stored: Any, reason: str = UNSAID, spelled: Any = None) -> None:
        """
        Stand for `stored`, plain JSON.

        `reason` says what is the matter, and what to do. `spelled` is `stored` with the values
        themselves in place of references to other parts of its document, if it has any.
        """
        self._stored = stored
        self._reason = reason
        self._spelled = spelled

    @staticmethod
    def unreadable(value: Any) -> StateUnreadable | None:
        """Return why `value` cannot be read; None if it can, because it is not opaque."""
        return StateUnreadable(value._reason) if type(value) is Opaque else None

    @staticmethod
    def stored(value: "Opaque") -> Any:
        """Return what the value was made of."""
        return value._stored

    @staticmethod
    def spelled(value: "Opaque") -> Any:
        """Return the same without references, for another place than the one it was found in."""
        return value._stored if value._spelled is None else value._spelled

    @staticmethod
    def has_references(value: "Opaque") -> bool:
        """Whether it refers to other parts of its document, and means something only there."""
        return value._spelled is not None

    def __getattr__(self, name: str) -> NoReturn:
        # Code that only looks at the kind of an object asks for names with an underscore.
        if name.startswith("_"):
            raise AttributeError(name)
        raise StateUnreadable(self._reason)

    def __eq__(self, other: object) -> bool:
        """Equal as JSON: 1, 1.0 and true are not the same."""
        if type(other) is not Opaque:
            return NotImplemented
        return self._stored is other._stored or self._text() == other._text()

    def __hash__(self) -> int:
        return hash(self._text())

    def __copy__(self) -> "Opaque":
        return self

    def __deepcopy__(self, memo: object) -> "Opaque":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # What the SDK compares to find out whether state has changed.
        return _from_text, (self._text(),)

    def __repr__(self) -> str:
        return "Opaque(...)"

    def _text(self) -> str:
        return json.dumps(self._stored)


def _from_text(text: str) -> Opaque:
    return Opaque(json.loads(text))
