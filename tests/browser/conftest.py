"""Browsers and pages. Both engines end with the last browser test, so that later tests find no event loop running."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from . import engines


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Today's engine."""
    with engines.launch(playwright, engines.modern()) as launched:
        yield launched


@pytest.fixture(scope="package")
def old_browser(playwright: Playwright) -> Iterator[Browser]:
    """An engine from before relative WebSocket URLs."""
    with engines.launch(playwright, engines.old()) as launched:
        yield launched


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Open pages that share nothing, like those of different people."""
    with ExitStack() as contexts:

        def open_page() -> Page:
            return contexts.enter_context(browser.new_context(ignore_https_errors=True)).new_page()

        yield open_page


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


@pytest.fixture
def old_page(old_browser: Browser) -> Iterator[Page]:
    with old_browser.new_context(ignore_https_errors=True) as context:
        yield context.new_page()


@pytest.fixture
def room() -> str:
    """A room nobody has been in."""
    return f"room-{secrets.token_hex(4)}"
