"""The failure of the story, and its two remedies, in an engine that really fails.

Chromium 123 refuses a relative WebSocket URL, as did all browsers before 2024. A front end that does
`new WebSocket("/wss")` sends nothing at all there.
"""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import Install
from ..conftest import Installed as Release
from .chat_page import complaints, enter, messages, say

BARE = "new WebSocket('/wss')"
COMPLETED = "new WebSocket(chatapp.wsURI())"


@pytest.fixture(scope="module")
def release(install: Install) -> Release:
    return install("old", "browser-old", {})


@pytest.fixture(scope="module")
def polyfilled(install: Install) -> Release:
    return install("polyfilled", "browser-old", {"runtimeConfig": {"polyfill": True}})


def said(page: Page, socket: str, room: str) -> dict[str, Any]:
    """Evaluate `socket` in the page, say "hello" in the room through it, and return the frame that brings it back."""
    exchange = """(socket, room) => new Promise((resolve, reject) => {
        socket.onopen = () => {
            socket.send(JSON.stringify({type: "join", room, nick: "Ada"}));
            socket.send(JSON.stringify({type: "send", text: "hello"}));
        };
        socket.onmessage = ({data}) => { if (JSON.parse(data).type === "message") { resolve(data); socket.close(); } };
        socket.onclose = ({code}) => reject(new Error(`closed with ${code}`));
    })"""
    frame: dict[str, Any] = json.loads(page.evaluate(f"(room) => ({exchange})({socket}, room)", room))
    return frame


def test_engine_is_from_before_relative_addresses(old_browser: Browser, old_page: Page) -> None:
    assert old_browser.version.startswith("123.")
    assert "Chrome/123." in old_page.evaluate("navigator.userAgent")


def test_bare_address_throws(old_page: Page, release: Release) -> None:
    old_page.goto(release.url)
    thrown = old_page.evaluate(f"() => {{ try {{ {BARE}; }} catch (error) {{ return [error.name, error.message]; }} }}")
    assert thrown == ["SyntaxError", "Failed to construct 'WebSocket': The URL '/wss' is invalid."]


def test_bare_address_is_no_trouble_today(page: Page, release: Release, room: str) -> None:
    page.goto(release.url)
    assert said(page, BARE, room)["text"] == "hello"


def test_completed_address_connects(old_page: Page, release: Release, room: str) -> None:
    old_page.goto(release.url)
    assert said(old_page, COMPLETED, room)["text"] == "hello"


@pytest.mark.parametrize("socket", [BARE, COMPLETED])
def test_polyfill_makes_the_bare_address_connect(old_page: Page, polyfilled: Release, socket: str, room: str) -> None:
    old_page.goto(polyfilled.url)
    assert said(old_page, socket, room)["text"] == "hello"


def test_reference_page_works(old_page: Page, release: Release, room: str) -> None:
    enter(old_page, release.url, room, "Ada")
    say(old_page, "From 2024")
    expect(messages(old_page)).to_contain_text("From 2024")
    assert complaints(old_page) == []
