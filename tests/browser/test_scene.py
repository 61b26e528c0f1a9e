"""The scene of the story, on a real cluster: one domain, three ports, and a chat that lives."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from chatctl.cluster.model import Cluster
from chatctl.workload import connect

from ..conftest import Install
from ..conftest import Installed as Release
from .chat_page import complaints, enter, messages, say, state

SERVICE_RESTART = 1012
"""Close code by which a server says: I am going, come back (IANA's registry of WebSocket close codes)."""
BACK_WITHIN = 90_000
"""Milliseconds in which a page is connected again after its pod was deleted: drain, new pod, backoff."""


@pytest.fixture(scope="module")
def release(install: Install) -> Release:
    return install("scene", "browser-scene", {})


@pytest.fixture(params=["http", "https"])
def url(request: pytest.FixtureRequest, cluster: Cluster, release: Release) -> str:
    ports = {"http": cluster.http_port, "https": cluster.https_port}
    return f"{request.param}://{release.host}:{ports[request.param]}"


def test_page_connects_and_the_browser_has_no_complaint(page: Page, url: str, room: str) -> None:
    enter(page, url, room, "Ada")
    expect(page).to_have_title(re.compile(room))
    assert complaints(page) == []


def test_api_answers_the_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_test_id("api")).to_contain_text("chatapp")
    assert page.evaluate("fetch(`${chatapp.endpoints.api}/info`).then((answer) => answer.json())")["name"] == "chatapp"


def test_socket_has_the_scheme_host_and_port_of_the_page(page: Page, url: str) -> None:
    with page.expect_websocket() as socket:
        page.goto(url)
    address = urlsplit(socket.value.url)
    assert address.scheme == {"http": "ws", "https": "wss"}[urlsplit(url).scheme]
    assert address.netloc == urlsplit(url).netloc
    assert address.path == "/wss"


def test_what_one_says_comes_back_from_the_server(page: Page, url: str, room: str) -> None:
    enter(page, url, room, "Ada")
    say(page, "Is anybody here?")
    expect(messages(page)).to_contain_text("Is anybody here?")
    expect(messages(page)).to_have_attribute("data-id", "1")


def test_two_people_see_what_each_other_says(new_page: Callable[[], Page], url: str, room: str) -> None:
    ada, bob = new_page(), new_page()
    enter(ada, url, room, "Ada")
    enter(bob, url, room, "Bob")
    say(ada, "Hello, Bob")
    expect(messages(bob)).to_contain_text(["Hello, Bob"])
    say(bob, "Hello, Ada")
    for person in (ada, bob):
        expect(messages(person)).to_contain_text(["Hello, Bob", "Hello, Ada"])


def test_people_in_other_rooms_do_not(new_page: Callable[[], Page], release: Release, room: str) -> None:
    ada, eve = new_page(), new_page()
    enter(ada, release.url, room, "Ada")
    enter(eve, release.url, f"{room}-2", "Eve")
    say(ada, "Between us")
    expect(messages(ada)).to_contain_text(["Between us"])
    say(eve, "Is anybody here?")
    expect(messages(eve)).to_contain_text(["Is anybody here?"])


def test_page_comes_back_when_its_pod_goes(page: Page, cluster: Cluster, release: Release, room: str) -> None:
    page.add_init_script(
        """window.closeCodes = [];
        window.WebSocket = class extends WebSocket {
            constructor(...address) {
                super(...address);
                this.addEventListener("close", ({code}) => closeCodes.push(code));
            }
        };"""
    )
    enter(page, release.url, room, "Ada")
    state(page).evaluate(
        """(state) => {
            const see = () => { state.dataset.seen = [state.dataset.seen, state.dataset.state].join(" "); };
            new MutationObserver(see).observe(state, {attributeFilter: ["data-state"]});
        }"""
    )
    for pod in pods(cluster, release):
        pod.delete()
    back = re.compile("waiting .*connected$")
    expect(state(page)).to_have_attribute("data-seen", back, timeout=BACK_WITHIN)
    assert page.evaluate("closeCodes[0]") == SERVICE_RESTART
    say(page, "Still here")
    expect(messages(page).last).to_contain_text("Still here")


def test_a_second_host_needs_no_new_image_and_no_new_configuration(
    new_page: Callable[[], Page], cluster: Cluster, install: Install, room: str
) -> None:
    """The same pod serves both: what it runs and what it is told knows no domain."""
    one, two = "one.localhost", "two.localhost"
    first = install("hosts", "browser-scene", {"ingress": {"hosts": [one]}})
    before = running(cluster, first)
    install("hosts", "browser-scene", {"ingress": {"hosts": [one, two]}})
    assert running(cluster, first) == before

    for person, host in ((ada := new_page(), one), (new_page(), two)):
        enter(person, first.url.replace(first.host, host), room, f"Guest of {host}")
        say(person, f"Hello from {host}")
    expect(messages(ada)).to_contain_text(["Hello from one.localhost", "Hello from two.localhost"])


def pods(cluster: Cluster, release: Release) -> list[Any]:
    """Return the pods that the release's Service selects."""
    labels = {"app.kubernetes.io/instance": release.name, "app.kubernetes.io/component": "app"}
    return list(connect(cluster.kubeconfig).get("pods", namespace=release.namespace, label_selector=labels))


def running(cluster: Cluster, release: Release) -> list[tuple[Any, ...]]:
    """Return each pod's uid, hash of the configuration, and digests of its images."""
    return [
        (
            pod.metadata["uid"],
            pod.annotations["checksum/runtime-config"],
            [container["imageID"] for container in pod.status["containerStatuses"]],
        )
        for pod in pods(cluster, release)
    ]
