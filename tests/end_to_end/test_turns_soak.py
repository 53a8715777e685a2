"""
Three hosts under everything at once, for as long as one likes.

    SOAK_SECONDS=600 python3 dev.py test -s tests/end_to_end/test_turns_soak.py
"""

import asyncio
import os
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.turns import Apologies
from tests.bots.counting import REPLIES
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.faulty_store import FaultyStore
from tests.end_to_end.instances import IMPATIENT_HOST, Instance, Instances, settings_for
from tests.end_to_end.treatment import UNANSWERED, UNHEARD, WELL, Treatment, refused

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot pause a process")

SOAK_S = float(os.environ.get("SOAK_SECONDS", "20"))
HOSTS = 3
CONVERSATIONS = 8
SETTLING_S = 240
"""After the last fault, until everything must have been taken and answered: some bells later."""

SORRY = Apologies().bot_failed

_REPLY = re.compile(
    r"(?P<text>.+): message (?P<count>\d+), (?P<of_user>\d+) of them yours \((\d)/3\)"
)

STORE_WEATHER = (
    refused(503),
    refused(429, retry_after_s=0.2),
    Treatment(status=503),
    UNANSWERED,
    UNHEARD,
    Treatment(delay_s=0.5),
)
CHANNEL_WEATHER = (
    refused(502),
    refused(429, retry_after_s=1),
    refused(412),
    Treatment(status=502),
    UNANSWERED,
    Treatment(delay_s=3.0),
)


@dataclass
class Soak:
    """What happens, and what is counted of it."""

    chance: random.Random
    channel: FakeChannel
    store: FaultyStore
    instances: Instances
    settings: dict[str, str]
    hosts: list[Instance] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    sent: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """User and text of each message, by conversation."""
    is_over: bool = False

    async def run(self) -> None:
        """Speak, kill, pause and disturb for `SOAK_S`, and then let all come to an end."""
        for _ in range(HOSTS):
            await self.start_host()
        faults = [asyncio.create_task(one) for one in (self.weather(), self.deaths())]
        users = [asyncio.create_task(self.speak(f"room {n}")) for n in range(CONVERSATIONS)]
        await asyncio.sleep(SOAK_S)
        self.is_over = True
        await asyncio.gather(*faults)
        async with asyncio.timeout(SETTLING_S):
            await asyncio.gather(*users)
        for _ in range(SETTLING_S):
            await asyncio.sleep(1)
            if not any(self.missing(place) for place in self.sent):
                break

    async def start_host(self) -> None:
        self.hosts.append(await asyncio.to_thread(self.instances.start, self.settings))

    def missing(self, place: str) -> int:
        """Return how many replies have not come to what was said there."""
        replies = [text for text in self.channel.replies(place) if _REPLY.fullmatch(text)]
        dropped = len(self.channel.replies(place)) - len(replies)
        return REPLIES * (len(self.sent[place]) - dropped) - len(set(replies))

    async def speak(self, place: str) -> None:
        """Two users of a conversation, one of whom is in all of them, write by turns."""
        while not self.is_over:
            user = self.chance.choice(("ada", f"guest of {place}"))
            slow = self.chance.choice(("slow 2.5 ", *[""] * 5))
            text = f"{slow}m{len(self.sent[place])}"
            self.sent[place].append((user, text))
            while True:
                status = await self.channel.says(
                    text,
                    user=user,
                    conversation=place,
                    activity_id=f"{place}: {text}",
                    to=self.chance.choice(self.hosts).url,
                )
                self.figures[f"answered {status}"] += 1
                if status == 200:
                    break
                await asyncio.sleep(self.chance.uniform(0.2, 2))

    async def weather(self) -> None:
        """Store and channel fail for a second or two, now and then, each in its own ways."""
        while not self.is_over:
            await asyncio.sleep(self.chance.uniform(0.5, 3))
            place, kinds = self.chance.choice(
                ((self.store, STORE_WEATHER), (self.channel, CHANNEL_WEATHER))
            )
            place.usual_treatment = self.chance.choice(kinds)
            self.figures[f"{type(place).__name__} disturbed"] += 1
            await asyncio.sleep(self.chance.uniform(0.2, 2))
            place.usual_treatment = WELL

    async def deaths(self) -> None:
        """A host is killed and another started in its place, or it is paused for some seconds."""
        while not self.is_over:
            await asyncio.sleep(self.chance.uniform(1, 4))
            host = self.chance.choice(self.hosts)
            if self.chance.random() < 0.5:
                self.figures["killed"] += 1
                self.hosts.remove(host)
                host.kill()
                await self.start_host()
            else:
                self.figures["paused"] += 1
                host.pause()
                await asyncio.sleep(self.chance.choice((0.5, 3, 9)))
                host.resume()

    def faults(self) -> list[str]:
        """Whatever is not as after turns one after the other."""
        found = []
        for place, spoken in self.sent.items():
            replies = [
                one for one in map(_REPLY.fullmatch, self.channel.replies(place)) if one is not None
            ]
            once = list({one.group(): one for one in replies}.values())
            self.figures["turns"] += len(spoken)
            self.figures["doubled replies"] += len(replies) - len(once)
            counts = {one["text"]: int(one["count"]) for one in once}
            sent = [(user, text) for user, text in spoken if text in counts or text[:4] != "slow"]
            self.figures["dropped"] += len(spoken) - len(sent)
            others = {text for text in self.channel.replies(place) if not _REPLY.fullmatch(text)}
            if others != ({SORRY} if sent != spoken else set()):
                found.append(f"{place}: was told {others}")
            of_user = {one["text"]: int(one["of_user"]) for one in once}
            # Each was sent when the one before had been accepted.
            in_order = [counts.get(text, 0) for _, text in sent]
            if in_order != list(range(1, len(sent) + 1)):
                found.append(f"{place}: counted {in_order}")
            if len(once) != REPLIES * len(sent):
                found.append(f"{place}: {len(once)} replies to {len(sent)} messages")
            order = [int(one["count"]) for one in once]
            if order != sorted(order):
                found.append(f"{place}: replies are not in the order of their turns: {order}")
            for user in {user for user, _ in sent}:
                texts = [text for user_, text in sent if user_ == user]
                seen = sorted(of_user.get(text, 0) for text in texts)
                if seen != list(range(1, len(texts) + 1)):
                    found.append(f"{place}: {len(texts)} messages of {user} were counted {seen}")
        # A message is dropped when its run has died with its process three times.
        given_up = self.instances.printed().count("have killed their process")
        if self.figures["dropped"] > given_up:
            found.append(
                f"{self.figures['dropped']} messages were dropped, {given_up} for a reason"
            )
        return found


@pytest.fixture
def instances(counting_app: Path, tmp_path: Path) -> Iterator[Instances]:
    """Instances of the bot that counts."""
    with Instances(IMPATIENT_HOST, counting_app, tmp_path) as instances:
        yield instances


@pytest.mark.timeout(SOAK_S + 2 * SETTLING_S + 300)
async def test_three_hosts_lose_nothing_and_count_nothing_twice(
    channel: FakeChannel,
    faulty_store: FaultyStore,
    instances: Instances,
    bell_settings: dict[str, str],
) -> None:
    """While they are killed and paused, and store and channel fail: state and replies, in order."""
    settings = {**settings_for(faulty_store.settings), **bell_settings}
    soak = Soak(random.Random(), channel, faulty_store, instances, settings)
    await soak.run()
    found = soak.faults()
    sys.stdout.write(f"\nsoak: {dict(soak.figures)}\n")
    assert [] == found
