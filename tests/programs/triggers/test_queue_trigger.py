"""How a host listens to a queue: how much at once, for how long, and what ends it."""

import os
import signal
from pathlib import Path

import pytest

from local.node_services.emulators import Azurite
from tests.programs.programs import eventually
from tests.programs.triggers.conftest import QUICK, StartHost
from tests.programs.triggers.faulty_storage import BROKEN, LOST, FaultyStorage
from tests.programs.triggers.functions import runs, write_queue_function
from tests.programs.triggers.queues import TestQueue
from tests.unit.local.function_app import write_function, write_host_json
from tests.unit.local.http import request

HOST_STOPS = "An unhandled exception has occurred. Host is shutting down."

WAITS_FOR_WORD = """
record(count=message.dequeue_count, event="begins")
while not pathlib.Path(__file__).with_name("word").exists():
    await asyncio.sleep(0.02)
record(count=message.dequeue_count, event="ends")
"""


def give_word(root: Path) -> None:
    """Let the runs of a function that waits for it end."""
    (root / "OnMessage" / "word").touch()


class TestHiding:
    def test_a_message_is_hidden_while_it_is_run(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """Nobody else sees it meanwhile, but it still counts."""
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        queue.put("body")
        start_host(root)
        eventually(lambda: len(runs(root)) == 1)

        meanwhile = (queue.count(), queue.visible())
        give_word(root)

        eventually(lambda: queue.count() == 0)
        assert (1, []) == meanwhile

    def test_it_comes_back_when_its_host_is_killed(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """SIGKILL in mid-run leaves it hidden for the set time; then another host runs it."""
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        queue.put("body")
        host = start_host(root, "--hidden-s=3")
        eventually(lambda: len(runs(root)) == 1)

        os.killpg(host.process.pid, signal.SIGKILL)
        give_word(root)
        start_host(root, "--hidden-s=3")
        eventually(lambda: queue.count() == 0)

        assert [(1, "begins"), (2, "begins"), (2, "ends")] == [
            (run["count"], run["event"]) for run in runs(root)
        ]

    def test_a_long_run_keeps_it_hidden(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """A run of several times the hidden time is not doubled by another host on the queue."""
        write_queue_function(root, queue.name, "time.sleep(7)\nrecord()")
        queue.put("body")
        start_host(root, "--hidden-s=2")
        start_host(root, "--hidden-s=2")

        eventually(lambda: queue.count() == 0)

        assert 1 == len(runs(root))

    def test_after_a_failure_for_as_long_as_is_set(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """With visibilityTimeout a message that failed waits before its next run."""
        write_host_json(root, queues={**QUICK, "visibilityTimeout": "01:00:00"})
        code = "record(body=message.get_body().decode())\nraise RuntimeError"
        write_queue_function(root, queue.name, code)
        queue.put("first")
        start_host(root)
        eventually(lambda: len(runs(root)) == 1)
        queue.put("second")
        eventually(lambda: len(runs(root)) == 2)

        assert (2, []) == (queue.count(), queue.visible())
        assert ["first", "second"] == [run["body"] for run in runs(root)]


class TestDeath:
    """The worker dies, and not its host: what it ran has failed, as if it had raised."""

    def test_its_messages_run_again_in_the_next_worker(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """They are not hidden any longer, and their count goes on."""
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        for number in range(2):
            queue.put(str(number))
        host = start_host(root)
        eventually(lambda: len(runs(root)) == 2)

        os.kill(runs(root)[0]["pid"], signal.SIGKILL)
        eventually(lambda: len(runs(root)) == 4)
        give_word(root)
        eventually(lambda: queue.count() == 0)

        assert [1, 1, 2, 2, 2, 2] == [run["count"] for run in runs(root)]
        assert "Executed 'Functions.OnMessage' (Failed): its worker died." in host.output

    def test_after_a_renewal_too(self, root: Path, queue: TestQueue, start_host: StartHost) -> None:
        """The next worker has the receipt of the last renewal, and so can delete the message."""
        write_host_json(root, queues={**QUICK, "maxDequeueCount": 1})
        code = "await asyncio.sleep(3)\nrecord()\nawait asyncio.sleep(600)"
        write_queue_function(root, queue.name, code)
        queue.put("body")
        start_host(root, "--hidden-s=4")
        eventually(lambda: len(runs(root)) == 1)

        os.kill(runs(root)[0]["pid"], signal.SIGKILL)
        eventually(lambda: queue.count() == 0)

        assert 1 == len(queue.poison())

    def test_its_messages_may_be_poison(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """A message that has killed as many workers as it has tries is not run any more."""
        write_host_json(root, queues={**QUICK, "maxDequeueCount": 2})
        code = "record(count=message.dequeue_count)\nos._exit(3)"
        write_queue_function(root, queue.name, code)
        queue.put("deadly")

        start_host(root)
        eventually(lambda: len(queue.poison()) == 1)

        assert [1, 2] == [run["count"] for run in runs(root)]

    def test_what_takes_too_long_dies_with_all_else(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """`functionTimeout` ends the worker: the other runs in it have failed as well."""
        (root / "host.json").write_text(
            '{"version": "2.0", "functionTimeout": "00:00:03", "extensions": '
            '{"queues": {"maxPollingInterval": "00:00:00.2"}}}'
        )
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        queue.put("first")
        host = start_host(root)
        eventually(lambda: len(runs(root)) == 1)
        queue.put("second")

        host.shows("OnMessage takes longer than functionTimeout (3 s).")
        give_word(root)
        eventually(lambda: queue.count() == 0)

        counts = [run["count"] for run in runs(root) if run["event"] == "ends"]
        assert [2, 2] == counts


class TestSettings:
    def test_bodies_may_be_plain(self, root: Path, queue: TestQueue, start_host: StartHost) -> None:
        """With messageEncoding "none" a text arrives as it is, even if it is base64."""
        write_host_json(root, queues={**QUICK, "messageEncoding": "none"})
        write_queue_function(root, queue.name, "record(body=message.get_body().decode())")
        for text in ("späm", "YWJj"):
            queue.put_raw(text)

        start_host(root)
        eventually(lambda: len(runs(root)) == 2)

        assert {"späm", "YWJj"} == {run["body"] for run in runs(root)}

    def test_the_number_of_tries(self, root: Path, queue: TestQueue, start_host: StartHost) -> None:
        """With maxDequeueCount 2 the second failure is poison."""
        write_host_json(root, queues={**QUICK, "maxDequeueCount": 2})
        write_queue_function(root, queue.name, "record()\nraise RuntimeError")
        queue.put("body")

        start_host(root)
        eventually(lambda: len(queue.poison()) == 1)

        assert 2 == len(runs(root))

    def test_batches(self, root: Path, queue: TestQueue, start_host: StartHost) -> None:
        """With batchSize 2 and newBatchThreshold 1 three messages run at once, never more."""
        write_host_json(root, queues={**QUICK, "batchSize": 2, "newBatchThreshold": 1})
        code = """
        global under_way
        under_way = globals().get("under_way", 0) + 1
        record(under_way=under_way)
        await asyncio.sleep(0.05)
        word = pathlib.Path(__file__).with_name("word")
        while message.get_body() == b"0" and not word.exists():
            await asyncio.sleep(0.02)
        under_way -= 1
        """
        write_queue_function(root, queue.name, code)
        for number in range(12):
            queue.put(str(number))

        start_host(root)
        eventually(lambda: len(runs(root)) == 12)
        give_word(root)
        eventually(lambda: queue.count() == 0)

        assert 3 == max(run["under_way"] for run in runs(root))

    def test_long_runs_do_not_keep_others_waiting(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """With batchSize 1 and newBatchThreshold 3, a fourth message joins three that last."""
        write_host_json(root, queues={**QUICK, "batchSize": 1, "newBatchThreshold": 3})
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        for number in range(5):
            queue.put(str(number))
        start_host(root)
        eventually(lambda: len(runs(root)) == 4)

        waiting = len(queue.visible())
        give_word(root)

        eventually(lambda: queue.count() == 0)
        assert 1 == waiting


class TestStop:
    def test_runs_under_way_end_and_nothing_new_begins(
        self, root: Path, queue: TestQueue, start_host: StartHost
    ) -> None:
        """A host that is told to stop finishes what it has, and leaves the rest in the queue."""
        write_host_json(root, queues={**QUICK, "batchSize": 1, "newBatchThreshold": 0})
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        for number in range(2):
            queue.put(str(number))
        host = start_host(root)
        eventually(lambda: len(runs(root)) == 1)

        host.process.terminate()
        give_word(root)
        host.wait()
        eventually(lambda: not host.descendants())

        assert ["begins", "ends"] == [run["event"] for run in runs(root)]
        assert (1, 1) == (queue.count(), len(queue.visible()))


class TestTrouble:
    def test_a_queue_that_refuses_stops_its_listener_alone(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost, port: int
    ) -> None:
        """Where Azure's host would end, HTTP goes on, and messages run once the trouble is over."""
        write_queue_function(root, queue.name, "record()")
        write_function(root, "Tell", "def main(req): return 'told'")
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("GET", "/messages", 403)
            start_host(root, port=port, settings=storage.settings).shows(HOST_STOPS)
            answer = request(port, "GET", "/api/Tell").text
            storage.be_well()
            eventually(lambda: queue.count() == 0)

        assert "told" == answer
        assert 1 == len(runs(root))

    def test_a_failed_message_that_cannot_be_updated_stays_hidden(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost
    ) -> None:
        """One raising run stops the host where Update Message is forbidden."""
        write_queue_function(root, queue.name, "record()\nraise RuntimeError")
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("PUT", "/messages/", 403)
            start_host(root, settings=storage.settings).shows(HOST_STOPS)

        assert (1, [], 1) == (queue.count(), queue.visible(), len(runs(root)))

    def test_a_message_that_cannot_be_deleted_stays_hidden(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost
    ) -> None:
        """It will run again, when the hidden time is over."""
        write_queue_function(root, queue.name, "record()")
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("DELETE", "/messages/", 403)
            start_host(root, settings=storage.settings).shows(HOST_STOPS)

        assert (1, [], 1) == (queue.count(), queue.visible(), len(runs(root)))

    def test_poison_that_cannot_be_put_is_not_lost(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost
    ) -> None:
        """The message stays, hidden, until its poison queue takes it."""
        write_queue_function(root, queue.name, "record()")
        queue.put_raw("no base64!")
        with FaultyStorage(azurite) as storage:
            storage.refuse("POST", "-poison/messages", 403)
            start_host(root, settings=storage.settings).shows(HOST_STOPS)

        assert (1, []) == (queue.count(), queue.visible())

    @pytest.mark.parametrize(("treatment", "tries"), [(503, 2), (BROKEN, 3)])
    def test_a_service_that_is_ill_is_asked_again(
        self,
        root: Path,
        azurite: Azurite,
        queue: TestQueue,
        start_host: StartHost,
        treatment: int,
        tries: int,
    ) -> None:
        """Neither answers such as 503 nor a short outage stop it: the message runs after them."""
        write_queue_function(root, queue.name, "record()")
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("GET", "/messages", treatment)
            host = start_host(root, settings=storage.settings)
            eventually(lambda: storage.met >= tries)
            storage.be_well()
            eventually(lambda: queue.count() == 0)

        assert 1 == len(runs(root))
        assert HOST_STOPS not in host.output

    def test_a_long_outage_stops_the_listener(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost
    ) -> None:
        """After six tries Azure's host would end; here the listener begins anew."""
        write_queue_function(root, queue.name, "record()")
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("GET", "/messages", BROKEN)
            start_host(root, settings=storage.settings).shows(HOST_STOPS)
            tries = storage.met
            storage.be_well()
            eventually(lambda: queue.count() == 0)

        assert tries >= 6
        assert 1 == len(runs(root))

    def test_a_renewal_that_fails_stops_the_listener(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost
    ) -> None:
        """Six answers such as 503 are the end; the message stays, and runs again later."""
        write_host_json(root, queues={**QUICK, "maxDequeueCount": 100})
        write_queue_function(root, queue.name, WAITS_FOR_WORD)
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("PUT", "/messages/", 503)
            host = start_host(root, "--hidden-s=2", settings=storage.settings)
            host.shows(HOST_STOPS)
            met, left = storage.met, queue.count()
            storage.be_well()
            give_word(root)
            eventually(lambda: queue.count() == 0)

        assert met >= 6
        assert 1 == left

    def test_a_lost_receive_hides_the_message_without_a_run(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost
    ) -> None:
        """The answer to a receive may get lost; what was in it comes back after the set time."""
        write_queue_function(root, queue.name, "record(count=message.dequeue_count)")
        queue.put("body")
        with FaultyStorage(azurite) as storage:
            storage.refuse("GET", "/messages", LOST)
            host = start_host(root, "--hidden-s=4", settings=storage.settings)
            eventually(lambda: storage.met >= 1)
            storage.be_well()
            eventually(lambda: queue.count() == 0)

        assert [2] == [run["count"] for run in runs(root)]
        assert HOST_STOPS not in host.output

    def test_the_process_may_end_as_in_azure(
        self, root: Path, azurite: Azurite, queue: TestQueue, start_host: StartHost, port: int
    ) -> None:
        """Told so, the process that serves HTTP ends with the listener."""
        write_queue_function(root, queue.name, "record()")
        write_function(root, "Tell", "import os\ndef main(req): return str(os.getpid())")
        with FaultyStorage(azurite) as storage:
            host = start_host(root, "--ends-process", port=port, settings=storage.settings)
            eventually(lambda: _told(port) != "")
            before = _told(port)
            storage.refuse("GET", "/messages", 403)
            host.shows(HOST_STOPS)
            eventually(lambda: int(before) not in host.descendants())


def _told(port: int) -> str:
    """Return what the function Tell says; an empty text where it cannot."""
    try:
        return request(port, "GET", "/api/Tell").text
    except OSError:
        return ""
