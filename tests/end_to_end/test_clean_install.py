"""requirements.txt is all that the deployed function needs."""

import subprocess
import sys
from pathlib import Path

from local.bootstrap.environment import APP_REQUIREMENTS
from tests.bots import echo
from tests.end_to_end.deployment import deploy, environment

TALK = """
import asyncio, importlib, json, pkgutil
import azure.functions as func
import MessagesFunction, shared

for module in pkgutil.walk_packages(shared.__path__, "shared."):
    importlib.import_module(module.name)

async def say(text):
    activity = {
        "type": "message", "channelId": "test", "serviceUrl": "http://localhost/",
        "conversation": {"id": "c1"}, "from": {"id": "ada"}, "recipient": {"id": "bot"},
        "deliveryMode": "expectReplies", "text": text,
    }
    response = await MessagesFunction.main(func.HttpRequest(
        "POST", "http://localhost/api/messages", body=json.dumps(activity).encode(),
        headers={"Content-Type": "application/json"},
    ))
    print(*(reply["text"] for reply in json.loads(response.get_body())["activities"]))

async def talk():
    await say("hello")
    await say("I am Ada")

asyncio.run(talk())
"""


def test_deployed_folder_runs_on_a_clean_machine(tmp_path: Path) -> None:
    """With only requirements.txt installed every module imports, and the function answers."""
    python = environment(Path(sys.executable), APP_REQUIREMENTS)

    talk = subprocess.run(
        [python, "-c", TALK],
        cwd=deploy(tmp_path, bot=Path(echo.__file__)),
        env={"AZURE_FUNCTIONS_ENVIRONMENT": "Development"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (
        0,
        [
            "Somebody said: hello That was message 1 here. It came from test.",
            "Ada said: I am Ada That was message 2 here. It came from test.",
        ],
    ) == (talk.returncode, talk.stdout.splitlines()), talk.stderr
