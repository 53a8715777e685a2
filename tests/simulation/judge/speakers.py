"""
Speakers: one at a time says something in a conversation, and nobody types when all is said.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.channel import TYPING, Sending
from tests.simulation.instances import Handling, Instance
from tests.simulation.judge.finished import by_place
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

LEASE_S = 6.0


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    verdict.wrong += _one_at_a_time(world)
    verdict.wrong += _typing(world)


def _one_at_a_time(world: World) -> Iterator[str]:
    """
    Who owns a conversation is alone in saying something in it.

    An owner that stands still cannot know that it is none any more; what it has begun to send then
    arrives when it may.
    """
    committed = {
        place: {key for turn in turns for key in turn.replies}
        for place, turns in by_place(world).items()
    }
    sendings: dict[str, list[Sending]] = defaultdict(list)
    for one in world.channel.sendings:
        if one.key in committed.get(one.place, ()):
            sendings[one.place].append(one)
    for place, several in sendings.items():
        home_key = by_place(world)[place][0].home_key
        if world.chronicle.was_reset(home_key, 0) or world.document_troubles[home_key]:
            # Where no turn could be committed, its apology was said by each that tried.
            continue
        several.sort(key=lambda one: one.began_s)
        for earlier, later in pairwise(several):
            mine, other = _instance(earlier), _instance(later)
            ended_s = min(earlier.ended_s, mine.died_at_s)
            if mine is other or ended_s <= later.began_s:
                continue
            if not _was_paused(mine, earlier.began_s - LEASE_S, ended_s):
                yield f"{mine.name} was saying {earlier.key} when {other.name} said {later.key}"


def _typing(world: World) -> Iterator[str]:
    """An indicator that comes after the answer stands there until it fades."""
    if world.is_small:
        # A redelivery of what is forgotten by then is run, and shown, again.
        return
    for place, turns in by_place(world).items():
        home_key = turns[0].home_key
        if world.chronicle.was_reset(home_key, 0) or world.document_troubles[home_key]:
            # Where no turn could be committed, it may be run once more after its apology.
            continue
        first_said_s = {
            f"{TYPING} {turn.said.activity_id} {turn.said.user}": min(times_s)
            for turn in turns
            if (times_s := [one.at_s for one in world.channel.accepted if one.key in turn.replies])
        }
        for one in world.channel.sendings:
            said_s = first_said_s.get(one.key, float("inf"))
            if one.place == place and said_s < one.began_s:
                yield f"{_instance(one).name} is {one.key}, {one.began_s - said_s:.1f} s too late"


def _was_paused(instance: Instance, from_s: float, until_s: float) -> bool:
    return any(begins_s <= until_s and ends_s >= from_s for begins_s, ends_s in instance.pauses_s)


def _instance(sending: Sending) -> Instance:
    if not isinstance(sending.sender, Handling):
        raise TypeError(sending.sender)
    return sending.sender.instance
