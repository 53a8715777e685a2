"""
References between the parts of a document that the stock SDK wrote.

jsonpickle writes a thing that it has written before as `{"py/id": n}`: the n-th of the things of
the whole document that can be referred to, in the order in which they are read. What counts, and
in which order, is what its `Unpickler` does, in versions from 2 on. Version 1, of SDK 4.16 and
older, does not count dictionaries without tags. No document says which of the two wrote it: the
older way is tried where the newer one makes no sense.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from shared.errors import StateUnreadable

ID = "py/id"

MAX_DEPTH = 200
"""More than Cosmos DB stores; memory could."""

MAX_REPEATED = 50_000
"""
JSON values that references may repeat, in the reading of one document.

References to things with references in them double with each step: 40 small dictionaries could
stand for more values than any machine holds.
"""

_DATES = ("datetime.datetime", "datetime.date", "datetime.time")
_NO_ZONES = ("datetime.timedelta", "decimal.Decimal")


class References:
    """What each reference in a document stands for."""

    def __init__(self, document: Any) -> None:
        self._document = document  # The numbers below are of objects that must not be freed.
        numbering = _Numbering(document, counts_dictionaries=True)
        if not numbering.makes_sense:
            older = _Numbering(document, counts_dictionaries=False)
            numbering = older if older.makes_sense else numbering
        self._targets = numbering.targets
        self._repeated = 0

    def target(self, reference: Any, at: str) -> Any:
        """
        Return what `reference`, a dictionary in the document, stands for.

        Raises:
            StateUnreadable: it stands for nothing, for something that contains it, or for too much.
        """
        target, size = self._targets.get(id(reference), (None, 0))
        self._repeated += size
        if not size or self._repeated > MAX_REPEATED:
            raise StateUnreadable(
                f"{at} was stored by the stock SDK with a reference that leads nowhere, to a "
                "value that contains it, or to too much; overwrite the property."
            )
        return target

    def spell_out(self, stored: Any, at: str) -> Any:
        """
        Return a copy of `stored`, a part of the document, without references.

        Raises:
            StateUnreadable: as `target`.
        """
        if isinstance(stored, dict):
            if ID in stored:
                return self.spell_out(self.target(stored, at), at)
            return {key: self.spell_out(value, at) for key, value in stored.items()}
        if isinstance(stored, list):
            return [self.spell_out(value, at) for value in stored]
        return stored


def has_references(stored: Any) -> bool:
    """Whether there is a reference anywhere in `stored`."""
    if isinstance(stored, dict):
        return ID in stored or any(map(has_references, stored.values()))
    return isinstance(stored, list) and any(map(has_references, stored))


class _Numbering:
    """The things of a document in jsonpickle's order."""

    def __init__(self, document: Any, *, counts_dictionaries: bool) -> None:
        self.targets: dict[int, tuple[Any, int]] = {}
        """By the identity of a reference, what it stands for, and of how many values that is."""
        self.makes_sense = True
        self._counts_dictionaries = counts_dictionaries
        self._things: list[tuple[Any, int]] = []
        """Each thing with its size; 0, while it is being read."""
        self._values = 0
        self._is_repeated = False
        self._walk(document, 0)

    def _walk(self, value: Any, depth: int) -> None:
        self._values += 1
        if not isinstance(value, dict | list):
            return
        if depth > MAX_DEPTH:
            raise StateUnreadable("The document is nested deeper than Cosmos DB stores.")
        if isinstance(value, dict) and _first_tag(value) == ID:
            self._refer(value)
            return
        number, before = len(self._things), self._values
        counts = not self._is_repeated and self._counts(value)
        if counts:
            self._things.append((value, 0))
        for child in self._children(value):
            self._walk(child, depth + 1)
        if counts:
            self._things[number] = value, 1 + self._values - before

    def _refer(self, reference: dict[str, Any]) -> None:
        number = reference[ID]
        if type(number) is not int or not 0 <= number < len(self._things):
            self.makes_sense = False
            return
        self.targets[id(reference)] = self._things[number]
        # Nobody meant a state that contains its whole document.
        self.makes_sense &= number > 0 or self._things[0][1] > 0

    def _counts(self, value: Any) -> bool:
        if isinstance(value, list):
            return True
        tag = _first_tag(value)
        if tag is None:
            return self._counts_dictionaries
        return tag in ("py/iterator", "py/object", "py/reduce", "py/mod", "py/repr")

    def _children(self, value: dict[str, Any] | list[Any]) -> Iterable[Any]:
        """What is read below `value`, in the order in which it is read."""
        if isinstance(value, list):
            return value
        match _first_tag(value):
            case None:
                return list(value.values())
            case "py/tuple" | "py/set" | "py/iterator" | "py/reduce" as tag:
                return value[tag] if isinstance(value[tag], list) else []
            case "py/object":
                return self._children_of_object(value)
            case _:
                return []

    def _children_of_object(self, value: dict[str, Any]) -> Iterator[Any]:
        if value["py/object"] in _DATES:
            for zone in _date_arguments(value):
                self._check_zone(zone)
                yield zone
            return
        yield from (value[key] for key in ("default_factory",) if key in value)
        arguments = next((value[tag] for tag in _ARGUMENTS if value.get(tag)), None)
        if "py/newargsex" in value and isinstance(arguments, list):
            yield from (argument for argument in arguments if argument)
        elif arguments is not None:
            yield arguments
            if "py/seq" in value:  # A named tuple: what it was made of, once more.
                before, self._is_repeated = self._is_repeated, True
                yield value["py/seq"]
                self._is_repeated = before
                return
        if "py/state" in value and str(value["py/object"]).startswith("botbuilder."):
            # From Python 3.11 on version 1 does so with all objects; these do not ask for it.
            self.makes_sense &= not self._counts_dictionaries
        for key, attribute in value.items():
            if not key.startswith("py/") and key != "default_factory":
                yield attribute
        if isinstance(value.get("py/seq"), list):
            yield from value["py/seq"]
        if "py/state" in value:
            yield value["py/state"]

    def _check_zone(self, zone: Any) -> None:
        """A date's time zone is never a reference to, say, a list or another date."""
        number = zone.get(ID) if isinstance(zone, dict) else None
        if type(number) is int and 0 <= number < len(self._things):
            self.makes_sense &= _may_be_zone(self._things[number][0])


_ARGUMENTS = ("py/newargsex", "py/newargs", "py/initargs")

# Of several tags in one dictionary, the first of these is what it is.
_TAGS = (
    *("py/tuple", "py/set", "py/b64", "py/b85", ID, "py/iterator", "py/object", "py/type"),
    *("py/reduce", "py/function", "py/mod", "py/repr"),
)


def _first_tag(value: dict[str, Any]) -> str | None:
    return next((tag for tag in _TAGS if tag in value), None)


def _date_arguments(value: dict[str, Any]) -> list[Any]:
    match value.get("__reduce__"):
        case [_, [_, *arguments]]:
            return arguments
    return []


def _may_be_zone(thing: Any) -> bool:
    match thing:
        case {"py/object": path}:
            return path not in _DATES
        case {"py/reduce": [{"py/type": path}, *_]}:
            return path not in _NO_ZONES
        case {"py/reduce": _}:
            return True
    return False
