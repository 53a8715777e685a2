"""The Teams app is complete but for the id of the bot, which the deployment fills in."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.bicep import template

TEAMS = Path(__file__).parents[3] / "teams"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def manifest() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((TEAMS / "manifest.json").read_text(encoding="utf-8"))
    return parsed


def test_the_deployment_fills_in_the_bots_id(manifest: dict[str, Any]) -> None:
    """The placeholder in the manifest is the one that main.bicep replaces."""
    main = template("main")
    assert NOBODY == main.variables["manifestBotId"]["value"]
    assert [NOBODY, NOBODY] == [manifest["id"], manifest["bots"][0]["botId"]]


def test_the_manifest_keeps_to_the_limits_of_teams(manifest: dict[str, Any]) -> None:
    """Teams refuses an upload whose texts are too long or whose version differs from its schema."""
    assert f"/v{manifest['manifestVersion']}/" in manifest["$schema"]
    assert 30 >= len(manifest["name"]["short"])
    assert 100 >= len(manifest["name"]["full"])
    assert 80 >= len(manifest["description"]["short"])
    assert 4000 >= len(manifest["description"]["full"])
    assert 32 >= len(manifest["developer"]["name"])
    assert {"personal", "team", "groupChat"} == set(manifest["bots"][0]["scopes"])


@pytest.mark.parametrize(("icon", "size_px"), [("color", 192), ("outline", 32)])
def test_icons_have_the_size_that_teams_asks_for(
    manifest: dict[str, Any], icon: str, size_px: int
) -> None:
    """The colour icon is 192 pixels wide and high, the outline 32."""
    content = (TEAMS / manifest["icons"][icon]).read_bytes()
    assert (size_px, size_px) == _size(content)


def test_the_outline_is_white_on_nothing() -> None:
    """Teams colours the outline itself: every pixel is white, some fully transparent."""
    pixels = _rgba((TEAMS / "outline.png").read_bytes())
    assert {(255, 255, 255)} == {pixel[:3] for pixel in pixels}
    assert {0, 255} <= {pixel[3] for pixel in pixels}


def _size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _rgba(png: bytes) -> set[tuple[int, ...]]:
    """The colours of a PNG of unfiltered 8-bit RGBA rows in one IDAT chunk."""
    width, height = _size(png)
    start = png.index(b"IDAT")
    length = struct.unpack(">I", png[start - 4 : start])[0]
    rows = zlib.decompress(png[start + 4 : start + 4 + length])
    stride = 1 + 4 * width
    assert {0} == {rows[y * stride] for y in range(height)}, "a filtered row"
    return {tuple(rows[y * stride + 1 + 4 * x :][:4]) for y in range(height) for x in range(width)}
