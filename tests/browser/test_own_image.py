"""The page of examples/own-image: a front end that reads window._env_ and knows nothing of this project."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from ..conftest import Installed
from .chat_page import complaints


def enter(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("status")).to_have_text("connected")


def say(page: Page, text: str) -> None:
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def test_two_people_talk(new_page: Callable[[], Page], own_image: Installed) -> None:
    ada, ben = new_page(), new_page()
    for person in (ada, ben):
        enter(person, own_image.url)
    say(ada, "Hello, Ben")
    expect(ben.get_by_role("listitem")).to_have_text(["Hello, Ben"])
    say(ben, "Hello, Ada")
    for person in (ada, ben):
        expect(person.get_by_role("listitem")).to_have_text(["Hello, Ben", "Hello, Ada"])
        assert complaints(person) == []


def test_page_asks_the_api_where_it_is(page: Page, own_image: Installed) -> None:
    enter(page, own_image.url)
    expect(page.locator("#api")).to_have_text("own-image")
    assert page.evaluate("_env_.env") == {"API_URL": "/api"}
    assert page.evaluate("_env_.wsURI()") == own_image.url.replace("http", "ws") + "/socket"


def test_page_works_in_the_old_engine_too(old_page: Page, own_image: Installed) -> None:
    enter(old_page, own_image.url)
    say(old_page, "From 2024")
    expect(old_page.get_by_role("listitem")).to_have_text(["From 2024"])
