"""What the Functions host tells its worker of a queue's message, or of a timer that has fired."""

import json
from types import SimpleNamespace
from typing import Any

from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest

from local.functions_host.functions import TriggeredFunction


def invocation_of(
    m: SimpleNamespace, function: TriggeredFunction, argument: object, invocation_id: str
) -> Any:
    """Return the request to run the function on the message or timer; `m` has the protocol."""
    if isinstance(argument, QueueMessage):
        is_binary = function.binding.get("dataType") == "binary"
        body = argument.get_body()
        text = body.decode(errors="replace")
        data = m.TypedData(bytes=body) if is_binary else m.TypedData(string=text)
        metadata = {
            "Id": m.TypedData(string=argument.id),
            "DequeueCount": m.TypedData(json=str(argument.dequeue_count)),
            "PopReceipt": m.TypedData(string=argument.pop_receipt),
            "QueueTrigger": m.TypedData(string=text),
            "ExpirationTime": m.TypedData(json=json.dumps(str_of(argument.expiration_time))),
            "InsertionTime": m.TypedData(json=json.dumps(str_of(argument.insertion_time))),
            "NextVisibleTime": m.TypedData(json=json.dumps(str_of(argument.time_next_visible))),
        }
    else:
        assert isinstance(argument, TimerRequest)
        timer = {
            "Schedule": argument.schedule,
            "ScheduleStatus": argument.schedule_status or None,
            "IsPastDue": argument.past_due,
        }
        data = m.TypedData(json=json.dumps(timer))
        metadata = {}
    return m.InvocationRequest(
        invocation_id=invocation_id,
        function_id=function.name,
        input_data=[m.ParameterBinding(name=function.trigger, data=data)],
        trigger_metadata=metadata,
    )


def str_of(time: Any) -> str:
    """Return the time as .NET writes it."""
    text: str = time.isoformat()
    return text
