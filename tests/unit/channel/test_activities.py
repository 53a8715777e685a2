"""What is read as an activity, and what is refused with which words."""

import json
from datetime import datetime
from operator import or_
from typing import Any

import botbuilder.schema
import pytest
from botbuilder.schema import Activity
from hypothesis import given, reject
from hypothesis import strategies as st

from shared.channel.activities import (
    MAX_ATTACHMENTS,
    MAX_ENTRIES,
    MAX_NESTING,
    MAX_TEXT_CHARACTERS,
    read_activity,
)
from shared.errors import MalformedActivity, RequestRefused

MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "1",
    "timestamp": "2026-01-01T00:00:00.1234567Z",
    "localTimestamp": "2026-01-01T02:00:00+02:00",
    "localTimezone": "Europe/Paris",
    "serviceUrl": "https://smba.trafficmanager.net/emea/",
    "channelId": "msteams",
    "from": {"id": "user", "name": "Ada", "aadObjectId": "x"},
    "conversation": {"id": "conversation", "isGroup": False, "tenantId": "t"},
    "recipient": {"id": "bot", "name": "Bot"},
    "text": "hello",
    "entities": [{"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "bot"}}],
    "attachments": [],
    "channelData": {"tenant": {"id": "t"}},
    "somethingNew": {"a": [1, 2.5, None, True]},
}


def parse_activity(body: bytes) -> Activity:
    """Read one activity, in both steps."""
    return read_activity(body).deserialize()


def refusal(body: bytes) -> str:
    with pytest.raises(MalformedActivity) as caught:
        parse_activity(body)
    return str(caught.value)


def test_an_activity_is_read() -> None:
    """A message as Teams sends it becomes the SDK's activity, unknown fields included."""
    activity = parse_activity(json.dumps(MESSAGE).encode())

    assert activity.type == "message"
    assert activity.text == "hello"
    assert activity.from_property.aad_object_id == "x"
    assert activity.local_timestamp.isoformat() == "2026-01-01T02:00:00+02:00"
    assert {"somethingNew": {"a": [1, 2.5, None, True]}} == activity.additional_properties


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not JSON"),
        (b"[]", "not an object"),
        (b'"x"', "not an object"),
        (b"null", "not an object"),
        (b"{}", "missing required field"),
        (b'{"type": NaN}', "not JSON"),
        (b'{"type": 1e999}', "not JSON"),
        (b'{"type": "\xff"}', "not valid UTF-8"),
        (b'{"type": "\\ud800"}', "not JSON"),
        (b'{"type": "message", "type": "event"}', "same key twice"),
        (b'{"value": {"a": [{"b": 1, "b": 2}]}}', "same key twice"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"value":' + b"[" * 200 + b"]" * 200 + b"}", "nested deeper"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"value": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_activity_is_refused(body: bytes, words: str) -> None:
    """Each kind of rubbish is refused with the words that help its sender."""
    assert words in refusal(body)


@pytest.mark.parametrize(
    "field",
    ["type", "channelId", "serviceUrl", "conversation", "from", "conversation.id", "from.id"],
)
def test_a_message_needs_its_addresses(field: str) -> None:
    """State is stored under, and replies are sent to, what a message says of itself."""
    message = json.loads(json.dumps(MESSAGE))
    *parents, name = field.split(".")
    del (message[parents[0]] if parents else message)[name]

    assert f"missing required field `{name}`" in refusal(json.dumps(message).encode())


@pytest.mark.parametrize("field", ["type", "channelId", "conversation.id", "from.id"])
def test_an_address_is_not_empty(field: str) -> None:
    """An empty id would let all such senders share one state."""
    message = json.loads(json.dumps(MESSAGE))
    *parents, name = field.split(".")
    (message[parents[0]] if parents else message)[name] = ""

    assert f"$.{field}" in refusal(json.dumps(message).encode())


def test_an_update_may_have_no_sender() -> None:
    """Only messages are told apart by who sent them; some channels update without."""
    update = {**MESSAGE, "type": "conversationUpdate"}
    del update["from"]

    assert parse_activity(json.dumps(update).encode()).from_property is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", 5),
        ("id", 5),
        ("text", {"a": 1}),
        ("text", 5),
        ("textFormat", []),
        ("serviceUrl", None),
        ("channelId", ["x"]),
        ("conversation", "x"),
        ("conversation", [1]),
        ("from", 3),
        ("from", {"id": 3}),
        ("from", {"id": "u", "name": 3}),
        ("recipient", "bot"),
        ("recipient", {"id": {}}),
        ("timestamp", "yesterday"),
        ("timestamp", 5),
        ("localTimestamp", "2026-13-01T00:00:00Z"),
        ("localTimezone", 2),
        ("expiration", "x"),
        ("deliveryMode", 1),
        ("replyToId", 1),
        ("locale", 1),
        ("name", 1),
        ("membersAdded", {"id": "x"}),
        ("membersAdded", ["x"]),
        ("membersRemoved", "x"),
        ("entities", [5]),
        ("entities", {"type": "mention"}),
        ("attachments", "x"),
        ("attachments", [None]),
        ("reactionsAdded", [1]),
        ("relatesTo", "x"),
        ("relatesTo", {"conversation": 5}),
        ("relatesTo", {"user": {"id": 5}}),
        ("suggestedActions", {"actions": [5]}),
        ("suggestedActions", {"actions": {}}),
        ("suggestedActions", {"to": [5]}),
        ("textHighlights", [{"occurrence": "x"}]),
        ("semanticAction", {"entities": [5]}),
        ("semanticAction", {"entities": {"a": 5}}),
        ("listenFor", [5]),
        ("historyDisclosed", 1),
        ("inputHint", {}),
        ("importance", 5),
        ("attachmentLayout", []),
        ("valueType", 5),
        ("callerId", {}),
        ("attachments", [{"thumbnailUrl": 5}]),
        ("suggestedActions", "x"),
    ],
)
def test_a_field_has_its_type(field: str, value: object) -> None:
    """A value of another JSON type is refused, not turned into a string."""
    message = refusal(json.dumps({**MESSAGE, field: value}).encode())

    assert "not an activity" in message


def test_a_refusal_repeats_no_value() -> None:
    """What is wrong is said by field and type: the value may be what a user wrote."""
    for field in ("timestamp", "conversation", "suggestedActions", "membersAdded"):
        assert "marked" not in refusal(json.dumps({**MESSAGE, field: "marked"}).encode())


@pytest.mark.parametrize(
    ("field", "largest", "larger"),
    [
        ("text", "x" * MAX_TEXT_CHARACTERS, "x" * (MAX_TEXT_CHARACTERS + 1)),
        ("attachments", [{}] * MAX_ATTACHMENTS, [{}] * (MAX_ATTACHMENTS + 1)),
    ],
)
def test_text_and_attachments_have_limits(field: str, largest: object, larger: object) -> None:
    """No bot has to read more than a channel's users send."""
    parse_activity(json.dumps({**MESSAGE, field: largest}).encode())

    assert f"$.{field}" in refusal(json.dumps({**MESSAGE, field: larger}).encode())


@pytest.mark.parametrize(("levels", "fits"), [(MAX_NESTING, True), (MAX_NESTING + 1, False)])
def test_nesting_has_a_limit(levels: int, fits: bool) -> None:
    """The activity itself is the first level."""
    value = "[" * (levels - 1) + "]" * (levels - 1)
    body = json.dumps({**MESSAGE, "value": 0}).replace('"value": 0', f'"value": {value}').encode()

    if fits:
        assert parse_activity(body).value is not None
    else:
        assert "nested deeper" in refusal(body)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        # Direct Line takes 262,144 UTF-16 units of activity, in whatever script.
        ("\u4f60" * 95_000, False),
        ("\u4f60" * 95_000, True),
        ("\u4f60" * 260_000, False),
        ("\U0001f600" * 130_000, False),
        ("x" * 260_000, False),
        # An e-mail, with a line break in each line, and one that is all quotation marks.
        (("x" * 70 + "\r\n") * 1_900, True),
        ('"' * 130_000, True),
        ("\u0001" * 130_000, True),
    ],
    ids=lambda value: value if isinstance(value, bool) else f"{len(value)}x{value[0]!a}",
)
def test_what_channels_let_through_is_read(text: str, escaped: bool) -> None:
    """The longest text of each channel fits, whatever its script, and as most encoders send it."""
    body = json.dumps({**MESSAGE, "text": text}, ensure_ascii=escaped).encode()

    assert text == parse_activity(body).text


def list_fields(model: str = "Activity", depth: int = 0) -> list[tuple[str, ...]]:
    """Return the path of each list (or dictionary) of models or strings in the SDK's Activity."""
    found: list[tuple[str, ...]] = []
    for described in getattr(botbuilder.schema, model)._attribute_map.values():
        inner = described["type"].strip("[]{}")
        if inner != described["type"]:
            found.append((described["key"],))
        elif hasattr(botbuilder.schema, inner) and depth < 3:
            found += [(described["key"], *rest) for rest in list_fields(inner, depth + 1)]
    return found


@pytest.mark.parametrize("path", list_fields(), ids=".".join)
def test_each_list_has_a_limit(path: tuple[str, ...]) -> None:
    """None of the SDK's lists may have more entries than its deserializer takes time for."""
    entry: object = "x" if path[-1] in ("to", "listenFor") else {}
    limit = MAX_ATTACHMENTS if path == ("attachments",) else MAX_ENTRIES

    def body(entries: int) -> bytes:
        many = [entry] * entries
        value: object = many
        if path[0] == "semanticAction":
            value = {str(n): entry for n in range(entries)}
        for name in reversed(path[1:]):
            value = {name: value}
        return json.dumps({**MESSAGE, "entities": [], path[0]: value}).encode()

    assert parse_activity(body(limit)).type
    assert ".".join(path) in refusal(body(limit + 1))


def test_all_lists_together_have_a_limit() -> None:
    """What one list may not hold is not spread over several either."""
    half: list[dict[str, str]] = [{}] * (MAX_ENTRIES // 2)
    fields = {**MESSAGE, "entities": [], "membersAdded": half, "membersRemoved": half}

    assert parse_activity(json.dumps(fields).encode()).members_added
    assert "entries in all" in refusal(json.dumps({**fields, "listenFor": ["x"]}).encode())


@pytest.mark.parametrize("dots", [".", ".."])
@pytest.mark.parametrize("field", ["id", "replyToId", "conversation", "relatesTo"])
def test_an_id_is_no_way_up(field: str, dots: str) -> None:
    """In the path of a reply's URL these would name another place, escaped or not."""
    value: object = dots
    if field == "conversation":
        value = {"id": dots}
    elif field == "relatesTo":
        value = {"activityId": dots, "conversation": {"id": dots}}

    assert f"$.{field}" in refusal(json.dumps({**MESSAGE, field: value}).encode())


@pytest.mark.parametrize("activity_id", ["...", ".a", "a..", "a/..", "../a", "%2e"])
def test_an_id_may_have_dots(activity_id: str) -> None:
    """Dots among other signs are escaped with them."""
    assert activity_id == parse_activity(json.dumps({**MESSAGE, "id": activity_id}).encode()).id


@pytest.mark.parametrize("field", ["localTimezone", "locale", "textFormat", "id"])
def test_a_word_is_not_a_text(field: str) -> None:
    """What a bot looks up by, such as the name of a time zone, has the length of a name."""
    assert f"$.{field}" in refusal(json.dumps({**MESSAGE, field: "x" * 2_000}).encode())


def test_many_brackets_are_not_deep() -> None:
    """A wide activity is not mistaken for a deep one."""
    wide = {**MESSAGE, "value": [[] for _ in range(1000)]}

    assert len(parse_activity(json.dumps(wide).encode()).value) == 1000


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Whatever bytes arrive, they are an activity or they are refused."""
    with pytest.raises(RequestRefused):
        parse_activity(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted({*MESSAGE, "membersAdded", "value", "suggestedActions"})), json_values
)
def test_no_value_of_a_field_raises_anything_else(field: str, value: object) -> None:
    """Whatever a field holds, the message is an activity or it is refused."""
    try:
        activity = parse_activity(json.dumps({**MESSAGE, field: value}).encode())
    except RequestRefused:
        return
    assert activity.type


times = st.builds(
    "{}{}{}{}".format,
    st.dates().map(str),
    st.sampled_from("TTTt "),
    st.times().map(str) | st.sampled_from(["00:00:00.1", "23:59:60", "12:30:00.123456789"]),
    st.sampled_from(["Z", "Z", "z", "+00:00", "-03:30", ""]),
)


def fields_of(model: str, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields of one of the SDK's models, and some that it does not know."""
    known = {
        described["key"]: st.none() | values_of(described["type"], depth)
        for described in getattr(botbuilder.schema, model)._attribute_map.values()
    }
    some: Any = st.fixed_dictionaries({}, optional=known)
    others = st.dictionaries(st.text(max_size=9), json_values, max_size=2)
    return st.builds(or_, others, some)


def values_of(kind: str, depth: int) -> st.SearchStrategy[Any]:
    """What one of the SDK's types may have in JSON."""
    inner = kind.strip("[]{}")
    of_one: st.SearchStrategy[Any] = {
        "str": st.text(max_size=9),
        "bool": st.booleans(),
        "int": st.integers(0, 9),
        "iso-8601": times,
        "object": json_values,
    }.get(inner, st.none())
    if hasattr(botbuilder.schema, inner):
        of_one = fields_of(inner, depth + 1) if depth < 2 else st.just({})
    if kind[0] == "[":
        return st.lists(of_one, max_size=2)
    return st.dictionaries(st.text(max_size=9), of_one, max_size=2) if kind[0] == "{" else of_one


@given(fields_of("Activity"))
def test_an_activity_is_what_the_sdk_reads(some: dict[str, Any]) -> None:
    """Whatever fields a channel sends, and with whatever in them."""
    fields = {**MESSAGE, **some}
    for name in ("type", "serviceUrl", "channelId", "from", "conversation"):
        fields[name] = MESSAGE[name]
    try:
        activity = parse_activity(json.dumps(fields).encode())
    except RequestRefused:
        reject()

    expected = Activity().deserialize(fields)
    assert expected == activity
    assert repr(times_of(expected)) == repr(times_of(activity))


@given(times)
def test_a_time_is_what_the_sdk_reads(time: str) -> None:
    """In a zone of the same class, and refused where the SDK refuses it."""
    fields = {**MESSAGE, "timestamp": time, "localTimestamp": time, "expiration": time}
    try:
        activity = parse_activity(json.dumps(fields).encode())
    except RequestRefused:
        reject()

    assert repr(times_of(Activity().deserialize(fields))) == repr(times_of(activity))


def times_of(activity: Activity) -> list[datetime]:
    return [activity.timestamp, activity.local_timestamp, activity.expiration]


def test_what_has_no_type_is_not_copied() -> None:
    """Each number in a value would take 8 µs."""
    received = read_activity(json.dumps({**MESSAGE, "value": [1, 2]}).encode())

    assert received.fields["value"] is received.deserialize().value
