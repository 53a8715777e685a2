"""Where something differs from what several runs agree upon."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

_ABSENT = object()


def differences(where: str, expected: Sequence[Any], came: Any) -> Iterator[str]:
    """
    Tell where plain JSON is other than in the expected runs.

    What these disagree about may be anything: ids that a bot makes up, the order of cards that
    it shuffles, the time. What is around it must be as in all of them.
    """
    first = expected[0]
    is_agreed = all(one == first for one in expected)
    if is_agreed and first == came:
        return
    alike = (*expected, came)
    if all(isinstance(one, dict) for one in alike):
        yield from _of_dicts(where, expected, came)
    elif all(isinstance(one, list) and len(one) == len(first) for one in alike):
        for number, item in enumerate(came):
            yield from differences(f"{where}[{number}]", [one[number] for one in expected], item)
    elif is_agreed or _is_unlike_all(expected, came):
        yield f"{where}: expected {_shown(first)}, came {_shown(came)}"


def _is_unlike_all(expected: Sequence[Any], came: Any) -> bool:
    """Whether it has another type than all, or another length than all have."""
    if type(came) not in map(type, expected):
        return True
    if not all(isinstance(one, list) for one in expected):
        return False
    lengths = {len(one) for one in expected}
    return len(lengths) == 1 and len(came) not in lengths


def _of_dicts(
    where: str, expected: Sequence[dict[str, Any]], came: dict[str, Any]
) -> Iterator[str]:
    every = set.union(*map(set, expected))
    common = set.intersection(*map(set, expected))
    for name in sorted(common):
        if name in came:
            yield from differences(f"{where}.{name}", [one[name] for one in expected], came[name])
        else:
            yield f"{where}.{name}: expected {_shown(expected[0][name])}, came nothing"
    more = sorted(set(came) - common)
    if every == common:
        yield from (f"{where}.{name}: expected nothing, came {_shown(came[name])}" for name in more)
        return
    # Keys that the bot makes up: there are to be as many, if all agree on how many.
    counts = {len(one) for one in expected}
    if len(counts) == 1 and len(came) not in counts:
        yield f"{where}: expected {counts.pop()} entries, came {len(came)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
