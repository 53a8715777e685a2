"""
Replies: nothing uncommitted, in order, and twice only with an excuse.
"""

from collections import defaultdict
from collections.abc import Iterator

from tests.simulation.bot import FAILING
from tests.simulation.channel import Accepted, Came, is_counted
from tests.simulation.instances import Handling
from tests.simulation.judge.finished import Finished, by_place
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

DOUBLED = "doubled: "

TRIES = 3
"""So many processes may die in the runs of an activity before it is given up."""


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    turns_of = by_place(world)
    accepted_in: dict[str, list[Accepted]] = defaultdict(list)
    for accepted in world.channel.accepted:
        accepted_in[accepted.conversation_id].append(accepted)
    finished = Finished(world)
    for place in {*turns_of, *accepted_in}:
        turns = turns_of.get(place, [])
        committed_at_s: dict[str, float] = {}
        wanted: list[str] = []
        for turn in turns:
            for key in turn.replies:
                committed_at_s.setdefault(key, turn.at_s)
                wanted.append(key)
                reason = finished.given_up(key, float("inf"))
                if reason and (place, key) not in finished.first_accepted:
                    verdict.figures[f"replies given up: {reason}"] += 1
        copies: dict[str, list[Accepted]] = defaultdict(list)
        for accepted in accepted_in[place]:
            copies[accepted.key].append(accepted)
        verdict.wrong += _ghosts(world, copies, committed_at_s, verdict)
        # An apology where no turn could be committed is none of the turn that came of it later.
        seen = list(
            dict.fromkeys(
                one.key
                for one in accepted_in[place]
                if one.key in committed_at_s
                and not (
                    one.at_s < committed_at_s[one.key] and _is_apology_without_a_turn(world, one)
                )
            )
        )
        in_order = [key for key in dict.fromkeys(wanted) if key in seen]
        if seen != in_order and not any(world.chronicle.was_reset(t.home_key, 0) for t in turns):
            verdict.wrong.append(f"replies in {place}: expected {in_order}, got {seen}")
        for key, several in copies.items():
            if key not in committed_at_s:
                continue
            for earlier in several[:-1]:
                excuse = _excuse(world, earlier, several, committed_at_s[key])
                if excuse is None:
                    verdict.wrong.append(f"{key} arrived {len(several)} times without an excuse")
                else:
                    verdict.figures[DOUBLED + excuse] += 1
    verdict.wrong += _apologies(world)
    verdict.wrong += _edits(world)


def _ghosts(
    world: World,
    copies: dict[str, list[Accepted]],
    committed_at_s: dict[str, float],
    verdict: Verdict,
) -> Iterator[str]:
    for key, several in copies.items():
        first = several[0]
        if key not in committed_at_s:
            if _is_apology_without_a_turn(world, first):
                verdict.figures["apologies where no turn could be committed"] += 1
            else:
                yield f"ghost: {key} was never committed"
        elif first.at_s < committed_at_s[key] and not _is_apology_without_a_turn(world, first):
            yield f"{key} was sent before its turn was committed"


def _is_apology_without_a_turn(world: World, accepted: Accepted) -> bool:
    """The home document could not be used, so an apology is all that there is."""
    home_key = _sender(accepted).said.identity.home_key
    return not is_counted(accepted.key) and (
        bool(world.document_troubles[home_key]) or world.chronicle.was_reset(home_key, 0)
    )


def _excuse(
    world: World, accepted: Accepted, copies: list[Accepted], committed_at_s: float
) -> str | None:
    """Why a reply that was accepted may be sent once more."""
    sender = _sender(accepted)
    if len([turn for turn in world.chronicle.commits if accepted.key in turn.replies]) > 1:
        # Whether it might, `state` says.
        return "its activity came again when its turn was forgotten"
    if _is_apology_without_a_turn(world, accepted):
        return "its conversation could not be used"
    if accepted.activity_id in world.channel.impatient:
        return "its sender stopped waiting for the channel"
    if accepted.activity_id not in world.channel.answered:
        heard = [one for one in world.channel.tries[accepted.key] if one.came is Came.UNKNOWN]
        return "its sender never heard back" if heard else "its sender died"
    if not sender.instance.is_alive:
        return "its sender died"
    if sender.was_cancelled:
        return "its sender's request was cancelled"
    if any(ends_s >= accepted.at_s for _, ends_s in sender.instance.pauses_s):
        return "its sender was paused"
    pauses = (pause for copy in copies for pause in _sender(copy).instance.pauses_s)
    if any(begins_s <= accepted.at_s <= ends_s for begins_s, ends_s in pauses):
        return "another sender was paused in the middle of sending it"
    home_key = sender.said.identity.home_key
    if any(at_s >= accepted.at_s and key == home_key for at_s, key in sender.store_troubles):
        return "its sender could not note it in the store"
    if world.chronicle.was_reset(home_key, committed_at_s):
        return "its document lost its past"
    return None


def _apologies(world: World) -> Iterator[str]:
    """Where nobody has said anything, nobody is told that it failed; nor where nothing did."""
    # An activity may be blamed for processes that have died in its runs.
    may_be_blamed = world.kills_of or sum(not one.is_alive for one in world.instances) >= TRIES
    for turn in world.chronicle.commits:
        is_failure = turn.said.verb in FAILING or world.document_troubles or world.is_small
        if turn.replies and not turn.counts and not is_failure and not may_be_blamed:
            yield f"{turn.said.label} did not fail, and was answered {turn.replies}"
        if turn.said.kind == "event" and not turn.counts and turn.replies:
            yield f"{turn.said.label}, which is no message, was answered {turn.replies}"


def _edits(world: World) -> Iterator[str]:
    edited = {activity_id for activity_id, _ in world.channel.edits}
    unknown = edited - {accepted.activity_id for accepted in world.channel.accepted}
    if unknown and not world.channel.oddly_answered:
        yield f"edits of activities that the channel does not know: {sorted(unknown)}"


def _sender(accepted: Accepted) -> Handling:
    if not isinstance(accepted.sender, Handling):
        raise TypeError(accepted.sender)
    return accepted.sender
