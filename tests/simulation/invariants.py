"""
What must be true after every history, whatever happened in it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator

from tests.simulation.channel import Accepted
from tests.simulation.world import Committed, Handling, World

DONE_TURNS = 64
LEASE_S = 6.0


def violations(world: World) -> Iterator[str]:
    """Every way in which the history is not one of atomic turns."""
    yield from _state(world)
    yield from _replies(world)
    yield from _answers(world)
    yield from _documents(world)
    yield from _times(world)


def turns_of(world: World, place: str) -> list[Committed]:
    """The turns of a conversation that had something to say, in the order of their commits."""
    turns = [turn for turn in world.committed.values() if turn.place == place]
    return sorted(turns, key=lambda turn: int(turn.e_tag[1:]))


def _state(world: World) -> Iterator[str]:
    """Each activity counts once: in its conversation, for its user, in documents of the bot."""
    said = {said.activity_id: said for said in world.said}
    notes: dict[str, int] = defaultdict(int)
    for place, users in world.places.items():
        counting = [
            one
            for one in said.values()
            if one.place == place and one.text.split()[0] not in ("silent", "boom")
        ]
        expected = len(counting) + 1
        home = world.store.current(f"simulated/conversations/{place}") or {}
        if home.get("count", 0) != expected:
            yield f"conversation {place} counted {home.get('count')} of {expected}"
        for user in users:
            expected = sum(one.user == user for one in counting) + (user == users[0])
            document = world.store.current(f"simulated/users/{user}") or {}
            if document.get(f"count in {place}", 0) != expected:
                counted = document.get(f"count in {place}", 0)
                yield f"user {user} counted {counted} of {expected} in {place}"
        noted = sum(one.text == "note" for one in counting)
        if noted:
            notes[place] = noted
    board = world.store.current("board") or {}
    for place, noted in notes.items():
        if board.get(place, 0) != noted:
            yield f"the board counted {board.get(place)} of {noted} in {place}"


def _replies(world: World) -> Iterator[str]:
    """Nothing uncommitted, nothing lost, in order, and twice only with an excuse."""
    by_place: dict[str, list[Accepted]] = defaultdict(list)
    for accepted in world.channel.accepted:
        by_place[accepted.conversation_id].append(accepted)
    for place in world.places:
        expected = [
            (turn, text) for turn in turns_of(world, place) for text in texts_of(turn.replies)
        ]
        seen: list[str] = []
        copies: dict[str, list[Accepted]] = defaultdict(list)
        sent_at: dict[str, Committed] = {}
        for turn, text in expected:
            sent_at.setdefault(text, turn)
        for accepted in by_place[place]:
            text = accepted.text
            key = text if "/" in text else f"{text} {accepted.reply_to_id}"
            copies[key].append(accepted)
            if key not in seen:
                seen.append(key)
            if key not in sent_at:
                yield f"ghost: {key} was never committed"
            elif accepted.at_s < sent_at[key].at_s:
                yield f"{key} was sent before its turn was committed"
        wanted = [text for _, text in expected]
        if seen != wanted:
            yield f"replies in {place}: expected {wanted}, got {seen}"
        for key, several in copies.items():
            for earlier in several[:-1]:
                if not _is_excused(world, earlier):
                    yield f"{key} arrived {len(several)} times without an excuse"
    edited = {activity_id for activity_id, _ in world.channel.edits}
    unknown = edited - {accepted.activity_id for accepted in world.channel.accepted}
    if unknown:
        yield f"edits of activities that the channel does not know: {sorted(unknown)}"


def _is_excused(world: World, accepted: Accepted) -> bool:
    """The sender died, or could not reach the store, or never heard that it was accepted."""
    sender = accepted.sender
    if not isinstance(sender, Handling):
        raise TypeError(sender)
    heard = accepted.activity_id in world.channel.answered
    store_failed = any(at_s >= accepted.at_s for at_s in sender.store_faults_at_s)
    return not heard or sender.status is None or store_failed


def _answers(world: World) -> Iterator[str]:
    """A response carries what was committed, the same each time while it is the last turn."""
    for handling in world.handlings:
        if handling.status != 200 or handling.said.text == "silent":
            continue
        said = handling.said
        turn = world.committed.get((said.place, said.activity_id))
        if turn is None:
            continue
        expected = texts_of(turn.answer or [])
        answer = [
            text if "/" in text or text == "500" else f"{text} {said.activity_id}"
            for text in handling.answer
        ]
        if answer == expected:
            continue
        later = [
            one for one in turns_of(world, said.place) if int(one.e_tag[1:]) > int(turn.e_tag[1:])
        ]
        ran_here = any(
            earlier is not handling and earlier.said is said for earlier in world.handlings
        )
        if handling.answer or not later or not ran_here:
            yield f"{handling.name} was answered {handling.answer}, not {expected}"


def _documents(world: World) -> Iterator[str]:
    """The journal stays small, and forgets what has happened."""
    for key in world.store.all_keys():
        journal = (world.store.current(key) or {})["$turns"]
        if len(journal.get("done", [])) > DONE_TURNS:
            yield f"{key} remembers {len(journal['done'])} turns"
        last = journal.get("last", {})
        if last.get("replies") or last.get("writes"):
            yield f"{key} is not settled"


def _times(world: World) -> Iterator[str]:
    """Nobody waits for a lease where nobody died and nothing was slow."""
    if world.is_calm:
        for handling in world.handlings:
            took_s = handling.answered_at_s - handling.began_at_s
            if handling.status == 200 and took_s > LEASE_S:
                yield f"{handling.name} took {took_s:.1f} s"


def texts_of(operations: list[str]) -> list[str]:
    """What was said, by a name that is the same for each copy and for nothing else."""
    texts = []
    for operation in map(json.loads, operations):
        subject = operation["subject"]
        if operation["verb"] != "send":
            continue
        if subject["type"] == "invokeResponse":
            texts.append(str(subject["value"].get("body") or subject["value"]["status"]))
        elif "/" in subject["text"]:
            texts.append(subject["text"])
        else:
            texts.append(f"{subject['text']} {subject['replyToId']}")
    return texts
