"""
Serves a folder of functions over HTTP through the host of a developer's machine.

    python -m tests.end_to_end.embedded_host APP_FOLDER PORT [--hidden-s S]
        [--ends-process] [--timer-lease-s S]

The options are those of TriggerOptions.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

# The host shares modules with the app: those of the folder that it serves, not of this one.
sys.path.insert(0, sys.argv[1])

from local.functions_host.host_process import HostProcess
from local.functions_host.reload import WATCH_INTERVAL_S
from local.functions_host.triggers.options import HIDDEN_S, TIMER_LEASE_S, TriggerOptions

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--hidden-s", type=float, default=HIDDEN_S)
    parser.add_argument("--ends-process", action="store_true")
    parser.add_argument("--timer-lease-s", type=int, default=TIMER_LEASE_S)
    chosen = parser.parse_args()
    options = TriggerOptions(chosen.hidden_s, chosen.ends_process, chosen.timer_lease_s)
    with HostProcess(chosen.folder, port=chosen.port, triggers=options) as host:
        host.start(os.environ)
        while True:  # until it is killed
            time.sleep(WATCH_INTERVAL_S)
            host.revive()
