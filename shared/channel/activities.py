"""
From the body of an HTTP request to an activity.

The SDK's own deserializer turns a number into a string where it expects one, and raises
whatever its innards raise where it cannot. So the body is held against the fields that
bots use before the SDK sees it, and what is wrong with it is said in one line that names
the field and never the value.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, cast

import msgspec
from azure.core.exceptions import DeserializationError
from botbuilder.schema import Activity

from shared.errors import MalformedActivity, RequestTooLarge

MAX_BODY_BYTES = 256 * 1024
"""The Bot Connector itself takes no more (Bot Framework REST API, "Message size limit")."""

MAX_NESTING = 64
"""Adaptive Cards in the wild stay below 20; Python's own limit is far above."""

MAX_TEXT_CHARACTERS = 100_000
"""Teams, the most generous channel for text, takes about 100 KB in a message."""

MAX_ATTACHMENTS = 100
"""A channel's users send a handful; a bot may do work for each."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
_Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]


class _Account(msgspec.Struct, rename="camel"):
    id: str | None = None
    name: str | None = None
    role: str | None = None
    aad_object_id: str | None = None


class _Sender(_Account, rename="camel"):
    id: _Name


class _Conversation(msgspec.Struct, rename="camel"):
    id: _Name
    name: str | None = None
    is_group: bool | None = None
    conversation_type: str | None = None
    tenant_id: str | None = None


class _Attachment(msgspec.Struct, rename="camel"):
    content_type: str | None = None
    content_url: str | None = None
    name: str | None = None


class _Entity(msgspec.Struct):
    type: str | None = None


class _Reaction(msgspec.Struct):
    type: str | None = None


class _ActivityShape(msgspec.Struct, rename="camel"):
    """The fields of an activity that the SDK and ordinary bots look at, and their types."""

    type: _Name
    channel_id: _Name
    service_url: _Url
    conversation: _Conversation
    from_: _Account | None = msgspec.field(name="from", default=None)
    recipient: _Account | None = None
    id: str | None = None
    timestamp: datetime | None = None
    local_timestamp: datetime | None = None
    local_timezone: str | None = None
    expiration: datetime | None = None
    delivery_mode: str | None = None
    reply_to_id: str | None = None
    locale: str | None = None
    name: str | None = None
    label: str | None = None
    action: str | None = None
    code: str | None = None
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARACTERS)] | None = None
    text_format: str | None = None
    speak: str | None = None
    summary: str | None = None
    topic_name: str | None = None
    attachments: Annotated[list[_Attachment], msgspec.Meta(max_length=MAX_ATTACHMENTS)] | None = (
        None
    )
    entities: list[_Entity] | None = None
    members_added: list[_Account] | None = None
    members_removed: list[_Account] | None = None
    reactions_added: list[_Reaction] | None = None
    reactions_removed: list[_Reaction] | None = None
    relates_to: dict[str, Any] | None = None


class _MessageShape(_ActivityShape, rename="camel"):
    """A message also says who sent it: user state is stored under that id."""

    from_: _Sender = msgspec.field(name="from")


def parse_activity(body: bytes) -> Activity:
    """
    Read one activity.

    Raises:
        RequestTooLarge: more than `MAX_BODY_BYTES`.
        MalformedActivity: not JSON, or not an activity.
    """
    if len(body) > MAX_BODY_BYTES:
        raise RequestTooLarge(f"The body is larger than {MAX_BODY_BYTES // 1024} KiB.")
    fields = _parse_object(body)
    shape = _MessageShape if fields.get("type") == "message" else _ActivityShape
    try:
        msgspec.convert(fields, shape)
        return cast("Activity", Activity().deserialize(fields))
    except msgspec.ValidationError as error:
        raise MalformedActivity(f"The body is not an activity: {error}.") from error
    except DeserializationError as error:
        # Its message quotes the value.
        raise MalformedActivity(
            "The body is not an activity: a field that is rarely used has the wrong type."
        ) from error


def _parse_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise MalformedActivity("The body is empty; an activity is a JSON object.")
    try:
        fields = msgspec.json.decode(body)
        # msgspec lets the last of two equal keys win, and a proxy in front of us may let
        # the first: what one checks, the other would not obey.
        json.loads(body, object_pairs_hook=_refuse_duplicate_keys)
    except RecursionError:
        raise MalformedActivity(f"The body is nested deeper than {MAX_NESTING} levels.") from None
    except UnicodeDecodeError:
        raise MalformedActivity("The body is not valid UTF-8.") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedActivity(f"The body is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedActivity("The body is JSON, but not an object; an activity is one.")
    # Every level opens with a bracket: most bodies need no walk.
    if body.count(b"[") + body.count(b"{") > MAX_NESTING and _is_nested_too_deep(fields):
        raise MalformedActivity(f"The body is nested deeper than {MAX_NESTING} levels.")
    return fields


def _refuse_duplicate_keys(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("an object has the same key twice")


def _is_nested_too_deep(root: Any) -> bool:
    level = [root]
    for _ in range(MAX_NESTING):
        level = [child for parent in level for child in _containers(parent)]
        if not level:
            return False
    return True


def _containers(value: Any) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value
    return (child for child in children if isinstance(child, dict | list))
