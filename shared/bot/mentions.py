"""What a user wrote to the bot, without the @mention that addressed it."""

from collections.abc import Iterator

from botbuilder.schema import Activity


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
        text = " ".join(part.strip() for part in text.split(mention))
    return text.strip()


def _mentions_of_the_bot(activity: Activity) -> Iterator[str]:
    """Yield each mention of the bot as it is written in the text."""
    for entity in activity.entities or ():
        mentioned = entity.additional_properties.get("mentioned")
        if entity.type != "mention" or not isinstance(mentioned, dict):
            continue
        if activity.recipient and mentioned.get("id") == activity.recipient.id:
            written = entity.additional_properties.get("text")
            yield str(written or f"<at>{mentioned.get('name')}</at>")
