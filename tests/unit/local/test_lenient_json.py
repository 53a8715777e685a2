"""JSON as the Functions host reads it."""

import json
from typing import Any

import pytest

from local.functions_host.lenient_json import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("{'a': 'it\\'s \"b\" \\\\ \\\" c'}", {"a": 'it\'s "b" \\ " c'}),
        ("{a: 1, $b_2 : undefined}", {"a": 1, "$b_2": None}),
        ('{"a": 1, /* , */ } // end', {"a": 1}),
        ("['//', '/*', ',]',]", ["//", "/*", ",]"]),
        ("[0x1F, 017, .5, 5., -0.5, 1e3]", [31, 15, 0.5, 5.0, -0.5, 1000.0]),
        ("'a\nb'", "a\nb"),
        ('{"true": true, "a:b": 1}', {"true": True, "a:b": 1}),
        ("", None),
        (" // nothing", None),
    ],
)
def test_what_is_not_strict_is_read(text: str, value: Any) -> None:
    """Comments, last commas, single quotes, bare names and .NET's numbers are no mistakes."""
    assert value == read(text)


@pytest.mark.parametrize(
    "text", ["text", "1 and 2", "{", "None", "{'a': None}", "'a", "10:30", "08", 10_000 * "["]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """Words, dates and what has no end are texts to the host."""
    with pytest.raises(json.JSONDecodeError):
        read(text)
