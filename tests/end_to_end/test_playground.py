"""The bot in a browser."""

from playwright.async_api import Page

from tests.end_to_end.playground_page import says, sees


async def test_user_chats_in_the_browser(page: Page) -> None:
    """Every reply of the bot is seen on the page, and users stay who they are."""
    await says(page, "I am Ada")
    await sees(page, "Ada said: I am Ada")
    await sees(page, "That was message 1 here.")
    await sees(page, "It came from emulator.")
    await says(page, "What a fine day!")
    await sees(page, "Ada said: What a fine day!")
    await sees(page, "That was message 2 here.")
