"""The SDK's own classes in state, of which nobody has registered any."""

import json
import subprocess
import sys
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.core.invoke_response import InvokeResponse
from botbuilder.dialogs import DialogInstance, DialogState, PromptOptions
from botbuilder.dialogs.choices import Choice, FoundChoice, ListStyle
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    CardAction,
    ConversationReference,
    HeroCard,
    TokenResponse,
)
from botbuilder.schema.teams import TeamsChannelAccount
from jsonpickle.pickler import Pickler
from msrest.serialization import Model

from shared.errors import StateNotStorable, StateUnreadable
from shared.storage import foreign_type, sdk_state_types, state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.state_types import Schema
from tests.unit.storage.remembered import ask

CODEC = DocumentCodec([])

RECEIVED: Any = Activity.deserialize(
    {
        "type": "message",
        "timestamp": "2026-11-23T12:30:59.123Z",
        "localTimestamp": "2026-11-23T13:30:59.123+01:00",
        "from": {"id": "1", "name": "Ada", "aadObjectId": "x"},
        "conversation": {"id": "2", "isGroup": True},
        "channelData": {"tenant": {"id": "3"}, "$type": "x"},
        "entities": [{"type": "clientInfo", "locale": "de"}],
        "attachments": [{"contentType": "image/png", "contentUrl": "https://example.com/a.png"}],
        "value": {"n": [1, None]},
    }
)


def in_dialog() -> DialogState:
    """A stack as a choice prompt in a waterfall in a component dialog leaves it."""
    choices = [Choice("red", CardAction(title="Red", type="imBack"), ["rot"]), Choice("blue")]
    prompt = DialogInstance(
        "choice",
        {
            "options": PromptOptions(
                MessageFactory.text("Which?"), choices=choices, style=ListStyle.hero_card
            ),
            "state": {"AttemptCount": 1},
        },
    )
    waterfall = DialogInstance("waterfall", {"stepIndex": 1, "values": {"reference": RECEIVED}})
    return DialogState([DialogInstance("main", {"dialogs": DialogState([waterfall, prompt])})])


def plain(value: Any) -> Any:
    """What an object is made of: the SDK's classes do not say when two are equal."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "__dict__") and not isinstance(value, ActivityTypes | ListStyle | datetime):
        return type(value), plain(vars(value))
    return value


@pytest.mark.parametrize(
    "value",
    [
        in_dialog(),
        RECEIVED,
        TurnContext.get_conversation_reference(RECEIVED),
        CardFactory.hero_card(HeroCard(title="x", buttons=[CardAction(title="y")])),
        FoundChoice("red", 0, 1.0, "rot"),
        TokenResponse(connection_name="x", token="y"),
        TeamsChannelAccount(id="1", email="ada@example.com"),
        InvokeResponse(status=200, body={"a": 1}),
    ],
)
def test_the_sdks_objects_come_back_as_they_were(value: object) -> None:
    """With whatever stands in them, and without being registered."""
    read = ask(json.loads(json.dumps(CODEC.encode({"property": [value]})["property"])), CODEC)

    assert plain([value]) == plain(read)


def test_an_attribute_that_the_class_does_not_have_is_stored_too() -> None:
    """Bots hang what they like on an activity."""
    activity = copy(RECEIVED)
    activity.mine = (1, 2)
    activity.additional_properties = {"$type": "x"}

    assert plain(activity) == plain(ask(CODEC.encode({"property": activity})["property"], CODEC))


def _new(schema: Schema) -> Any:
    made = schema.load({})
    vars(made).update({"extra": timedelta(1)})
    return made


@pytest.mark.parametrize("schema", sdk_state_types(), ids=lambda schema: schema.name)
def test_every_class_of_the_sdks_is_stored(schema: Schema) -> None:
    """All models of the schema, and what dialogs keep."""
    value = _new(schema)
    read = ask(CODEC.encode({"property": value})["property"], CODEC)

    assert type(value) is type(read)
    assert vars(value) == vars(read)


@pytest.mark.parametrize("value", [in_dialog(), RECEIVED], ids=["dialogs", "activity"])
def test_what_the_stock_sdk_wrote_of_them_is_read(value: object) -> None:
    """jsonpickle writes an ActivityTypes as a call, and a second one as a reference to it."""
    stored = json.loads(json.dumps(Pickler().flatten({"property": value, "again": value})))
    read = CODEC.decode(stored)

    assert plain(value) == plain(read["property"]) == plain(read["again"])
    assert read["again"] is not read["property"]


def test_they_may_be_the_type_of_a_field() -> None:
    """Of a dataclass of the bot's."""

    @state_type("Conversation")
    @dataclass
    class Conversation:
        reference: ConversationReference
        seen: list[Activity]
        dialogs: DialogState | None = None

    codec = DocumentCodec([Conversation])
    value = Conversation(TurnContext.get_conversation_reference(RECEIVED), [RECEIVED], in_dialog())

    assert plain(value) == plain(ask(codec.encode({"property": value})["property"], codec))
    with pytest.raises(StateNotStorable, match=r"Expected `Activity`, got `str`"):
        codec.encode({"property": Conversation(value.reference, ["x"])})


def test_who_registers_one_has_it_stored_in_his_way() -> None:
    """Also what the stock SDK, or this app before that, stored of it."""
    own = foreign_type(
        DialogInstance,
        "Instance",
        {"id": str, "state": dict[str, Any]},
        formerly=("botbuilder.dialogs.dialog_instance.DialogInstance",),
    )
    codec, value = DocumentCodec([own]), DialogInstance("main", {"x": 1})

    assert "Instance" == codec.encode({"property": value})["property"]["$type"]
    for stored in (
        CODEC.encode({"property": value})["property"],
        Pickler().flatten(value),
        codec.encode({"property": value})["property"],
    ):
        assert plain(value) == plain(ask(stored, codec))


class Mine(Activity):
    pass


def test_a_subclass_is_a_class_of_the_bots() -> None:
    """It may have more than its base, and is registered by itself."""
    with pytest.raises(StateNotStorable, match=r"Mine, which is not registered"):
        CODEC.encode({"property": Mine()})


def test_what_belongs_to_the_turn_is_refused() -> None:
    """A turn context is of the SDK, and no data."""
    with pytest.raises(StateNotStorable, match="which the SDK makes for one turn"):
        CODEC.encode({"property": TurnContext(object(), RECEIVED)})


@pytest.mark.parametrize(
    "path",
    [
        "botbuilder.core.turn_context.TurnContext",
        "botbuilder.core.TurnContext",
        "botbuilder.schema._models_py3.NoSuchModel",
        "botbuilder.schema._models_py3.Model",
        "botbuilder.nothing.There",
        f"{__name__}.Mine",
        "msrest.serialization.Model",
    ],
)
def test_no_other_class_is_made_of_a_document(path: str) -> None:
    """A name in a document makes an object only of what is data."""
    for stored in ({"$type": path, "$version": 1, "a": 1}, {"py/object": path, "a": 1}):
        with pytest.raises(StateUnreadable):
            ask(stored, CODEC)


def test_a_method_stays_a_method() -> None:
    """No attribute in a document takes the class's place."""
    stored = {"$type": "botbuilder.schema._models_py3.Activity", "$version": 1}
    read = ask({**stored, "__class__": "x", "_attribute_map": {}}, CODEC)

    assert type(read) is Activity
    assert isinstance(read, Model)


RUN = """
import json, sys
import MessagesFunction
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.opaque import Opaque
codec = DocumentCodec([])
assert not [name for name in sys.modules if name.startswith("botbuilder.dialogs")]
codec.encode({"a": [1, (2,)]})
codec.decode({"a": {"$type": "botbuilder.dialogs.No.Such", "$version": 1}})
assert not [name for name in sys.modules if name.startswith("botbuilder.dialogs")]
"""


@pytest.mark.starts_programs
def test_dialogs_are_loaded_when_a_document_has_some() -> None:
    """Not before: and then the module is named by this app's table, not by the document."""
    stored = json.dumps(CODEC.encode({"property": in_dialog()}))
    program = (
        RUN + f"read = codec.decode(json.loads({stored!r}))['property']\n"
        "print(type(read).__name__, read.dialog_stack[0].state['dialogs'].dialog_stack[1].id)"
    )
    environ = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, check=True, capture_output=True, text=True
    )

    assert "DialogState choice\n" == done.stdout


@pytest.mark.starts_programs
def test_dialogs_of_an_app_without_the_package_are_kept() -> None:
    """A bot that has dropped its dialogs still owns their state."""
    stored = json.dumps(CODEC.encode({"property": in_dialog()}))
    program = (
        "import sys; sys.modules['botbuilder.dialogs'] = None\n"
        + RUN.replace("import MessagesFunction", "")
        + f"stored = json.loads({stored!r}); read = codec.decode(stored)\n"
        "assert stored == codec.encode(read)\n"
        "print(type(read['property']).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program.replace("assert not", "assert True or")],
        check=True,
        capture_output=True,
        text=True,
    )

    assert f"{Opaque.__name__}\n" == done.stdout
