"""From hand-written manifests to the chart, and back: the commands of docs/adoption.md, run while people are there."""

import itertools
import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from chatctl import process
from chatctl.cluster.model import Cluster
from chatctl.paths import repository

from .people import SERVICE_RESTART, People
from .shell import Shell, open_shell
from .visitor import get

Kubectl = Callable[..., str]
GUIDE = repository() / "docs/adoption.md"
OLD = repository() / "examples/adoption/old"
KINDS = "deployments,services,ingresses,configmaps,serviceaccounts"
OF_EVERY_NAMESPACE = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
OLD_POD, NEW_POD = r"chatapp-deployment-\w+-\w+", r"chatapp-[0-9a-f]+-\w+"
ADOPT = "helm upgrade adopted ./chart --install --take-ownership --set fullnameOverride=chatapp-deployment"
ANSWERS = 100
"""How many answers of the API are enough to say that somebody was there all the time."""


@dataclass(frozen=True)
class Step:
    """A section of the guide: its commands, and those that take them back, "" where there are none."""

    title: str
    there: str
    back: str


def steps() -> list[Step]:
    """Return the sections of the guide that have commands, in order."""
    found = []
    for section in GUIDE.read_text().split("\n## ")[1:]:
        commands = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        if commands:
            there, back = [*commands, ""][:2]
            found.append(Step(section.partition("\n")[0], there, back))
    return found


@dataclass(frozen=True)
class Leg:
    """One way of the journey: what people met, and which objects were there at its end."""

    people: People
    objects: set[str]


@dataclass(frozen=True)
class Journey:
    there: Leg
    back: Leg


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace with the old objects in it, its name new: DNS remembers addresses for 30 seconds."""
    name = f"adoption-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    kubectl("apply", "-n", name, "-f", str(OLD))
    kubectl("rollout", "status", "-n", name, "deployment/chatapp-deployment")
    yield name
    kubectl("delete", "namespace", name)


@pytest.fixture(scope="module")
def shell(cluster: Cluster, namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return open_shell(cluster, namespace, tmp_path_factory.mktemp("adoption"))


@pytest.fixture(scope="module")
def journey(cluster: Cluster, namespace: str, kubectl: Kubectl, shell: Shell) -> Journey:
    address = f"chatapp.com:{cluster.http_port}"
    process.wait_for(lambda: get(f"http://{address}/api/info").status_code == 200, "the old app does not answer")

    def leg(commands: list[str]) -> Leg:
        people = People(address)
        with people.here():
            for each in commands:
                shell.run(each)
        return Leg(people, objects(kubectl, namespace))

    there = leg([step.there for step in steps()])
    return Journey(there, leg([step.back for step in reversed(steps()) if step.back]))


def objects(kubectl: Kubectl, namespace: str) -> set[str]:
    """Return the objects of a namespace, without the two that Kubernetes puts into each."""
    found = json.loads(kubectl("get", KINDS, "-n", namespace, "-o", "json"))["items"]
    return {f"{each['kind']}/{each['metadata']['name']}" for each in found} - OF_EVERY_NAMESPACE


def test_guide_has_a_way_back_for_every_step() -> None:
    assert [step.title[:2] for step in steps() if step.back] == ["1.", "2.", "3.", "4.", "5."]


@pytest.mark.parametrize(
    ("way", "first", "last"), [("there", OLD_POD, NEW_POD), ("back", NEW_POD, OLD_POD)], ids=["there", "back"]
)
def test_no_request_fails_and_a_closed_socket_is_open_again_at_the_first_try(
    journey: Journey, way: str, first: str, last: str
) -> None:
    people: People = getattr(journey, way).people
    assert people.failures == []
    assert re.fullmatch(first, people.hosts[0])
    assert re.fullmatch(last, people.hosts[-1])
    assert len(people.hosts) > ANSWERS
    assert people.closed == [SERVICE_RESTART]


def test_requests_move_once(journey: Journey) -> None:
    """Nobody is sent to and fro between the two Deployments."""
    for people in (journey.there.people, journey.back.people):
        assert len(list(itertools.groupby(people.hosts))) == 2


def test_only_the_charts_objects_remain(journey: Journey) -> None:
    assert journey.there.objects == {
        "ConfigMap/chatapp-runtime",
        "Deployment/chatapp",
        "Ingress/chatapp",
        "Service/chatapp",
        "ServiceAccount/chatapp",
    }


def test_only_the_old_objects_remain_on_the_way_back(journey: Journey) -> None:
    assert journey.back.objects == {"Deployment/chatapp-deployment", "Ingress/chatapp-ingress", "Service/chatapp-svc"}


@pytest.mark.usefixtures("journey")
@pytest.mark.parametrize(
    ("options", "reason"),
    [("", r"conflicts with .*\.spec\.selector"), (" --force-conflicts", r"spec\.selector.*immutable")],
    ids=["asked", "forced"],
)
def test_helm_cannot_take_the_old_deployment_over(shell: Shell, options: str, reason: str) -> None:
    """Even under its name: the selector of a Deployment is fixed."""
    with pytest.raises(AssertionError, match=f"(?s){reason}"):
        shell.run(f"{ADOPT}{options}")
