"""
The bot in a browser.

With `--picture FILE` the page is also kept as a picture, for the README.
"""

import pytest
from playwright.async_api import Page

from tests.end_to_end.playground_page import says, sees


async def test_user_chats_in_the_browser(page: Page, pytestconfig: pytest.Config) -> None:
    """Hello, a name, a message: every reply of the bot is seen on the page."""
    await page.get_by_title("Hide log panel").click()

    await sees(page, "Welcome to State Bot Sample. Type anything to get started.")
    await says(page, "hello")
    await sees(page, "What is your name?")
    await says(page, "Ada")
    await sees(page, "Thanks Ada. To see conversation data, type anything.")
    await says(page, "What a fine day!")
    await sees(page, "Ada sent: What a fine day!")
    await sees(page, "Message received at: ")
    await sees(page, "Message received from: emulator")

    picture = pytestconfig.getoption("picture")
    if picture:
        await page.get_by_text("Microsoft 365 Agents Playground").click()  # out of the text box
        await page.screenshot(path=picture)
