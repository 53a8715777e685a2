"""SDK models from the JSON that waits in the journal; `shared.wire` is the way there."""

from typing import Any

from botbuilder.schema import Activity, Entity


def activity_from_wire(wire: dict[str, Any]) -> Activity:
    """The activity that has this JSON; nothing of it is lost when it is sent."""
    activity: Activity = Activity.deserialize(wire)
    if "entities" in wire:
        activity.entities = [_StoredEntity(entity) for entity in wire["entities"]]
    return activity


class _StoredEntity(Entity):
    """An entity that keeps all its fields: the SDK's own forgets those it does not know."""

    _attribute_map = {  # noqa: RUF012  # the SDK's way of describing a model
        "type": {"key": "type", "type": "str"},
        "additional_properties": {"key": "", "type": "{object}"},
    }

    def __init__(self, wire: dict[str, Any]) -> None:
        super().__init__(type=wire.get("type"))
        self.additional_properties = {name: wire[name] for name in wire if name != "type"}
