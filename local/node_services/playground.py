"""Microsoft's Agents Playground: a channel on this machine, with a page to chat in."""

import re
from typing import ClassVar

from local.bootstrap.ports import prefer
from local.node_services.npm import NODE_MODULES, NodeService

USUAL_PORT = 56150


class Playground(NodeService):
    """The Playground on its usual port, or on any other if that is taken."""

    name = "The Agents Playground"
    script = NODE_MODULES / "@microsoft" / "m365agentsplayground" / "cli.js"
    environ: ClassVar = {"TEAMSAPPTESTER_BROWSER": "none"}
    _READY = re.compile(r"Listening on (\d+)\n")

    def __init__(self, messages_url: str) -> None:
        port = prefer(USUAL_PORT)
        bot = ["-e", messages_url, "-c", "emulator"]
        super().__init__(["start", *bot, "--dt", "-p", str(port)], [port])
        self.url = ""
        """Where the page is. Known once started."""

    def listens(self, output: str) -> bool:
        found = self._READY.search(output)
        if found:
            self.url = f"http://localhost:{found[1]}"
        return found is not None
