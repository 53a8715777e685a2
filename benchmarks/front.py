"""
The HTTP server that a measured bot runs behind, the same for each stack.

    python -m benchmarks.front STACK SOCKET

SOCKET is the descriptor of an inherited listening socket, in which requests wait from before the
process starts. Whatever arrives goes to the stack's `main`, as the Functions host would pass it.
Each line on standard input is answered with a line on standard output: the CPU time of the process
so far, and samples of what it went to, which are taken once a line has said {"sample": true}. The
end of the input ends the process.
"""

import asyncio
import importlib
import json
import logging
import os
import resource
import socket
import sys
from collections.abc import Awaitable, Callable
from itertools import count

import azure.functions as func
from aiohttp import web

from benchmarks.sampler import Sampler
from local.functions_host.http_request import read_request
from local.functions_host.http_response import to_response
from local.functions_host.worker_http import from_function, to_function

Main = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def cpu_s() -> float:
    """Return the seconds of CPU that all threads of this process have used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def serve(main: Main, listener: socket.socket) -> None:
    """Answer requests until standard input ends."""

    async def answer(request: web.BaseRequest) -> web.Response:
        received = to_function(await read_request(request, request.path, {}))
        return to_response(from_function(await main(received)))

    loop = asyncio.get_running_loop()
    # The Functions host reads the request before the worker sees it: no access log, no limits.
    await loop.create_server(web.Server(answer), sock=listener)
    ended = asyncio.Event()

    sampler = Sampler()

    def report() -> None:
        if question := os.read(sys.stdin.fileno(), 4096):
            print(json.dumps({"cpu_s": cpu_s(), "parts": sampler.samples}), flush=True)
            if json.loads(question).get("sample"):
                sampler.start()
        else:
            ended.set()

    loop.add_reader(sys.stdin, report)
    await ended.wait()


def quiet_logging() -> None:
    """Show the first error only: a stack that fails under a load fails a hundred times."""
    # Whoever measures need not be warned, for instance that anyone may chat here.
    logging.basicConfig(level=logging.ERROR)
    numbers = count()
    logging.getLogger().handlers[0].addFilter(lambda _: next(numbers) == 0)


if __name__ == "__main__":
    stack, descriptor = sys.argv[1:]
    quiet_logging()
    function = importlib.import_module(f"benchmarks.stacks.{stack}")
    asyncio.run(serve(function.main, socket.socket(fileno=int(descriptor))))
    # Clients that were never closed would complain; there is nothing left to save.
    os._exit(0)
