"""A queue's messages run functions as they do under Microsoft's Functions host."""

import base64
import os
import signal
from pathlib import Path

from tests.programs.programs import eventually
from tests.programs.triggers.conftest import StartHost
from tests.programs.triggers.functions import runs, write_queue_function
from tests.programs.triggers.queues import TestQueue


def test_a_message_runs_the_function_and_is_gone(
    root: Path, queue: TestQueue, start_host: StartHost
) -> None:
    """The function gets the decoded body, with the message's id and count; then it is deleted."""
    write_queue_function(
        root,
        queue.name,
        """
        record(
            body=message.get_body().decode(),
            json=message.get_json(),
            id=message.id,
            count=message.dequeue_count,
            receipt=bool(message.pop_receipt),
            kept_s=(message.expiration_time - message.insertion_time).total_seconds(),
            hidden_s=(message.time_next_visible - message.insertion_time).total_seconds(),
        )
        """,
    )
    queue.put('{"text": "späm"}')

    host = start_host()
    eventually(lambda: len(runs(root)) == 1)
    eventually(lambda: queue.count() == 0)

    (seen,) = runs(root)
    assert ('{"text": "späm"}', {"text": "späm"}) == (seen["body"], seen["json"])
    assert (1, True, 7 * 24 * 3600) == (seen["count"], seen["receipt"], seen["kept_s"])
    assert 600 <= seen["hidden_s"]
    host.shows("Executed 'Functions.OnMessage' (Succeeded, Id=")
    assert f"(Reason='New queue message detected on '{queue.name}'.', Id=" in host.output
    assert f"Trigger Details: MessageId: {seen['id']}, DequeueCount: 1, " in host.output
    assert "späm" not in host.output


def test_five_failures_are_poison(root: Path, queue: TestQueue, start_host: StartHost) -> None:
    """After its fifth run a message lies in the poison queue: the same body, another id."""
    write_queue_function(
        root,
        queue.name,
        """
        record(id=message.id, count=message.dequeue_count)
        raise RuntimeError("the function's own")
        """,
    )
    queue.put("body")

    host = start_host()
    eventually(lambda: len(queue.poison()) == 1)
    eventually(lambda: queue.count() == 0)

    (poison,) = queue.poison()
    assert [1, 2, 3, 4, 5] == [run["count"] for run in runs(root)]
    assert base64.b64encode(b"body").decode() == poison.content
    assert poison.id not in {run["id"] for run in runs(root)}
    host.shows(
        f"Message has reached MaxDequeueCount of 5. Moving message to queue '{queue.name}-poison'."
    )
    assert "RuntimeError: the function's own" in host.output


def test_a_message_comes_back_when_its_process_is_killed(
    root: Path, queue: TestQueue, start_host: StartHost
) -> None:
    """SIGKILL in mid-run leaves the message hidden for the set time; then it runs again."""
    write_queue_function(
        root,
        queue.name,
        """
        record(count=message.dequeue_count)
        time.sleep(3600 if message.dequeue_count == 1 else 0)
        """,
    )
    queue.put("body")
    start_host(hidden_s=3)
    eventually(lambda: len(runs(root)) == 1)

    os.kill(runs(root)[0]["pid"], signal.SIGKILL)
    start_host(hidden_s=3)
    eventually(lambda: len(runs(root)) == 2)
    eventually(lambda: queue.count() == 0)

    assert [1, 2] == [run["count"] for run in runs(root)]
