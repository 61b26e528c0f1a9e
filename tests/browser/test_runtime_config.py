"""The runtime configuration in a browser: the script that the chart renders, in pages at different addresses."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Error, Page
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from chatctl import render
from chatctl.paths import repository
from chatctl.toolchain import tool_path

HTTP_PAGE, HTTPS_PAGE = "http://a.test:8080/x", "https://b.test/chat/"


@pytest.fixture
def tab(page: Page) -> Page:
    """A page of today's engine; another name, so that a test can choose the engine."""
    return page


@pytest.fixture(params=["page", "old_page"], ids=["today", "2024"])
def any_page(request: pytest.FixtureRequest) -> Page:
    found: Page = request.getfixturevalue(request.param)
    return found


@dataclass
class Site:
    """A page and a WebSocket server at one address on loopback, like a release behind its Ingress."""

    address: str = ""
    html: str = ""

    def page_for_plain_requests(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        response = connection.respond(HTTPStatus.OK, self.html)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    def tell_what_was_asked_for(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        connection.send(f"{connection.request.path} {connection.subprotocol or ''}")
        for _ in connection:
            pass


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    with serve(
        site.tell_what_was_asked_for,
        "127.0.0.1",
        0,
        process_request=site.page_for_plain_requests,
        select_subprotocol=lambda _connection, offered: next(iter(set(offered) & {Subprotocol("v2")}), None),
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        site.address = f"127.0.0.1:{server.socket.getsockname()[1]}"
        yield site
        server.shutdown()
        thread.join()


def html(**values: Any) -> str:
    """A page with the rendered script in it."""
    rendered = render.render(
        render.Request(tool_path("helm"), repository() / "chart", overrides=render.as_yaml(values))
    )
    (script,) = (each["data"]["runtime.js"] for each in rendered.objects if each["kind"] == "ConfigMap")
    return f'<!doctype html><meta charset="utf-8"><title>before</title><script>{script}</script><title>after</title>'


def visit(page: Page, url: str, **values: Any) -> None:
    """Open a page that says it is at `url`, without a network."""
    body = html(**values)
    page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(url)


def visit_site(page: Page, site: Site, **values: Any) -> None:
    """Open a page in a folder of the site."""
    site.html = html(**values)
    page.goto(f"http://{site.address}/folder/page")


@pytest.mark.parametrize(
    ("url", "call", "expected"),
    [
        (HTTP_PAGE, "wsURI()", "ws://a.test:8080/wss"),
        (HTTPS_PAGE, "wsURI()", "wss://b.test/wss"),
        (HTTPS_PAGE, "wsURI('ws')", "wss://b.test/wss"),
        (HTTPS_PAGE, "wsURI('api')", "wss://b.test/api"),
        (HTTPS_PAGE, "wsURI('web')", "wss://b.test/"),
        (HTTPS_PAGE, "wsURI('web', 'rooms')", "wss://b.test/rooms"),
        (HTTPS_PAGE, "wsURI(undefined, 'rooms/1')", "wss://b.test/wss/rooms/1"),
        (HTTPS_PAGE, "wsURI('ws', '/rooms/1?a=b')", "wss://b.test/wss/rooms/1?a=b"),
        (HTTPS_PAGE, "wsURI('ws', '//rooms')", "wss://b.test/wss/rooms"),
        (HTTPS_PAGE, "wsURI('ws', '?room=1')", "wss://b.test/wss?room=1"),
        (HTTPS_PAGE, "wsURI('ws', '/?room=1')", "wss://b.test/wss/?room=1"),
        (HTTPS_PAGE, "wsURI('ws', '/')", "wss://b.test/wss/"),
        (HTTPS_PAGE, "wsURI('ws', '')", "wss://b.test/wss"),
        (HTTPS_PAGE, "wsURI('ws', 7)", "wss://b.test/wss/7"),
    ],
)
def test_address_is_completed_from_the_pages_own(tab: Page, url: str, call: str, expected: str) -> None:
    visit(tab, url)
    assert tab.evaluate(f"chatapp.{call}") == expected


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://c.test/socket", "wss://c.test/socket"),
        ("http://c.test:81", "ws://c.test:81"),
        ("wss://c.test/socket", "wss://c.test/socket"),
        ("ws://c.test", "ws://c.test"),
    ],
)
@pytest.mark.parametrize("url", [HTTP_PAGE, HTTPS_PAGE])
def test_endpoint_elsewhere_keeps_its_own_address(tab: Page, url: str, endpoint: str, expected: str) -> None:
    visit(tab, url, runtimeConfig={"endpoints": {"ws": endpoint}})
    assert tab.evaluate("chatapp.wsURI()") == expected
    assert tab.evaluate("chatapp.wsURI('ws', 'rooms/1')") == f"{expected}/rooms/1"


@pytest.mark.parametrize("route", ["wss", "constructor", "__proto__", ""])
def test_unknown_route_is_named_with_the_known_ones(tab: Page, route: str) -> None:
    visit(tab, HTTP_PAGE)
    with pytest.raises(Error, match=f'Error: chatapp has no route "{route}"; its routes are: api, web, ws\\.'):
        tab.evaluate("(route) => chatapp.wsURI(route)", route)


def test_script_sets_one_frozen_object_and_nothing_else(tab: Page) -> None:
    tab.goto("about:blank")
    before = set(tab.evaluate("Object.getOwnPropertyNames(window)"))
    visit(tab, HTTP_PAGE, runtimeConfig={"globalName": "talk", "extra": {"a": [{"b": 1}]}})
    assert set(tab.evaluate("Object.getOwnPropertyNames(window)")) - before == {"talk"}
    for path in ("talk", "talk.endpoints", "talk.env", "talk.extra", "talk.extra.a", "talk.extra.a[0]", "talk.wsURI"):
        assert tab.evaluate(f"Object.isFrozen({path})")


def test_front_end_reads_the_map(tab: Page) -> None:
    visit(tab, HTTPS_PAGE, ingress={"paths": {"web": "/chat", "api": "/chat/api", "ws": ""}})
    assert tab.evaluate("chatapp.endpoints") == {"web": "/chat", "api": "/chat/api"}
    assert tab.evaluate("chatapp.env") == {"WEB_ENDPOINT": "/chat", "API_ENDPOINT": "/chat/api"}


def test_awkward_data_arrives_and_does_not_break_the_page(tab: Page) -> None:
    awkward = {
        "html": "</script><title>broken</title><script>alert(1)</script><!--<script>",
        "quotes": "\"'`\\${x}",
        "lines": "\u2028\u2029\n\r\t",
        "letters": "ü 漢 😀",
        "marker": "__CONFIG__",
        "numbers": [0, -1, 0.5, 9007199254740991],
        "nested": {"yes": True, "no": False, "": "", "list": [[], {}]},
    }
    visit(tab, HTTP_PAGE, runtimeConfig={"extra": awkward})
    assert tab.evaluate("chatapp.extra") == awkward
    assert tab.evaluate("[...document.querySelectorAll('title')].map((each) => each.text)") == ["before", "after"]


CONNECT = """(open) => new Promise((resolve, reject) => {
    const socket = open();
    socket.onmessage = ({data}) => { resolve(data); socket.close(); };
    socket.onerror = () => reject(new Error("no connection"));
})"""


@pytest.mark.parametrize(
    ("socket", "told"),
    [
        ("new WebSocket('/wss')", "/wss "),
        ("new WebSocket('wss?a=b')", "/folder/wss?a=b "),
        ("new WebSocket(new URL('/wss', location))", "/wss "),
        ("new WebSocket(location.origin + '/wss')", "/wss "),
        ("new WebSocket(chatapp.wsURI())", "/wss "),
        ("new WebSocket('/wss', 'v2')", "/wss v2"),
        ("new WebSocket('/wss', ['v1', 'v2'])", "/wss v2"),
        ("new (class Mine extends WebSocket {})('/wss')", "/wss "),
    ],
)
def test_polyfill_takes_any_address_in_any_engine(any_page: Page, site: Site, socket: str, told: str) -> None:
    visit_site(any_page, site, runtimeConfig={"polyfill": True})
    assert any_page.evaluate(f"({CONNECT})(() => {socket})") == told


def test_polyfill_leaves_websocket_what_it_was(any_page: Page, site: Site) -> None:
    visit_site(any_page, site, runtimeConfig={"polyfill": True})
    facts = any_page.evaluate("""() => {
        class Mine extends WebSocket { greet() { return "hello"; } }
        const [socket, mine] = [new WebSocket("/wss"), new Mine("/wss")];
        const facts = [
            socket instanceof WebSocket, mine instanceof Mine, mine.greet(), socket.url, WebSocket.name,
            WebSocket.length, WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED,
            WebSocket.prototype === Object.getPrototypeOf(socket),
        ];
        socket.close();
        mine.close();
        return facts;
    }""")
    assert facts == [True, True, "hello", f"ws://{site.address}/wss", "WebSocket", 1, 0, 1, 2, 3, True]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("new WebSocket('http://')", "SyntaxError"),
        ("new WebSocket('ftp://a.test/')", "SyntaxError"),
        ("new WebSocket('/wss', ['a', 'a'])", "SyntaxError"),
        ("new WebSocket()", "TypeError"),
        ("WebSocket('/wss')", "TypeError"),
    ],
)
def test_polyfill_refuses_what_browsers_refuse(any_page: Page, call: str, name: str) -> None:
    visit(any_page, HTTP_PAGE, runtimeConfig={"polyfill": True})
    assert any_page.evaluate(f"() => {{ try {{ {call}; }} catch (error) {{ return error.name; }} }}") == name


def test_without_polyfill_the_browsers_own_constructor_stays(tab: Page) -> None:
    visit(tab, HTTP_PAGE)
    assert "[native code]" in tab.evaluate("Function.prototype.toString.call(WebSocket)")
    assert tab.evaluate("WebSocket.prototype.constructor === WebSocket")


def test_without_polyfill_only_the_completed_address_works_in_old_engines(old_page: Page, site: Site) -> None:
    visit_site(old_page, site)
    with pytest.raises(Error, match="The URL '/wss' is invalid"):
        old_page.evaluate("new WebSocket('/wss')")
    assert old_page.evaluate(f"({CONNECT})(() => new WebSocket(chatapp.wsURI()))") == "/wss "
