"""The page of Microsoft's Agents Playground, which `dev.py start` opens, in a browser."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, async_playwright, expect

from local.node_services.playground import Playground
from tests.end_to_end.instances import EMBEDDED_HOST, Instances

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# A test's browser asks the network for nothing, and needs no graphics card.
BROWSER_OPTIONS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
# Below this width the page's headline breaks.
PAGE_SIZE: ViewportSize = {"width": 1280, "height": 760}
REPLY_TIMEOUT_MS = 30_000


@pytest.fixture(scope="module")
def browser() -> str:
    """The path of a browser of the Chromium family."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("the page needs Chromium or Chrome: install one and run again")
    return found


@pytest.fixture
def playground(npm_packages: None, app: Path, tmp_path: Path) -> Iterator[Playground]:
    """The Playground, and a bot that it speaks to."""
    with (
        Instances(EMBEDDED_HOST, app, tmp_path) as instances,
        Playground(instances.start().url) as playground,
    ):
        yield playground


@pytest.fixture
async def page(browser: str, playground: Playground) -> AsyncIterator[Page]:
    """The Playground's page in a browser, connected to the bot."""
    async with async_playwright() as playwright:
        window = await playwright.chromium.launch(executable_path=browser, args=BROWSER_OPTIONS)
        page = await window.new_page(viewport=PAGE_SIZE)
        await page.goto(playground.url)
        yield page
        await window.close()


async def sees(page: Page, text: str) -> None:
    """Wait until a reply that begins like this is in the chat."""
    reply = page.locator(".fai-OutputCard").filter(has_text=re.compile(f"^{re.escape(text)}"))
    await expect(reply).to_be_visible(timeout=REPLY_TIMEOUT_MS)


async def says(page: Page, text: str) -> None:
    """Type a message and send it."""
    box = page.locator("[contenteditable=true][role=textbox]")
    await box.fill(text)
    await box.press("Enter")
