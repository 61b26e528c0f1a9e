"""The page of an app whose store goes away and comes back: nothing written is lost, and nobody has to reload."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..app.conftest import APP
from ..app.server import ChatServer, free_ports, start, until
from ..app.valkey_server import Store
from .chat_page import complaints, enter, messages, say, state

BACK_WITHIN = 30_000
"""Milliseconds in which a page is back: longer than it waits between its first attempts."""
# No proxy joins the ports here, so the page is told the chat's own address.
RUNTIME_JS = "window.chatapp = {{ endpoints: {{ api: '' }}, wsURI: () => 'ws://127.0.0.1:{ws}/wss' }};\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    valkey = Store(tmp_path / "valkey")
    valkey.start()
    yield valkey
    valkey.stop()


@pytest.fixture
def replicas(tmp_path: Path, store: Store) -> Iterator[list[ChatServer]]:
    """Two servers that share the store, each with a page that leads to itself."""
    with ExitStack() as stack:
        servers = []
        for name in ("here", "there"):
            root = shutil.copytree(APP, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "config"))
            web, api, ws = free_ports(3)
            (root / "web/config").mkdir()
            (root / "web/config/runtime.js").write_text(RUNTIME_JS.format(ws=ws))
            variables = {"VALKEY_URL": store.url(), "WS_ALLOWED_ORIGINS": page_of(web)}
            servers.append(start(root, variables, (web, api, ws)))
            stack.callback(servers[-1].process.communicate)
            stack.callback(servers[-1].process.kill)
        until(lambda: not any(server.unready() for server in servers), "both replicas are ready")
        yield servers


def page_of(web: int) -> str:
    return f"http://127.0.0.1:{web}"


def test_a_message_that_was_not_stored_stays_and_can_be_sent_again(
    new_page: Callable[[], Page], replicas: list[ChatServer], store: Store, room: str
) -> None:
    here, there = replicas
    ada, bob = new_page(), new_page()
    enter(ada, page_of(here.web), room, "Ada")
    enter(bob, page_of(there.web), room, "Bob")
    say(ada, "one")
    expect(messages(bob)).to_have_count(1)
    expect(ada.get_by_test_id("members").locator(".nick")).to_have_text(["Ada", "Bob"])

    store.stop()
    until(lambda: here.unready() != "", "the replica notices")
    say(ada, "two")
    refused = ada.locator(".message.refused")
    expect(refused).to_contain_text("was not stored")
    expect(state(ada)).to_have_attribute("data-state", "connected")
    refused.get_by_role("button", name="Try again").click()
    expect(refused).to_contain_text("was not stored")

    store.start()
    until(lambda: not any(server.unready() for server in replicas), "both replicas are ready again")
    refused.get_by_role("button", name="Try again").click()
    for page in (ada, bob):
        expect(messages(page).locator(".text")).to_have_text(["one", "two"])
    expect(refused).to_have_count(0)
    assert complaints(ada) == complaints(bob) == []


def test_a_page_that_was_opened_meanwhile_joins_when_the_store_is_back(
    page: Page, replicas: list[ChatServer], store: Store, room: str
) -> None:
    here, _ = replicas
    store.stop()
    until(lambda: here.unready() != "", "the replica notices")
    page.goto(f"{page_of(here.web)}/?room={room}&nick=Ada")
    expect(state(page)).to_have_attribute("data-state", "waiting")
    store.start()
    expect(state(page)).to_have_attribute("data-state", "connected", timeout=BACK_WITHIN)
    say(page, "hello")
    expect(messages(page)).to_have_count(1)


def test_a_page_whose_join_could_not_be_carried_out_tries_again(
    page: Page, replicas: list[ChatServer], store: Store, room: str
) -> None:
    """Without a reload, and without another socket: this one was open before the store went away."""
    here, _ = replicas
    page.goto(page_of(here.web))
    expect(state(page)).to_have_attribute("data-state", "connected")
    store.stop()
    until(lambda: here.unready() != "", "the replica notices")
    page.get_by_test_id("nick").fill("Ada")
    page.get_by_test_id("room").fill(room)
    page.get_by_test_id("join").click()
    expect(page.get_by_test_id("banner")).to_contain_text("store")
    store.start()
    expect(page.get_by_test_id("title")).to_have_text(f"#{room}", timeout=BACK_WITHIN)
    expect(page.get_by_test_id("banner")).to_be_hidden()
