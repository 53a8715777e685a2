"""What a bot sends, as lines of text for a terminal."""

from collections.abc import Iterator
from typing import Any

from local.bootstrap.console import LINE_CHARACTERS
from local.chat.terminal_channel import Activity
from shared.log_hygiene import shown

TYPING = "..."

MAX_LINES = 1000
"""How many of one activity are shown: what a bot sends may come from anywhere."""


def lines(activity: Activity) -> list[str]:
    """
    Return an activity as lines of text; none for one that users never see.

    Each line is escaped, and neither a line nor the list is longer than its limit.
    """
    match activity.get("type"):
        case "message":
            told = [*_text(activity.get("text")), *_attachments(activity), *_suggestions(activity)]
        case "typing":
            told = [TYPING]
        case "endOfConversation":
            told = ["(the bot has ended the conversation)"]
        case _:
            told = []
    if len(told) > MAX_LINES:
        told[MAX_LINES:] = [f"... ({len(told) - MAX_LINES} more lines)"]
    return [shown(line.expandtabs(), LINE_CHARACTERS) for line in told]


def _text(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.splitlines()


def _attachments(activity: Activity) -> Iterator[str]:
    for attachment in activity.get("attachments") or ():
        content_type = attachment.get("contentType", "")
        content = attachment.get("content")
        if content_type.startswith("application/vnd.microsoft.card") and isinstance(content, dict):
            yield from _card(content)
        else:
            name = attachment.get("name") or attachment.get("contentUrl") or "no name"
            yield f"(attachment: {name}, {content_type})"


def _card(content: dict[str, Any]) -> Iterator[str]:
    """Show the texts of hero cards and their kin, and of adaptive cards."""
    for key in ("title", "subtitle", "text"):
        yield from _text(content.get(key))
    for element in _elements(content.get("body")):
        yield from _text(element.get("text"))
    buttons = [*(content.get("buttons") or ()), *(content.get("actions") or ())]
    yield from _choices(buttons)


def _elements(body: Any) -> Iterator[dict[str, Any]]:
    for element in body or ():
        yield element
        yield from _elements(element.get("items"))
        yield from _elements(element.get("columns"))


def _suggestions(activity: Activity) -> Iterator[str]:
    yield from _choices((activity.get("suggestedActions") or {}).get("actions") or ())


def _choices(actions: Any) -> Iterator[str]:
    titles = [str(action.get("title") or action.get("value") or "") for action in actions]
    if titles:
        yield "  ".join(f"[{title}]" for title in titles)
