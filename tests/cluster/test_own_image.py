"""The image of examples/own-image: three programs of a team's own in one container, with the values beside it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from chatctl import process, up
from chatctl.cluster.model import Cluster
from chatctl.release import Release

from ..conftest import Installed
from .visitor import get, open_socket

Kubectl = Callable[..., str]
SERVICE_RESTART = 1012


def address(release: Installed) -> str:
    """Return where the release's socket is."""
    return f"{release.url.replace('http', 'ws')}/socket"


def pod(kubectl: Kubectl, release: Installed) -> dict[str, Any]:
    """Return the app's pod, the one that stays where another is on its way out."""
    labels = "app.kubernetes.io/component=app"
    found = json.loads(kubectl("get", "pods", "-n", release.namespace, "-l", labels, "-o", "json"))["items"]
    (app,) = (each for each in found if "deletionTimestamp" not in each["metadata"])
    return dict(app)


def restarts(kubectl: Kubectl, release: Installed) -> int:
    (status,) = pod(kubectl, release)["status"]["containerStatuses"]
    return int(status["restartCount"]) if status["ready"] else 0


def test_it_runs_under_the_restricted_standard(kubectl: Kubectl, own_image: Installed) -> None:
    namespace = json.loads(kubectl("get", "namespace", own_image.namespace, "-o", "json"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (container,) = pod(kubectl, own_image)["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]


def test_helm_test_passes(cluster: Cluster, helm: Path, own_image: Installed) -> None:
    done = Release(helm, cluster.kubeconfig, own_image.name, own_image.namespace).helm_run("test", own_image.name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "said"), [("/", "The team's own chat"), ("/api/about", '"own-image"'), ("/env.js", '"ws": "/socket"')]
)
def test_one_host_reaches_page_api_and_settings(own_image: Installed, path: str, said: str) -> None:
    answer = get(f"{own_image.url}{path}")
    assert answer.status_code == 200, answer.text
    assert said in answer.text


def test_browsers_do_not_keep_the_settings(own_image: Installed) -> None:
    """The piece of nginx's configuration that the values bring says so."""
    assert get(f"{own_image.url}/env.js").headers["cache-control"] == "no-store"
    assert "cache-control" not in get(f"{own_image.url}/bundle.js").headers


def test_what_one_says_all_hear(own_image: Installed) -> None:
    with open_socket(address(own_image)) as ada, open_socket(address(own_image)) as ben:
        for person, text in ((ada, "Hello, Ben"), (ben, "Hello, Ada")):
            person.send(text)
            assert [each.recv(timeout=10) for each in (ada, ben)] == [text, text]


def test_container_ends_when_one_of_its_programs_does_and_starts_anew(kubectl: Kubectl, own_image: Installed) -> None:
    before = restarts(kubectl, own_image)
    kill = "kill $(cat /var/lib/nginx/nginx.pid)"
    kubectl("exec", "-n", own_image.namespace, "deployment/team-chatapp", "--", "bash", "-c", kill)
    process.wait_for(lambda: restarts(kubectl, own_image) > before, "the container did not start anew")
    process.wait_for(partial(answers, own_image), "the page did not come back")


def answers(release: Installed) -> bool:
    return get(release.url).status_code == 200


def test_sockets_are_told_to_come_back_when_the_pod_goes(kubectl: Kubectl, own_image: Installed) -> None:
    up.handshake(own_image.url, "/socket")  # the servers start one after the other
    with open_socket(address(own_image)) as ada:
        kubectl("delete", "pod", "-n", own_image.namespace, pod(kubectl, own_image)["metadata"]["name"], "--wait=false")
        with pytest.raises(ConnectionClosed) as closed:
            ada.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == SERVICE_RESTART
    process.wait_for(partial(answers, own_image), "the page did not come back")
