"""A list of things to do for each user: cards without text, typing, random ids, plain objects."""

import random
from dataclasses import dataclass, field
from uuid import uuid4

from botbuilder.core import ActivityHandler, Bot, CardFactory, Storage, TurnContext, UserState
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount, HeroCard

from shared.storage.codec.state_types import state_type


@state_type("ToDoItem")
@dataclass(eq=False)
class Item:
    """Something to do; no two are equal."""

    text: str
    added_at: str
    item_id: str = field(default_factory=lambda: uuid4().hex)


@state_type("ToDoList")
@dataclass(eq=False)
class ToDoList:
    """What a user has to do."""

    items: list[Item] = field(default_factory=list)
    by_id: dict[str, str] = field(default_factory=dict)


class ToDoBot(ActivityHandler):
    """Understands "add ...", "done ...", "list" and "card"."""

    def __init__(self, user_state: UserState) -> None:
        self.user_state = user_state
        self.to_do = user_state.create_property("ToDoList")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self.user_state.save_changes(turn_context)

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        await turn_context.send_activity("What is to be done?")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(Activity(type=ActivityTypes.typing))
        to_do: ToDoList = await self.to_do.get(turn_context, ToDoList)
        verb, _, what = (turn_context.activity.text or "").partition(" ")
        if verb == "add":
            item = Item(what, turn_context.activity.timestamp.isoformat())
            to_do.items.append(item)
            to_do.by_id[item.item_id] = what
            await turn_context.send_activity(f"{what} is number {len(to_do.items)}.")
        elif verb == "done":
            left = [item for item in to_do.items if item.text != what]
            await turn_context.send_activity(f"{len(to_do.items) - len(left)} done.")
            to_do.items = left
        elif verb == "card":
            card = HeroCard(title=f"{len(to_do.items)} to do", text=uuid4().hex)
            await turn_context.send_activity(
                Activity(type=ActivityTypes.message, attachments=[CardFactory.hero_card(card)])
            )
        elif verb == "any" and to_do.items:
            await turn_context.send_activity(f"How about {random.choice(to_do.items).text}?")
        else:
            texts = [item.text for item in to_do.items] or ["There is nothing to do."]
            for text in texts:
                await turn_context.send_activity(text)


PHRASES = ("add milk", "add bread", "done milk", "list", "card", "any", "")
"""What users say in simulated histories."""

STATE_TYPES: tuple[type, ...] = (ToDoList, Item)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps the lists in `storage`."""
    return ToDoBot(UserState(storage))
