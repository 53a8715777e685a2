"""
From the body of an HTTP request to an activity.

The SDK's own deserializer turns a number into a string where it expects one, and raises
whatever its innards raise where that fails. So the body is held against the fields of the SDK's
models before the SDK sees it, and what is wrong with it is said in one line that names the field
and never the value.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, cast

import isodate  # type: ignore[import-untyped]  # comes with msrest
import msgspec
from azure.core.exceptions import DeserializationError
from botbuilder.schema import Activity
from msrest.serialization import Deserializer, Model

from shared.channel.bounded_json import MAX_BODY_BYTES as MAX_BODY_BYTES
from shared.channel.bounded_json import MAX_NESTING as MAX_NESTING
from shared.channel.bounded_json import read_object
from shared.errors import MalformedActivity

MAX_TEXT_CHARACTERS = 512 * 1024
"""
Twice what Direct Line takes for a whole activity. The others' users write less: 80 KB of UTF-16 in
Teams, 40,000 characters in Slack, 5,000 in LINE, 4,096 in Telegram, 2,000 in Facebook Messenger
(each channel's own documentation). The e-mail channel documents no limit.
"""

MAX_ATTACHMENTS = 300
"""A message in Exchange Online has at most 250 (Exchange Online limits), others a handful."""

MAX_ENTRIES = 500
"""
Of a list, and of all lists of models together: the SDK takes 10 to 25 µs for each entry.
A group chat in Teams has at most 250 members; mentions and actions come in dozens.
"""

_PLAIN = r"^(?!\.{1,2}$)"
"""
Not `.` and not `..`: in the path of a URL they mean another place, and escaping a dot does not
change what it means (WHATWG URL, path state).
"""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
_Id = Annotated[str, msgspec.Meta(max_length=1024, pattern=_PLAIN)]
_Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
_Word = Annotated[str, msgspec.Meta(max_length=256)]
"""One of a few words, such as a role, a locale or the name of a time zone."""


class _Account(msgspec.Struct, rename="camel"):
    id: str | None = None
    name: str | None = None
    role: _Word | None = None
    aad_object_id: str | None = None


class _Sender(_Account, rename="camel"):
    id: _Name


class _Conversation(msgspec.Struct, rename="camel"):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1024, pattern=_PLAIN)]
    name: str | None = None
    role: _Word | None = None
    aad_object_id: str | None = None
    is_group: bool | None = None
    conversation_type: _Word | None = None
    tenant_id: str | None = None
    tenant_id_of_the_sdk: str | None = msgspec.field(name="tenantID", default=None)


class _Attachment(msgspec.Struct, rename="camel"):
    content_type: str | None = None
    content_url: str | None = None
    name: str | None = None
    thumbnail_url: str | None = None


class _Entity(msgspec.Struct):
    type: str | None = None


class _Reaction(msgspec.Struct):
    type: str | None = None


class _Action(msgspec.Struct, rename="camel"):
    type: str | None = None
    title: str | None = None
    image: str | None = None
    text: str | None = None
    display_text: str | None = None
    image_alt_text: str | None = None


class _SuggestedActions(msgspec.Struct):
    to: Annotated[list[str], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    actions: Annotated[list[_Action], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None


class _TextHighlight(msgspec.Struct):
    text: str | None = None
    occurrence: int | None = None


class _SemanticAction(msgspec.Struct):
    id: str | None = None
    state: _Word | None = None
    entities: Annotated[dict[str, _Entity], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None


class _RelatedConversation(_Conversation, rename="camel"):
    id: _Id | None = None  # type: ignore[assignment]  # a reference may be to nothing yet


class _Reference(msgspec.Struct, rename="camel"):
    activity_id: _Id | None = None
    user: _Account | None = None
    bot: _Account | None = None
    conversation: _RelatedConversation | None = None
    channel_id: _Word | None = None
    locale: _Word | None = None
    service_url: Annotated[str, msgspec.Meta(max_length=2048)] | None = None


class _ActivityShape(msgspec.Struct, rename="camel"):
    """The fields of the SDK's Activity, and their types; free are `value` and `channelData`."""

    type: _Name
    channel_id: _Name
    service_url: _Url
    conversation: _Conversation
    from_: _Account | None = msgspec.field(name="from", default=None)
    recipient: _Account | None = None
    id: _Id | None = None
    timestamp: datetime | None = None
    local_timestamp: datetime | None = None
    local_timezone: _Word | None = None
    expiration: datetime | None = None
    delivery_mode: _Word | None = None
    reply_to_id: _Id | None = None
    locale: _Word | None = None
    name: str | None = None
    label: str | None = None
    action: str | None = None
    code: str | None = None
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARACTERS)] | None = None
    text_format: _Word | None = None
    attachment_layout: _Word | None = None
    input_hint: _Word | None = None
    importance: _Word | None = None
    value_type: str | None = None
    caller_id: str | None = None
    history_disclosed: bool | None = None
    speak: str | None = None
    summary: str | None = None
    topic_name: str | None = None
    attachments: Annotated[list[_Attachment], msgspec.Meta(max_length=MAX_ATTACHMENTS)] | None = (
        None
    )
    entities: Annotated[list[_Entity], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    members_added: Annotated[list[_Account], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    members_removed: Annotated[list[_Account], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    reactions_added: Annotated[list[_Reaction], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    reactions_removed: Annotated[list[_Reaction], msgspec.Meta(max_length=MAX_ENTRIES)] | None = (
        None
    )
    listen_for: Annotated[list[str], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    text_highlights: (
        Annotated[list[_TextHighlight], msgspec.Meta(max_length=MAX_ENTRIES)] | None
    ) = None
    suggested_actions: _SuggestedActions | None = None
    semantic_action: _SemanticAction | None = None
    relates_to: _Reference | None = None

    def entries(self) -> int:
        """Return how many models and strings there are in all its lists together."""
        lists: list[Any] = [
            self.attachments,
            self.entities,
            self.members_added,
            self.members_removed,
            self.reactions_added,
            self.reactions_removed,
            self.listen_for,
            self.text_highlights,
        ]
        if self.suggested_actions:
            lists += [self.suggested_actions.to, self.suggested_actions.actions]
        if self.semantic_action:
            lists.append(self.semantic_action.entities)
        return sum(map(len, filter(None, lists)))


class _MessageShape(_ActivityShape, rename="camel"):
    """A message also says who sent it: user state is stored under that id."""

    from_: _Sender = msgspec.field(name="from")


@cache
def _fields(model: Any) -> dict[str, tuple[str, str]]:
    """By the names that a model's fields have in JSON: its attributes, and the types of those."""
    # Under an empty name would be what a model has no field for; the SDK looks for that itself.
    return {
        described["key"]: (attribute, described["type"])
        for attribute, described in model._attribute_map.items()
        if described["key"]
    }


class _OnlyWhatIsThere(Deserializer):
    """
    The SDK's deserializer, made to look only at the fields that a body has, and to leave alone what
    has no type. By itself it looks for each of an activity's 45, which takes 150 µs for a user's
    message, and copies what has no type, value by value, though the copy is equal.
    """

    def _deserialize(self, target_obj: Any, data: Any) -> Any:
        model = self.dependencies.get(target_obj, target_obj)
        if not (isinstance(data, dict) and isinstance(model, type) and issubclass(model, Model)):
            return super()._deserialize(target_obj, data)  # type: ignore[no-untyped-call]
        fields = _fields(model)  # type: ignore[arg-type]  # mypy takes the class for its objects
        attributes, others = {}, {}
        for name, value in data.items():
            if name not in fields:
                others[name] = value
                continue
            attribute, kind = fields[name]
            if not (kind == "str" and isinstance(value, str)):
                value = self.deserialize_data(value, kind)  # type: ignore[no-untyped-call]
            attributes[attribute] = value
        read = model(**attributes)
        if others:
            read.additional_properties = others
        return read

    def deserialize_object(self, attr: Any, **_: Any) -> Any:
        return attr


def _time(text: str) -> datetime:
    """The SDK's way takes 10 µs more, to the same result; but only it knows what it refuses."""
    try:
        if text[10:11] == "T" and text.endswith("Z"):
            return datetime.fromisoformat(text[:-1]).replace(tzinfo=isodate.UTC)
    except ValueError:
        pass
    return cast("datetime", Deserializer.deserialize_iso(text))  # type: ignore[no-untyped-call]


# msrest has no types.
_deserialize = _OnlyWhatIsThere(Activity._infer_class_models())  # type: ignore[no-untyped-call]
_deserialize.deserialize_type["iso-8601"] = _time


@dataclass(frozen=True)
class ReceivedActivity:
    """A body that has the shape of an activity."""

    fields: dict[str, Any]
    channel_id: str
    service_url: str

    def deserialize(self) -> Activity:
        """
        Return the SDK's activity.

        Raises:
            MalformedActivity: the SDK cannot read it.
        """
        try:
            return cast("Activity", _deserialize("Activity", self.fields))
        except DeserializationError as error:
            # Its message quotes the value.
            raise MalformedActivity(
                "The body is not an activity: a rarely used field has the wrong type."
            ) from error


def read_activity(body: bytes) -> ReceivedActivity:
    """
    Hold a body against the shape of an activity.

    Raises:
        RequestTooLarge: more than `MAX_BODY_BYTES`.
        MalformedActivity: not JSON, or not an activity.
    """
    fields = read_object(body)
    try:
        shape = msgspec.convert(
            fields, _MessageShape if fields.get("type") == "message" else _ActivityShape
        )
    except msgspec.ValidationError as error:
        raise MalformedActivity(f"The body is not an activity: {error}.") from error
    if shape.entries() > MAX_ENTRIES:
        raise MalformedActivity(
            f"The body is not an activity: its lists have more than {MAX_ENTRIES} entries in all."
        )
    return ReceivedActivity(fields, shape.channel_id, shape.service_url)
