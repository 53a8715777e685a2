"""
What functions over HTTP may count on, played over every host.

Over the embedded host and Microsoft's `azure-functions-runtime-v1` without further ado. Over any
host that runs, the one of Core Tools for instance:

    python -m tests.hosts.app /tmp/app && cd /tmp/app && func start
    python3 dev.py test tests/hosts --host-url http://localhost:7071 [--host-log FILE]

FILE is where the host's output goes. A host that does not read local.settings.json needs its values
in the environment.
"""

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.hosts.conftest import Playground
from tests.hosts.contract import Contract, Line
from tests.hosts.wire import Answer, get, send
from tests.programs.programs import eventually

_BEGAN = "Slow has begun"

ROWS = range(1, 22)
"""What was found to differ once, and can be held. The 22nd is the time of a cold start."""


def test_every_difference_has_its_lines(contract: Contract) -> None:
    """What once was answered differently by two hosts is held from then on."""
    assert set(ROWS) == {line.row for line in contract.lines}


def test_the_outcome_is_the_same(playground: Playground, line: Line) -> None:
    """Each line of the contract comes true on each host that can play it."""
    expected = line.expected_on(playground.kind)
    origin = playground.origin(line.app)
    before = playground.log(line.app).count(_BEGAN) if line.signal else 0
    with ThreadPoolExecutor(line.at_once) as callers:
        asked = [callers.submit(send, origin, line) for _ in range(line.at_once)]
        if line.signal:
            eventually(lambda: playground.log(line.app).count(_BEGAN) > before)
            os.kill(playground.instance(line.app).pid, getattr(signal, line.signal))
        answers = [each.result() for each in asked]
    if line.afterwards:
        eventually(lambda: get(origin, line.afterwards) == 200)
    if line.log:
        written = [text for text, times in expected["logged"].items() if times]
        eventually(lambda: all(text in playground.log(line.app) for text in written))

    assert expected == {
        name: _seen(name, value, answers, playground.log(line.app) if line.log else "")
        for name, value in expected.items()
    }


def _seen(name: str, expected: Any, answers: list[Answer], log: str) -> Any:
    """Return what came of it, in the shape of what is expected."""
    answer = answers[0]
    match name:
        case "status":
            allowed = expected if isinstance(expected, list) else [expected]
            return expected if answer.status in allowed else answer.status
        case "statuses":
            return dict(Counter(str(each.status) for each in answers))
        case "body":
            return answer.body.decode()
        case "headers":
            return {header: answer.headers[header] for header in expected}
        case "cookies":
            return answer.headers.get_all("Set-Cookie")
        case "json":
            return _part(json.loads(answer.body), expected)
        case "seen_headers":
            return _part(json.loads(answer.body)["headers"], expected)
        case "logged":
            return {text: log.count(text) for text in expected}
        case "refused":
            refused = [each for each in answers if each.status == 429][:1]
            return {each: _seen(each, value, refused, log) for each, value in expected.items()}
        case "broken":
            return answer.status != 200 or answer.body != b"x"
    raise AssertionError(f"no outcome has a '{name}'")


def _part(seen: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: seen.get(name) for name in expected}
