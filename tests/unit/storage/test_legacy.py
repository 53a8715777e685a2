import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonpickle.pickler import Pickler
from jsonpickle.unpickler import Unpickler

from shared.errors import StateUnreadable
from shared.storage.codec import DocumentCodec
from shared.storage.schema import state_type
from tests.unit.storage.remembered import CODEC, DialogInstance, DialogState, Profile

PROFILE = "data_models.user_profile.UserProfile"


@state_type("Visit", formerly=(f"{__name__}.Visit",))
@dataclass
class Visit:
    when: datetime
    day: date
    seats: tuple[int, str]
    tags: set[str]
    notes: list[str]


def written_by_the_stock_sdk(document: dict[str, Any]) -> dict[str, Any]:
    """What its storage writes (CosmosDbPartitionedStorage.__create_dict)."""
    stored: dict[str, Any] = json.loads(json.dumps(Pickler().flatten(document)))
    return stored


def test_an_object_is_read_through_its_registered_path() -> None:
    """A document of the stock SDK becomes the class of today, migrated from version 1."""
    stored = {"py/object": PROFILE, "name": "Ada Lovelace"}
    assert CODEC.decode({"UserProfile": stored}) == {"UserProfile": Profile("Ada", "Lovelace")}


def test_dates_tuples_and_sets_of_the_stock_sdk_are_read() -> None:
    """What jsonpickle wrote of them is data enough."""
    visit = Visit(
        datetime(2026, 11, 23, 12, 30, 59, 123456),  # noqa: DTZ001  # the SDK's sample has none
        date(2026, 11, 24),
        (4, "window"),
        {"first"},
        ["a"],
    )
    stored = written_by_the_stock_sdk({"visit": visit})
    assert {"visit": visit} == DocumentCodec([Visit]).decode(stored)


def test_dialogs_that_the_stock_sdk_wrote_are_read() -> None:
    """A conversation in the middle of a dialog goes on after the change of storage."""
    stored = {
        "py/object": "botbuilder.dialogs.dialog_state.DialogState",
        "_dialog_stack": [
            {
                "py/object": "botbuilder.dialogs.dialog_instance.DialogInstance",
                "id": "main",
                "state": {"stepIndex": 1},
            }
        ],
    }
    dialogs = CODEC.decode({"DialogState": stored})["DialogState"]
    assert isinstance(dialogs, DialogState)
    assert isinstance(dialogs.dialog_stack[0], DialogInstance)
    assert dialogs.dialog_stack[0].state == {"stepIndex": 1}


def test_a_document_cannot_run_anything(tmp_path: Path) -> None:
    """The stock SDK runs the command in this document when it reads it."""
    proof = tmp_path / "ran"
    stored = {"p": {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [f"touch {proof}"]}]}}
    Unpickler().restore(stored)
    assert proof.exists(), "the document is harmless, so this test proves nothing"
    proof.unlink()
    with pytest.raises(StateUnreadable, match=r"running what it names"):
        CODEC.decode(stored)
    assert not proof.exists()


@pytest.mark.parametrize(
    "stored",
    [
        {"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["true"]}]},
        {"py/repr": "os/os.system('true')"},
        {"py/type": "os.system"},
        {"py/function": "os.system"},
        {"py/id": 1},
        {"py/ref": "/"},
        {"py/object": ["os.system"]},
        {"py/object": PROFILE, "name": "Ada", "py/newargs": {"py/tuple": ["true"]}},
        {"py/object": PROFILE, "name": "Ada", "py/state": {}},
        {"py/object": PROFILE, "name": "Ada", "__reduce__": []},
        {"py/tuple": [1], "py/set": [1]},
        {"py/tuple": {"a": 1}},
        {"py/object": "datetime.datetime", "__reduce__": [{"py/type": "os.system"}, ["B+QB"]]},
        {"py/object": "datetime.date", "__reduce__": [{"py/type": "datetime.date"}, ["!"]]},
        {"py/object": "datetime.date", "__reduce__": [{"py/type": "datetime.date"}, [""]]},
        {"py/object": "datetime.datetime"},
    ],
)
def test_what_cannot_be_read_safely_is_refused(stored: dict[str, Any]) -> None:
    """Tags that name something to run, or refer to other parts, are not followed."""
    with pytest.raises(
        StateUnreadable, match=r"in a form \(jsonpickle|as a date that cannot be read"
    ):
        CODEC.decode({"property": [stored]})


def test_a_class_that_nobody_registered_is_refused() -> None:
    """The stock SDK makes a dictionary of it, silently; here the error says what to register."""
    with pytest.raises(StateUnreadable, match="name its path in the `formerly`"):
        CODEC.decode({"property": {"py/object": "old.module.Class", "name": "Ada"}})
