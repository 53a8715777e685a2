"""What a user wrote to the bot, without the @mention that addressed it."""

from collections.abc import Iterator

from botbuilder.schema import Activity

MAX_SPELLINGS = 5
"""Ways in which one message may write the bot's mention; each costs a search through the text."""


def text_without_mention(activity: Activity) -> str:
    """
    Return the message's text without the bot's own mention; "" if there is none.

    Group chats and Teams channels deliver "<at>Bot</at> Ada" for "@Bot Ada". Mentions
    of others stay: they are part of what is said. The SDK's remove_recipient_mention
    is not used: it removes the bot's name from the rest of the text too, knows no
    other tag than a plain "<at>", and raises on a mention that lacks a field.
    """
    text: str = activity.text or ""
    for mention in _mentions_of_the_bot(activity):
        text = " ".join(map(str.strip, text.split(mention)))
    return text.strip()


def _mentions_of_the_bot(activity: Activity) -> list[str]:
    """Return each way in which the bot's mention is written in the text."""
    spellings = {spelling: None for spelling in _spellings(activity) if spelling.strip()}
    return list(spellings)[:MAX_SPELLINGS]


def _spellings(activity: Activity) -> Iterator[str]:
    for entity in activity.entities or ():
        mentioned = entity.additional_properties.get("mentioned")
        if entity.type != "mention" or not isinstance(mentioned, dict):
            continue
        if activity.recipient and mentioned.get("id") == activity.recipient.id:
            written = entity.additional_properties.get("text")
            yield str(written or f"<at>{mentioned.get('name')}</at>")
