"""The reference page as a person uses it."""

from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect


def enter(page: Page, url: str, room: str, nick: str) -> None:
    """Open the page of the release at `url` in a room, and wait until it says that it is connected."""
    page.goto(f"{url}/?{urlencode({'room': room, 'nick': nick})}")
    expect(state(page)).to_have_attribute("data-state", "connected")


def say(page: Page, text: str) -> None:
    """Write a message and send it; waits for the room to let one write."""
    page.get_by_test_id("text").fill(text)
    page.get_by_test_id("text").press("Enter")


def state(page: Page) -> Locator:
    """Where the page says how its connection is."""
    return page.get_by_test_id("state")


def messages(page: Page) -> Locator:
    """The messages that the server has confirmed, oldest first."""
    return page.locator("[data-testid=message][data-id]")


def complaints(page: Page) -> list[str]:
    """What the browser holds against the page: errors in its console, violated security policy, uncaught exceptions."""
    console = [message.text for message in page.console_messages() if message.type == "error"]
    return console + [str(error) for error in page.page_errors()]
