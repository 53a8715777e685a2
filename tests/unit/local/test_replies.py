"""How activities look in a terminal."""

import pytest

from local.chat.replies import lines
from local.chat.terminal_channel import Activity

NASTY = "a\x1b]0;x\x07\u202eb\nYou  c"


@pytest.mark.parametrize(
    ("activity", "shown"),
    [
        ({"type": "message", "text": "Hello"}, ["Hello"]),
        ({"type": "message", "text": "one\n\ntwo"}, ["one", "", "two"]),
        ({"type": "message"}, []),
        ({"type": "typing"}, ["..."]),
        ({"type": "endOfConversation"}, ["(the bot has ended the conversation)"]),
        ({"type": "trace", "text": "internal"}, []),
        ({"type": "event", "name": "something"}, []),
    ],
)
def test_what_a_user_would_see_is_shown(activity: Activity, shown: list[str]) -> None:
    """Messages, typing and farewells are shown; what users never see is not."""
    assert shown == lines(activity)


def test_suggested_actions_are_shown_as_buttons() -> None:
    """What the user may answer stands under the question."""
    activity = {
        "type": "message",
        "text": "Sure?",
        "suggestedActions": {"actions": [{"title": "Yes"}, {"value": "No"}]},
    }

    assert ["Sure?", "[Yes]  [No]"] == lines(activity)


def test_a_hero_card_is_shown_by_its_texts() -> None:
    """Title, subtitle, text and buttons of a card are readable."""
    card = {
        "contentType": "application/vnd.microsoft.card.hero",
        "content": {"title": "T", "subtitle": "S", "text": "X", "buttons": [{"title": "Go"}]},
    }

    assert ["T", "S", "X", "[Go]"] == lines({"type": "message", "attachments": [card]})


def test_an_adaptive_card_is_shown_by_its_texts() -> None:
    """Text blocks are found wherever they stand in the card."""
    inner = {"type": "ColumnSet", "columns": [{"items": [{"type": "TextBlock", "text": "in"}]}]}
    card = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "body": [{"type": "TextBlock", "text": "out"}, inner],
            "actions": [{"type": "Action.Submit", "title": "OK"}],
        },
    }

    assert ["out", "in", "[OK]"] == lines({"type": "message", "attachments": [card]})


def test_other_attachments_are_named() -> None:
    """A terminal cannot show a picture, but can say that there is one."""
    picture = {"contentType": "image/png", "contentUrl": "https://x.test/a.png", "name": "a.png"}

    assert ["(attachment: a.png, image/png)"] == lines(
        {"type": "message", "attachments": [picture]}
    )


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "message", "text": NASTY},
        {"type": "message", "attachments": [{"contentType": NASTY, "name": NASTY}]},
        {"type": "message", "attachments": [{"contentType": "a/b", "contentUrl": NASTY}]},
        {"type": "message", "suggestedActions": {"actions": [{"title": NASTY}]}},
        {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.hero",
                    "content": {"title": NASTY, "buttons": [{"value": NASTY}]},
                }
            ],
        },
    ],
    ids=["text", "attachment", "URL", "suggestion", "card"],
)
def test_a_reply_cannot_steer_the_terminal(activity: Activity) -> None:
    """What a reply repeats of others is shown with escapes, wherever in the reply it is."""
    shown = lines(activity)

    assert "\\x1b]0;x\\x07\\u202e" in "".join(shown)
    assert all(line.isprintable() for line in shown)


def test_a_reply_of_any_size_has_an_end() -> None:
    """Long lines are cut, and so are replies of very many lines."""
    shown = lines({"type": "message", "text": "a" * 100_000 + "\n" * 100_000})

    assert 1001 == len(shown)
    assert max(map(len, shown)) < 10_100


def test_columns_stay_columns() -> None:
    """A tab is as wide as on a terminal."""
    assert ["a       b"] == lines({"type": "message", "text": "a\tb"})
