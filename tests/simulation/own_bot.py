"""
A bot of one's own in the simulation, held against a run without races and faults.
"""

import time
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import msgspec

from shared.storage.codec.documents import DocumentCodec
from shared.turns.state.stored_document import WHOLE
from tests.simulation.copies import Product
from tests.simulation.differences import differences
from tests.simulation.judge.verdict import Verdict
from tests.simulation.own_serial import serial_run
from tests.simulation.own_world import Ours, OwnChannel, Witnessed, own_module
from tests.simulation.script import Said
from tests.simulation.world import World

OPINIONS = (4, 16)
"""So many more serial runs are made before a difference is not put down to the bot's own chance."""


def judge_own(world: World, bot: ModuleType | None = None) -> Verdict:
    """Where the history differs from its turns one after the other, in commit order."""
    module = bot or own_module()
    chronicle, channel = world.chronicle, world.channel
    assert isinstance(chronicle, Witnessed)
    verdict = Verdict([one for one in chronicle.faults if "not understood" in one])
    assert isinstance(channel, OwnChannel)
    for place in world.places:
        turns = [one for one in chronicle.ours if one.said.place == place]
        verdict.wrong += _judge_place(world, module, turns)
        verdict.wrong += _judge_answers(chronicle, turns, world.product)
        seen = Counter(
            one.key
            for one in channel.accepted
            if one.conversation_id == place and one.activity_id not in channel.passed
        )
        for turn in turns:
            seen.subtract(turn.sent)
        lost = [key for key, count in seen.items() if count < 0]
        if lost:
            verdict.wrong.append(f"lost in {place}: {lost}")
    return verdict


def _judge_place(world: World, module: ModuleType, turns: list[Ours]) -> list[str]:
    """
    Compare a conversation with serial runs of it.

    What serial runs disagree about is the bot's own chance; whether a difference is that as
    well, more of them tell.
    """
    wrong = [
        f"the bot itself failed at {_name(turn.said)}: {turn.failure}"
        for turn in turns
        if turn.failure
    ]
    order = [turn.said for turn in turns if turn.failure is None]
    runs = [serial_run(module, order) for _ in range(2)]
    for said, failure in runs[0].failures:
        wrong.append(f"the bot itself failed at {_name(said)}, without any fault: {failure}")
    came = {turn.said.label: turn.operations + turn.answer for turn in turns}
    keys = {key for run in runs for key in run.documents}
    for turn in turns:
        keys |= {turn.said.identity.home_key, turn.said.identity.user_key or ""}
    documents = _documents(world, module, sorted(keys))

    def compare() -> Iterator[str]:
        failed = {said.label for run in runs for said, _ in run.failures}
        for said in order:
            if said.label not in failed:
                expected = [run.replies.get(said.label, []) for run in runs]
                yield from differences(f"replies to {_name(said)}", expected, came[said.label])
        for key in sorted(keys):
            expected_documents = [run.documents.get(key) for run in runs]
            yield from differences(f"document {key}", expected_documents, documents.get(key))

    found = list(compare())
    for more in OPINIONS:
        if not found:
            break
        if more == OPINIONS[-1]:
            # A bot that tells the time tells another one a second later.
            time.sleep(1.0)
        runs += [serial_run(module, order) for _ in range(more)]
        found = list(compare())
    return wrong + found


def _judge_answers(chronicle: Witnessed, turns: list[Ours], product: Product) -> Iterator[str]:
    """Each delivery of an activity is answered with what its turn was committed with."""
    done = {turn.said.label for turn in chronicle.ours}
    for heard in chronicle.heard:
        if heard.answer and heard.label not in done:
            yield f"{heard.name} was answered, and has never been committed"
    for number, turn in enumerate(turns):
        forgotten = _forgotten_after(chronicle, turns[number:], product)
        for heard in chronicle.heard:
            if heard.label != turn.said.label or heard.answer == turn.answer:
                continue
            if heard.answer or heard.committed < forgotten:
                wrong = next(differences("it", [turn.answer], heard.answer), "")
                yield f"{heard.name} was answered otherwise than its turn: {wrong}"


def _forgotten_after(chronicle: Witnessed, turns: list[Ours], product: Product) -> float:
    """How many turns are committed when the answer of the first of these may be forgotten."""
    room, places = product.bound("ANSWER_BYTES"), product.bound("ANSWERS")
    for turn in turns:
        if turn.answer:
            places -= 1
            room -= len(msgspec.json.encode(turn.answer))
        if places < 0 or room < 0:
            return chronicle.ours.index(turn) + 1
    return float("inf")


def _documents(world: World, module: ModuleType, keys: list[str]) -> dict[str, Any]:
    """The documents as they are stored, without the journals of turns."""
    codec = DocumentCodec(module.STATE_TYPES)
    documents = {}
    for key in keys:
        stored = dict(world.store.current(key) or {})
        stored.pop("$turns", None)
        # An object that is a document by itself has its journal beside it.
        properties = stored.get(WHOLE, stored)
        # A document with nothing but a journal in it is absent to the bot.
        documents[key] = codec.encode(properties) if properties else None
    return documents


def _name(said: Said) -> str:
    return f"{said.label} ({said.kind} {said.text!r} in {said.place})"
