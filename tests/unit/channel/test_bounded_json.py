"""A JSON object of a bounded size, or one line that says why not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.channel.bounded_json import MAX_BODY_BYTES, MAX_NESTING, MAX_VALUES, read_object
from shared.errors import MalformedActivity, RequestTooLarge


def refusal(body: bytes) -> str:
    with pytest.raises(MalformedActivity) as caught:
        read_object(body)
    return str(caught.value)


def test_a_body_has_a_largest_size() -> None:
    """One byte more than the limit is too large, before anything is parsed."""
    fitting = b"{}" + b" " * (MAX_BODY_BYTES - 2)

    assert {} == read_object(fitting)
    with pytest.raises(RequestTooLarge):
        read_object(fitting + b" ")


@pytest.mark.parametrize(
    "value",
    ["1", '""', '"x,y"', "{}", "[]", '{"k":[]}', "null", '",[{"', r'"\",["', r'"\\"', r'"\\\","'],
)
def test_the_number_of_values_is_limited(value: str) -> None:
    """Values of every kind count; commas and brackets in strings do not."""

    def body(values: int) -> bytes:
        return f'{{"list": [{",".join([value] * values)}]}}'.encode()

    each = 2 if "k" in value else 1
    most = (MAX_VALUES - 2) // each

    assert most == len(read_object(body(most))["list"])
    assert f"more than {MAX_VALUES} values" in refusal(body(most + 1))


@pytest.mark.parametrize(
    "entry", [b"{},", b"[],", b"1,", b'"",', b'{"a":1},', b'["a","b"],', b'""']
)
def test_a_body_full_of_values_is_not_decoded(entry: bytes) -> None:
    """It is refused for its number of values alone, without being looked at to its end."""
    body = b'{"membersRemoved": [' + entry * ((MAX_BODY_BYTES - 100) // len(entry))

    assert f"more than {MAX_VALUES} values" in refusal(body)


def test_a_long_text_is_one_value() -> None:
    """A text may be full of what would be values outside of it."""
    text = '[{"a": 1}, "b", \\\\"]' * 15_000

    assert text == read_object(json.dumps({"text": text}).encode())["text"]


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[1,{"a":', "}]")])
def test_nesting_is_limited(opening: str, closing: str) -> None:
    """Lists and objects count alike, and the object itself is the first level."""
    per_pair = opening.count("[") + opening.count("{")
    pairs = (MAX_NESTING - 1) // per_pair

    def body(pairs: int) -> bytes:
        return f'{{"value": {opening * pairs}0{closing * pairs}}}'.encode()

    assert read_object(body(pairs))
    assert "nested deeper" in refusal(body(pairs + 1))
    # So deep that the decoder gives up.
    assert "nested deeper" in refusal(body(4_000))


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": [{"b": {"c": 1, "c": 2}}]}',
        b'{"": 1, "": 2}',
        b'{":": 1, ":": 2}',
        b'{"a": ":", "a": ":"}',
        # What is lost with the first of the two has keys and colons of its own.
        b'{"a": {"b": 1, "c": "\\u003a"}, "a": 1}',
        b'{"x": "\\u003a", "a": 1, "a": 2}',
        b'{"x": "::::", "a": {"b": 1}, "a": {"b": 1}}',
        b"{" + b",".join([b'"a":{"b":1}'] * 5_000) + b"}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_the_same_key_twice_is_refused(body: bytes) -> None:
    """Whoever reads the first of the two would see another activity than who reads the last."""
    assert "same key twice" in refusal(body)


json_text = st.recursive(
    st.sampled_from(["1", "null", '"a:b"', r'"\""', r'"\\"', r'"\u003a"', '"{[,"', r'"\\\":"']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{' , '.join(items)}]")
        | st.lists(
            st.tuples(st.sampled_from(["a", "b", ":", r"\"", r"\u0061", r"\\", ""]), inner),
            max_size=3,
        ).map(lambda pairs: "{" + ",".join(f'"{k}" : {v}' for k, v in pairs) + "}")
    ),
    max_leaves=12,
)


@given(json_text)
def test_keys_are_told_apart_as_a_parser_tells_them(value: str) -> None:
    """Equal keys are found exactly where a parser that sees each pair finds them."""
    body = f'{{"value": {value}}}'.encode()
    twice = False

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        twice = twice or len(dict(pairs)) < len(pairs)
        return dict(pairs)

    expected = json.loads(body, object_pairs_hook=note)

    if twice:
        assert "same key twice" in refusal(body)
    else:
        assert expected == read_object(body)
