"""Azure Functions Core Tools (`func`): Microsoft's own host, used where it is installed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from local.bootstrap.errors import LocalError
from local.bootstrap.ports import is_free, listen
from local.bootstrap.processes import end_group
from local.functions_host.settings import LocalSettings

START_TIMEOUT_S = 120.0
POLL_INTERVAL_S = 0.2


class CoreTools:
    """`func start` on the function app in `root`. It watches the sources by itself."""

    def __init__(self, root: Path, *, port: int) -> None:
        """
        Prepare to serve on the port.

        Raises:
            LocalError: another program has the port.
        """
        listen(port).close()
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @staticmethod
    def is_installed() -> bool:
        """Tell whether `func` is on the PATH."""
        return shutil.which("func") is not None

    def start(self, environ: Mapping[str, str]) -> None:
        """
        Start it and wait until it listens.

        `environ` wins over local.settings.json, which it reads itself.

        Raises:
            LocalError: it ended, or does not listen in time.
        """
        command = shutil.which("func")
        if command is None:
            raise LocalError("`func` is not on the PATH any more; run the command again.")
        self._process = subprocess.Popen(
            [command, "start", "--port", str(self.port)],
            cwd=self._root,
            env={**LocalSettings().over(environ), **_python_of_this_environment(environ)},
            stdin=subprocess.DEVNULL,
            # Ctrl-C in the terminal reaches only the starter, which then stops this.
            start_new_session=True,
        )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while is_free(self.port):
            self.check()
            if time.monotonic() > deadline_s:
                raise LocalError(
                    f"`func` does not listen on port {self.port} after {START_TIMEOUT_S:.0f} "
                    "seconds; what it printed may say why."
                )
            time.sleep(POLL_INTERVAL_S)

    def close(self) -> None:
        """End it, and the Python worker that it has started."""
        if self._process is not None:
            end_group(self._process)

    def check(self) -> None:
        """Raise LocalError if it has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise LocalError(
                f"`func` ended with exit code {self._process.returncode}; what it printed says why."
            )


def _python_of_this_environment(environ: Mapping[str, str]) -> dict[str, str]:
    # What an activated environment would say; `func` starts the first Python that it finds.
    scripts = Path(sys.executable).parent
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "VIRTUAL_ENV": str(scripts.parent),
        "PATH": os.pathsep.join((str(scripts), environ.get("PATH", ""))),
        "languageWorkers__python__defaultExecutablePath": sys.executable,
    }
