"""The same chat through an Ingress and through a Gateway, at the root of its host and under a base path."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chatctl.cluster.model import Cluster
from chatctl.release import Release as HelmRelease

from ..conftest import Install
from ..conftest import Installed as Release
from .chat_page import complaints, enter, messages, say

ROOT = {"web": "/", "api": "/api", "ws": "/wss"}
BASE = {"web": "/chat", "api": "/chat/api", "ws": "/chat/wss"}
GATEWAY = {"enabled": True, "parentRefs": [{"name": "traefik", "namespace": "traefik"}]}
WAYS: dict[str, dict[str, Any]] = {
    "ingress": {"ingress": {}},
    "gateway": {"ingress": {"enabled": False}, "httpRoute": GATEWAY},
    "both": {"ingress": {}, "httpRoute": GATEWAY},
}


@pytest.fixture(
    scope="module",
    params=[(way, paths) for way in WAYS for paths in ("root", "base")],
    ids=lambda param: "-".join(param),
)
def release(request: pytest.FixtureRequest, install: Install) -> Release:
    way, paths = request.param
    values = dict(WAYS[way])
    values["ingress"] = {**values["ingress"], "paths": BASE if paths == "base" else ROOT}
    return install(f"{way}-{paths}", "browser-ways", values)


def test_two_people_talk(new_page: Callable[[], Page], release: Release, room: str) -> None:
    ada, ben = new_page(), new_page()
    enter(ada, release.url, room, "Ada")
    enter(ben, release.url, room, "Ben")
    say(ada, "Hello")
    expect(messages(ben)).to_contain_text(["Hello"])
    assert complaints(ada) == []


def test_page_is_told_the_routes_paths(page: Page, release: Release, room: str) -> None:
    enter(page, release.url, room, "Ada")
    base = page.evaluate("chatapp.endpoints.web").rstrip("/")
    assert page.evaluate("chatapp.endpoints") == {"web": base or "/", "api": f"{base}/api", "ws": f"{base}/wss"}
    assert page.evaluate("chatapp.wsURI()") == page.evaluate("'ws://' + location.host") + f"{base}/wss"
    assert release.url.endswith(base)


def test_helm_test_passes(release: Release, cluster: Cluster, helm: Path) -> None:
    done = HelmRelease(helm, cluster.kubeconfig, release.name, release.namespace).helm_run("test", release.name)
    assert done.returncode == 0, done.stderr
