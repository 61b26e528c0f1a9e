"""From the last release of the chart to the chart as it is, and back, while people are there."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from chatctl import process
from chatctl.cluster.model import Cluster
from chatctl.paths import repository
from chatctl.release import Release

from .people import SERVICE_RESTART, People
from .visitor import get

Kubectl = Callable[..., str]
BASELINE = repository() / "tests/release/0.1.0/chatapp-0.1.0.tgz"
IMAGE_TAG = yaml.safe_load((repository() / "chart/Chart.yaml").read_text())["appVersion"]
"""The reference app, which both charts run: what differs is the chart."""


@dataclass(frozen=True)
class Leg:
    """One way: what people met, and which object the Deployment was at its end."""

    people: People
    deployment: str


@dataclass(frozen=True)
class Journey:
    """Attributes: `first` is the Deployment as the old chart made it."""

    first: str
    upgrade: Leg
    rollback: Leg


@pytest.fixture(scope="module")
def release(cluster: Cluster, helm: Path, kubectl: Kubectl) -> Iterator[Release]:
    """A release of the old chart's package, its namespace new: DNS remembers addresses for 30 seconds."""
    found = Release(helm, cluster.kubeconfig, "chat", f"upgrade-{secrets.token_hex(3)}")
    values = ("--set-string", f"image.tag={IMAGE_TAG}", "--set", f"ingress.hosts={{{found.namespace}.localhost}}")
    found.helm_output("install", found.name, BASELINE, "--create-namespace", "--wait", *values)
    yield found
    kubectl("delete", "namespace", found.namespace, "--wait=false")


@pytest.fixture(scope="module")
def journey(cluster: Cluster, release: Release, kubectl: Kubectl) -> Journey:
    address = f"{release.namespace}.localhost:{cluster.http_port}"
    process.wait_for(lambda: get(f"http://{address}/api/info").status_code == 200, "the old release does not answer")

    def deployment() -> str:
        where = ("-n", release.namespace, "deployment/chat-chatapp")
        return kubectl("get", *where, "-o", "jsonpath={.metadata.uid}")

    @contextmanager
    def people_here() -> Iterator[People]:
        """People who stay until their socket, closed by a pod that goes, is open again."""
        people = People(address)
        with people.here():
            yield people
            process.wait_for(lambda: people.sockets > len(people.closed) > 0, "the socket did not come back")

    first = deployment()
    with people_here() as upgraded:
        release.helm_output("upgrade", release.name, repository() / "chart", "--reset-then-reuse-values", "--wait")
    there = Leg(upgraded, deployment())
    with people_here() as rolled_back:
        release.helm_output("rollback", release.name, "--wait")
    return Journey(first, there, Leg(rolled_back, deployment()))


@pytest.mark.parametrize("way", ["upgrade", "rollback"])
def test_no_request_fails_and_the_socket_is_told_to_come_back_and_does_at_the_first_try(
    journey: Journey, way: str
) -> None:
    people: People = getattr(journey, way).people
    assert people.failures == []
    assert people.closed == [SERVICE_RESTART]
    assert people.hosts[0] != people.hosts[-1]


def test_deployment_is_the_same_object_throughout(journey: Journey) -> None:
    assert journey.first == journey.upgrade.deployment == journey.rollback.deployment
