"""A channel for one user in a terminal: activities go out over HTTP, replies are the response."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from local.bootstrap.errors import LocalError
from shared.log_hygiene import shown

TIMEOUT_S = 60.0

# The Agents Playground's. To a channel that they do not know, bots send plain text only.
CHANNEL_ID = "emulator"

BOT = {"id": "bot", "name": "Bot", "role": "bot"}

Activity = dict[str, Any]


@dataclass
class TerminalChannel:
    """Sends one user's activities to the bot at `url`."""

    url: str
    user_name: str
    conversation_id: str

    def join(self) -> list[Activity]:
        """Tell the bot that it and the user are in the conversation; return its replies."""
        return self._send({"type": "conversationUpdate", "membersAdded": [BOT, self._user]})

    def say(self, text: str) -> list[Activity]:
        """Send a message; return the bot's replies."""
        return self._send({"type": "message", "text": text, "textFormat": "plain"})

    @property
    def _user(self) -> Activity:
        return {"id": f"terminal-{self.user_name}", "name": self.user_name, "role": "user"}

    def _send(self, activity: Activity) -> list[Activity]:
        """Raise LocalError when no bot answers, or with an HTTP error."""
        now = datetime.now(UTC)
        parts = urlsplit(self.url)
        complete = {
            "id": str(uuid4()),
            "timestamp": now.isoformat(timespec="milliseconds"),
            "localTimestamp": now.astimezone().isoformat(timespec="milliseconds"),
            "channelId": CHANNEL_ID,
            "serviceUrl": f"{parts.scheme}://{parts.netloc}",
            "conversation": {"id": self.conversation_id},
            "from": self._user,
            "recipient": BOT,
            "deliveryMode": "expectReplies",
            **activity,
        }
        if time_zone := time_zone_name():
            complete["localTimezone"] = time_zone
        status, body = _post(self.url, json.dumps(complete))
        if status >= 400:
            reason = shown(body.decode(errors="replace").strip().partition("\n")[0])
            raise LocalError(
                f"The bot answered {status}: {reason}"
                if reason
                else f"The bot failed ({status}); the console where it runs says why."
            )
        try:
            replies = json.loads(body or b"{}").get("activities", [])
        except (ValueError, AttributeError):
            raise LocalError(f"{self.url} answered, but not as a bot; check --url.") from None
        return list(replies)


def _post(url: str, body: str) -> tuple[int, bytes]:
    """Return the status and the body of the answer."""
    parts = urlsplit(url)
    connect = {"http": HTTPConnection, "https": HTTPSConnection}.get(parts.scheme)
    if connect is None or not parts.hostname:
        raise LocalError(f"'{url}' is not an http or https URL; check --url.")
    connection = connect(parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request(
            "POST", parts.path or "/", body, {"Content-Type": "application/json; charset=utf-8"}
        )
        response = connection.getresponse()
        return response.status, response.read()
    except ConnectionRefusedError:
        raise LocalError(f"No bot answers at {url}; start it with: python3 dev.py start") from None
    except TimeoutError:
        raise LocalError(f"The bot did not answer within {TIMEOUT_S:.0f} seconds.") from None
    except (OSError, HTTPException) as error:
        raise LocalError(f"The connection to {url} failed ({error}); try again.") from None
    finally:
        connection.close()


def time_zone_name() -> str | None:
    """Return this machine's time zone, such as Europe/Berlin; None where it has no such name."""
    linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    written = Path("/etc/timezone")
    candidates = (
        os.environ.get("TZ", ""),
        linked,
        written.read_text().strip() if written.is_file() else "",
    )
    for name in filter(None, candidates):
        try:
            return ZoneInfo(name).key
        except (OSError, ValueError):
            continue
    return None
