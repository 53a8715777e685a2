"""What a function gets of a message, and what becomes of the message."""

import base64
from pathlib import Path

import pytest

from local.node_services.emulators import Azurite
from tests.programs.programs import Program, eventually
from tests.programs.triggers.conftest import QUICK, StartHost
from tests.programs.triggers.functions import runs, write_queue_function
from tests.programs.triggers.queues import TestQueue, new_queue
from tests.unit.local.function_app import write_function, write_host_json

Queues = dict[str, TestQueue]

CODE = {
    "Tells": """
        record(
            body=message.get_body().decode(),
            id=message.id,
            count=message.dequeue_count,
            receipt=bool(message.pop_receipt),
            kept_s=(message.expiration_time - message.insertion_time).total_seconds(),
            hidden_s=(message.time_next_visible - message.insertion_time).total_seconds(),
        )
        """,
    "Fails": """
        record(id=message.id, count=message.dequeue_count)
        raise RuntimeError("the function's own")
        """,
    "Waits": """
        await asyncio.sleep(0.01)
        record(function=context.function_name, directory=context.function_directory)
        """,
    "Returns": """
        record(count=message.dequeue_count)
        return "a text"
        """,
    "Misfit": "def main(",
    "Named": "record(body=message.get_body().decode())",
    "Connected": "record(body=message.get_body().decode())",
    "Disabled": "record()",
    "Nameless": "record()",
    "Misnamed": "record()",
    "Raw": "record(body=list(message.get_body()))",
}
"""A function for each rule."""

QUEUE_NAMES = {"Named": "%QUEUE_OF_NAMED%", "Nameless": "%QUEUE_OF_NOBODY%", "Misnamed": "no_queue"}

BINDINGS: dict[str, dict[str, object]] = {
    "Connected": {"connection": "Elsewhere"},
    "Raw": {"dataType": "binary"},
}


@pytest.fixture(scope="module")
def queues(azurite: Azurite) -> Queues:
    """A queue for each function."""
    return {name: new_queue(azurite) for name in [*CODE, "Late", "Blob"]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, queues: Queues) -> Path:
    """The app."""
    root = tmp_path_factory.mktemp("app")
    write_host_json(root, queues=QUICK)
    for name, code in CODE.items():
        queue_name = QUEUE_NAMES.get(name, queues[name].name)
        write_queue_function(root, queue_name, code, name=name, **BINDINGS.get(name, {}))
    write_queue_function(root, f"{queues['Late'].name}-late", "record()", name="Late")
    poison = f"{queues['Late'].name}-poison"
    failing = "record()\nraise RuntimeError"
    write_queue_function(root, poison, failing, name="OnPoison")
    blob = {"type": "blobTrigger", "direction": "in", "name": "blob", "path": "in/{name}"}
    write_function(root, "Blob", "def main(blob): pass", bindings=[blob])
    return root


@pytest.fixture(scope="module")
def host(root: Path, queues: Queues, azurite: Azurite, start_module_host: StartHost) -> Program:
    """The host that runs it."""
    settings = {
        "QUEUE_OF_NAMED": queues["Named"].name,
        "AzureWebJobsElsewhere": azurite.connection_string,
        "AzureWebJobs.Disabled.Disabled": "true",
    }
    return start_module_host(root, settings=settings)


pytestmark = pytest.mark.usefixtures("host")


def new_runs(root: Path, name: str, queue: TestQueue, *texts: str) -> list[dict[str, object]]:
    """Put these messages, and return what their runs record once all are gone."""
    before = len(runs(root, name))
    for text in texts:
        queue.put(text)
    eventually(lambda: queue.count() == 0 and len(runs(root, name)) >= before + len(texts))
    return runs(root, name)[before:]


class TestMessage:
    def test_the_function_gets_it_and_it_is_gone(
        self, root: Path, queues: Queues, host: Program
    ) -> None:
        """Body, id, count and times are the message's; after the run it is deleted."""
        (seen,) = new_runs(root, "Tells", queues["Tells"], '{"text": "späm"}')

        assert ('{"text": "späm"}', 1, True) == (seen["body"], seen["count"], seen["receipt"])
        assert 7 * 24 * 3600 == seen["kept_s"]
        assert str(seen["hidden_s"]) >= "600"
        host.shows("Executed 'Functions.Tells' (Succeeded, Id=")
        reason = f"(Reason='New queue message detected on '{queues['Tells'].name}'.', Id="
        assert f"Executing 'Functions.Tells' {reason}" in host.output
        assert f"Trigger Details: MessageId: {seen['id']}, DequeueCount: 1, " in host.output
        assert "späm" not in host.output

    def test_an_empty_one_is_one(self, root: Path, queues: Queues) -> None:
        """A message without a body runs the function with an empty text."""
        (seen,) = new_runs(root, "Tells", queues["Tells"], "")

        assert "" == seen["body"]

    def test_the_largest_is_delivered_whole(self, root: Path, queues: Queues) -> None:
        """49,152 bytes are the 64 KiB of base64 that a queue takes."""
        (seen,) = new_runs(root, "Tells", queues["Tells"], "x" * 49_152)

        assert "x" * 49_152 == seen["body"]

    def test_what_is_no_utf_8_becomes_so(self, root: Path, queues: Queues) -> None:
        """The host hands bodies on as text: a text that happens to be base64 arrives as rubbish."""
        before = len(runs(root, "Tells"))
        queues["Tells"].put_raw("abcd")
        eventually(lambda: len(runs(root, "Tells")) > before)

        assert "i\ufffd\x1d" == runs(root, "Tells")[-1]["body"]

    def test_unless_the_binding_wants_bytes(self, root: Path, queues: Queues) -> None:
        """With `dataType` "binary" the bytes arrive as they are."""
        queues["Raw"].put_raw("abcd")
        eventually(lambda: len(runs(root, "Raw")) == 1)

        assert [{"body": [0x69, 0xB7, 0x1D]}] == [_without_pid(run) for run in runs(root, "Raw")]


class TestFailure:
    def test_five_failures_are_poison(self, root: Path, queues: Queues, host: Program) -> None:
        """After its fifth run it lies in the poison queue for a week: same body, another id."""
        queues["Fails"].put("body")
        eventually(lambda: len(queues["Fails"].poison()) == 1)
        eventually(lambda: queues["Fails"].count() == 0)

        (poison,) = queues["Fails"].poison()
        assert [1, 2, 3, 4, 5] == [run["count"] for run in runs(root, "Fails")]
        assert base64.b64encode(b"body").decode() == poison.content
        assert poison.id not in {run["id"] for run in runs(root, "Fails")}
        assert 7 == (poison.expires_on - poison.inserted_on).days
        host.shows(
            "Message has reached MaxDequeueCount of 5. "
            f"Moving message to queue '{queues['Fails'].name}-poison'."
        )
        assert "RuntimeError: the function's own" in host.output

    def test_what_is_not_base64_is_poison_at_once(
        self, root: Path, queues: Queues, host: Program
    ) -> None:
        """It never reaches the function; the poison queue keeps its text unchanged for a week."""
        queues["Waits"].put_raw('{"plain": "text"}')
        eventually(lambda: len(queues["Waits"].poison()) == 1)
        # The second finds the poison queue, which the first has made.
        queues["Waits"].put_raw('{"plain": "text"}')
        eventually(lambda: len(queues["Waits"].poison()) == 2)
        eventually(lambda: queues["Waits"].count() == 0)

        assert [('{"plain": "text"}', 7)] * 2 == [
            (each.content, (each.expires_on - each.inserted_on).days)
            for each in queues["Waits"].poison()
        ]
        host.shows("Message decoding has failed! Check MessageEncoding settings. MessageId=")

    def test_what_was_received_too_often_is_poison_without_a_run(
        self, root: Path, queues: Queues, azurite: Azurite, start_host: StartHost, tmp_path: Path
    ) -> None:
        """A message that has killed five hosts is not given to the next one."""
        queue = new_queue(azurite)
        queue.put("deadly")
        for _ in range(5):
            queue.receive()
        write_host_json(tmp_path / "app", queues=QUICK)
        write_queue_function(tmp_path / "app", queue.name, "record()")

        start_host(tmp_path / "app")
        eventually(lambda: len(queue.poison()) == 1)

        assert [] == runs(tmp_path / "app")

    def test_a_poison_queue_has_none(self, root: Path, queues: Queues, azurite: Azurite) -> None:
        """What fails in a queue whose name ends so stays hidden, instead of going round."""
        queue = TestQueue(azurite.connection_string, f"{queues['Late'].name}-poison")
        queue.create()
        queue.put("first")
        eventually(lambda: len(runs(root, "OnPoison")) == 1)
        queue.put("second")
        eventually(lambda: len(runs(root, "OnPoison")) == 2)

        assert (2, []) == (queue.count(), queue.visible())
        assert 2 == len(runs(root, "OnPoison"))

    def test_a_value_that_nothing_takes_is_a_failure(self, root: Path, queues: Queues) -> None:
        """A function that returns something without a $return binding fails, as in Azure."""
        queues["Returns"].put("body")

        eventually(lambda: len(queues["Returns"].poison()) == 1)

    def test_code_that_does_not_load_fails_each_run(self, queues: Queues, host: Program) -> None:
        """The mistake is shown when the host starts, and each message becomes poison."""
        queues["Misfit"].put("body")

        eventually(lambda: len(queues["Misfit"].poison()) == 1)
        assert "Misfit does not load" in host.output


class TestDeclaration:
    def test_async_functions_get_their_context(self, root: Path, queues: Queues) -> None:
        """An `async def` runs in the host's loop, and `context` is the invocation's."""
        (seen,) = new_runs(root, "Waits", queues["Waits"], "body")

        assert ("Waits", str(root / "Waits")) == (seen["function"], seen["directory"])

    def test_a_queues_name_may_be_a_setting(self, root: Path, queues: Queues) -> None:
        """`%NAME%` in queueName is replaced by the setting of that name."""
        assert "body" == new_runs(root, "Named", queues["Named"], "body")[0]["body"]

    def test_a_setting_that_is_missing_leaves_out_one_function(self, host: Program) -> None:
        """The log names the function and the setting; the others run."""
        host.shows(
            "The 'Nameless' function is in error: '%QUEUE_OF_NOBODY%' does not resolve to a value."
        )

    def test_a_name_that_no_queue_can_have_leaves_out_one_function(self, host: Program) -> None:
        """Nobody asks the storage for it."""
        host.shows("The 'Misnamed' function is in error: 'no_queue' is no name of a queue")
        assert "Host is shutting down" not in host.output

    def test_another_account_may_be_named(self, root: Path, queues: Queues) -> None:
        """`connection` names a setting, without the AzureWebJobs that it may begin with."""
        assert "body" == new_runs(root, "Connected", queues["Connected"], "body")[0]["body"]

    def test_a_setting_disables_a_function(self, root: Path, queues: Queues, host: Program) -> None:
        """With AzureWebJobs.NAME.Disabled the function rests, and its messages wait."""
        queues["Disabled"].put("body")
        new_runs(root, "Tells", queues["Tells"], "later")

        assert 1 == len(queues["Disabled"].visible())
        assert "Function 'Disabled' is disabled." in host.output

    def test_a_trigger_of_another_kind_is_left_out(self, host: Program) -> None:
        """The log says that Core Tools run it."""
        host.shows("The 'Blob' function is in error: it has a blobTrigger, which only Azure")

    def test_a_queue_may_come_later(
        self, root: Path, queues: Queues, azurite: Azurite, host: Program
    ) -> None:
        """A missing queue is no error, nor is one that is deleted and made again."""
        queue = TestQueue(azurite.connection_string, f"{queues['Late'].name}-late")
        queue.create()
        new_runs(root, "Late", queue, "first")
        queue.delete()
        queue.create()

        assert 1 == len(new_runs(root, "Late", queue, "second"))
        assert "Host is shutting down" not in host.output


def _without_pid(run: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in run.items() if name != "pid"}
