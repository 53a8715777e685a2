"""
The bot under test: it counts in every place where a bot may count, and says what it counted.
"""

import asyncio
from typing import Any, Protocol

from botbuilder.core import (
    Bot,
    ConversationState,
    InvokeResponse,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.schema import Activity, ActivityTypes

SILENT = "silent"
"""What the bot is told when it is to do nothing."""

FAILING = ("boom", "hang", "swallow", "cancel", "exit", "kill")
"""What it is told when it is to fail."""


_SWALLOWED = 3
"""So many times it goes on although it is cancelled."""


class BotBug(Exception):
    """What the bot raises where it is told to."""


class Witness(Protocol):
    """Whoever is told what the bot did that no turn may see."""

    def next_run(self) -> int:
        """A number that no run had before."""
        ...

    def die(self) -> None:
        """The bot ends its process."""
        ...

    def late(self, what: str, refusal: Exception | None) -> None:
        """What a forgotten task tried after its turn, and how it was refused."""
        ...


class CountingBot(Bot):
    """
    Counts its conversation's activities, and those of each user in it.

    The text of an activity says what else it does, in its first word.
    """

    def __init__(self, storage: Storage, witness: Witness) -> None:
        self._storage = storage
        self._conversation = ConversationState(storage)
        self._user = UserState(storage)
        self._witness = witness
        self._forgotten: list[asyncio.Task[None]] = []

    async def on_turn(self, context: TurnContext) -> None:
        run = self._witness.next_run()
        verb, _, detail = (context.activity.text or context.activity.name or "").partition(" ")
        if verb == SILENT:
            return
        if verb == "slow":
            await asyncio.sleep(float(detail))
        if verb == "kill":
            await asyncio.sleep(float(detail))
            self._witness.die()
            await asyncio.sleep(3600)
        label = label_of(context.activity)
        place = context.activity.conversation.id
        in_conversation = self._conversation.create_property("count")
        of_user = self._user.create_property(f"count in {place}")
        conversation_count = (await in_conversation.get(context, 0) or 0) + 1
        user_count = (await of_user.get(context, 0) or 0) + 1
        await in_conversation.set(context, conversation_count)
        if verb == "grow":
            await self._grow(context, label, int(detail))
        await self._conversation.save_changes(context)
        await of_user.set(context, user_count)
        seen = await self._mark(context, verb, label)
        await self._user.save_changes(context)

        counted = f"{conversation_count}/{user_count}/run{run}{seen}"
        if verb in FAILING:
            await context.send_activity(f"ghost/0/{counted}")
            await _fail(verb)
        if verb == "note":
            await self._note(place)
        if verb.startswith("late-"):
            self._forget_a_task(verb, context, of_user, run)
        if context.activity.type == ActivityTypes.invoke:
            response = InvokeResponse(status=200, body=f"{label}/0/{counted}")
            await context.send_activity(
                Activity(type=ActivityTypes.invoke_response, value=response)
            )
        for index in range(int(detail) if verb in ("reply", "edit") else 1):
            reply = await context.send_activity(f"{label}/{index}/{counted}")
            if verb == "edit" and reply.id:
                edited = Activity(id=reply.id, type="message", text=f"edited {reply.id}")
                await context.update_activity(edited)
        # In any place that a bot may choose, and as often as it likes.
        await self._conversation.save_changes(context, force=True)

    async def _mark(self, context: TurnContext, verb: str, label: str) -> str:
        """Change or remove the property that all conversations of a user share."""
        if verb not in ("mark", "unmark"):
            return ""
        latest = self._user.create_property("latest")
        seen = await latest.get(context, None)
        if verb == "mark":
            await latest.set(context, label)
        elif seen is not None:
            await latest.delete(context)
        return f"/saw {seen or 'nothing'}"

    async def _note(self, place: str) -> None:
        """Count in a document that all conversations write."""
        board = (await self._storage.read(["board"])).get("board", {})
        board[place] = board.get(place, 0) + 1
        await self._storage.write({"board": board})

    async def _grow(self, context: TurnContext, label: str, size: int) -> None:
        """Keep more text, half of which JSON escapes, in the user's state."""
        pile = self._user.create_property(f"pile of {label}")
        await pile.set(context, 'x"' * (size // 2))

    def _forget_a_task(self, verb: str, context: TurnContext, of_user: Any, run: int) -> None:
        async def send() -> None:
            await context.send_activity(f"ghost/0/late/run{run}")

        async def write() -> None:
            await of_user.set(context, 1000)
            await self._user.save_changes(context)

        async def store() -> None:
            await self._storage.write({"board": {"late": run, "e_tag": "*"}})

        async def read() -> None:
            await self._storage.read(["late"])

        actions: dict[str, Any] = {
            "late-send": send,
            "late-write": write,
            "late-store": store,
            "late-read": read,
        }

        async def later() -> None:
            await asyncio.sleep(0.001 if run % 2 else 2.0)
            try:
                await actions[verb]()
            except Exception as error:
                self._witness.late(verb, error)
            else:
                self._witness.late(verb, None)

        self._forgotten.append(asyncio.get_running_loop().create_task(later()))


async def _fail(verb: str) -> None:
    if verb == "boom":
        raise BotBug
    if verb == "cancel":
        raise asyncio.CancelledError
    if verb == "exit":
        raise SystemExit
    for _ in range(_SWALLOWED):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if verb == "hang":
                raise
    await asyncio.sleep(3600)


def label_of(activity: Activity) -> str:
    """The name of what the user said; unlike the activity's id, no two have the same."""
    return str(activity.channel_data["label"])
