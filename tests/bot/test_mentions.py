"""The bot's own mention is taken out of a message, and nothing else."""

from typing import Any

import pytest
from botbuilder.schema import Activity
from hypothesis import given
from hypothesis import strategies as st

from shared.bot.mentions import MAX_SPELLINGS, text_without_mention


def message(text: str | None, *entities: Any, **fields: Any) -> Activity:
    """A message as a channel delivers it."""
    body = {"type": "message", "text": text, "recipient": {"id": "bot", "name": "Bot"}}
    return Activity.deserialize(body | {"entities": list(entities)} | fields)


def mention(of: str, text: str | None) -> dict[str, Any]:
    return {"type": "mention", "mentioned": {"id": of, "name": "Bot"}, "text": text}


OF_BOT = mention("bot", "<at>Bot</at>")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("Ada", "<at>Bot</at> Ada"),
        ("Ada", "Ada <at>Bot</at>\n"),
        ("my name is Ada", "my name <at>Bot</at> is Ada"),
        ("Ada", "<at>Bot</at> <at>Bot</at> Ada"),
        ("", "<at>Bot</at>"),
        ("Bot the builder", "<at>Bot</at> Bot the builder"),
    ],
)
def test_the_bots_mention_is_removed(expected: str, text: str) -> None:
    """Wherever the mention is, the words around it stay."""
    assert expected == text_without_mention(message(text, OF_BOT))


def test_mentions_of_others_stay() -> None:
    """Whom a user speaks about is part of what is said."""
    text = "<at>Bot</at> ask <at>Grace</at>"

    assert "ask <at>Grace</at>" == text_without_mention(
        message(text, OF_BOT, mention("grace", "<at>Grace</at>"))
    )


@pytest.mark.parametrize(
    "as_written", ['<at id="0">Bot</at>', "<@U012BOT>", "@Bot (beta)", "<at>C++ [bot].*</at>"]
)
def test_a_mention_is_what_the_channel_says_it_is(as_written: str) -> None:
    """Mentions are found as written: with attributes, in Slack's way, with a pattern's signs."""
    text = f"{as_written} Ada"

    assert "Ada" == text_without_mention(message(text, mention("bot", as_written)))


def test_a_mention_without_text_is_found_by_the_name() -> None:
    """Where the channel does not say how the mention is written, it is the name in its tag."""
    assert "Ada" == text_without_mention(message("<at>Bot</at> Ada", mention("bot", None)))


@pytest.mark.parametrize("blank", ["", " ", "\n", "\u2003"])
def test_a_blank_is_no_mention(blank: str) -> None:
    """A mention of nothing takes nothing out of the text."""
    text = "I am  Ada.\n  \u2003 Hello"

    assert text == text_without_mention(message(text, mention("bot", blank)))


def test_a_mention_is_taken_out_once_however_often_it_is_listed() -> None:
    """Channels list a mention for each time it is written, and one search finds them all."""
    text = "<at>Bot</at> Ada " * 1_000

    assert " ".join(["Ada"] * 1_000) == text_without_mention(message(text, *[OF_BOT] * 1_000))


def test_a_bot_has_a_few_spellings() -> None:
    """A message that writes the bot's mention in more ways than that keeps the others."""
    spellings = [f"<at>{n}</at>" for n in range(MAX_SPELLINGS + 1)]
    text = "Ada ".join(spellings)

    assert f"Ada {'Ada ' * (MAX_SPELLINGS - 1)}{spellings[-1]}" == text_without_mention(
        message(text, *(mention("bot", spelling) for spelling in spellings))
    )


def test_without_a_mention_the_text_is_trimmed_and_else_untouched() -> None:
    """The bot's name in a text is no mention, and inner space stays."""
    assert "I am  Bot\n<at>Bot</at>" == text_without_mention(
        message(" I am  Bot\n<at>Bot</at> ", {"type": "clientInfo"})
    )


def test_only_a_mention_is_a_mention() -> None:
    """Another kind of entity may name the bot, too."""
    entity = OF_BOT | {"type": "quote"}

    assert "<at>Bot</at> Ada" == text_without_mention(message("<at>Bot</at> Ada", entity))


@pytest.mark.parametrize("entities", [None, [], [{}], [{"type": None}]])
def test_entities_may_be_missing(entities: object) -> None:
    """A channel need not send entities, or a type with them."""
    assert "Ada" == text_without_mention(message("Ada", entities=entities))


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(
    st.text(),
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.just("mention"),
                "mentioned": st.fixed_dictionaries({}, optional={"id": st.just("bot") | json})
                | json,
                "text": json,
            },
        )
    ),
)
def test_no_mention_fails_the_turn(text: str, entities: list[dict[str, Any]]) -> None:
    """Whatever stands in a mention, a text comes out that is no longer than what came in."""
    assert len(text_without_mention(message(text, *entities))) <= len(text)
