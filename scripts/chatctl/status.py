"""`chatctl status`: what runs, and whether it answers."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import kr8s
from rich.table import Table

from chatctl import toolchain, workload
from chatctl.cluster.model import find
from chatctl.errors import UserError
from chatctl.release import Release, addresses

TEST = "helm.sh/hook"
"""The annotation of pods that come and go: those of `helm test`."""


@dataclass(frozen=True)
class Line:
    """One row of the status: a thing, how it is, and whether that is well."""

    thing: str
    state: str
    well: bool


@dataclass(frozen=True)
class Status:
    """The state of a local cluster and of the releases in it."""

    lines: Sequence[Line]

    @property
    def healthy(self) -> bool:
        """Whether every line is well."""
        return all(line.well for line in self.lines)

    def table(self) -> Table:
        """Return it for a person."""
        table = Table(box=None, show_header=False)
        for line in self.lines:
            table.add_row("[green]✓[/]" if line.well else "[red]✗[/]", line.thing, line.state)
        return table


def status(name: str) -> Status:
    """Look at the local cluster called `name`.

    Raises:
        UserError: it is not running, or the caller is not root, who alone may ask it.
        ToolError: it does not answer.
    """
    if os.geteuid() != 0:
        raise UserError("the local cluster answers to root alone, who started it; run this as root.")
    node = find(name)
    if node is None or not node.ready:
        raise UserError(f"there is no local cluster {name}; start it with `chatctl up`.")
    node.reach_directly()
    cluster = node.cluster
    api = workload.connect(cluster.kubeconfig)
    pods: list[Any] = list(api.get("pods", namespace=kr8s.ALL))
    lasting = [pod for pod in pods if TEST not in pod.annotations]
    waiting = [f"{pod.namespace}/{pod.name}" for pod in lasting if not _ready(pod.raw)]
    machine: Any = next(iter(api.get("nodes")))
    lines = [
        Line("cluster", f"{name}, Kubernetes {machine.status.nodeInfo.kubeletVersion}", _ready(machine.raw)),
        Line("kubeconfig", str(cluster.kubeconfig), True),
        Line("pods", f"not ready: {', '.join(waiting)}" if waiting else f"{len(lasting)} ready", not waiting),
    ]
    helm = toolchain.tool_path("helm")
    listed = Release(helm, cluster.kubeconfig, "", "default").helm_output("list", "--all-namespaces", "--output=json")
    owners: dict[str, Release] = {}
    for found in json.loads(listed):
        release = Release(helm, cluster.kubeconfig, found["name"], found["namespace"])
        state = f"{found['status']}, revision {found['revision']}, namespace {found['namespace']}"
        lines.append(Line(f"release {release.name}", state, found["status"] == "deployed"))
        objects = release.manifests()
        lines += _missing_certificates(api, release, objects)
        for url in addresses(objects, cluster.http_port, cluster.https_port):
            owner = owners.setdefault(url, release)
            lines.append(_answer(url) if owner == release else _claimed_twice(url, owner))
    return Status(lines)


def _ready(resource: Any) -> bool:
    """Whether a pod or node is Ready, or a pod has ended well."""
    status = resource.get("status", {})
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    return conditions.get("Ready") == "True" or status.get("phase") == "Succeeded"


def _missing_certificates(api: kr8s.Api, release: Release, objects: Sequence[Any]) -> list[Line]:
    """Name the Secrets of Ingresses that are not there: a controller serves another certificate, and says nothing."""
    entries = [entry for each in objects if each["kind"] == "Ingress" for entry in each["spec"].get("tls", [])]
    wanted = sorted({entry["secretName"] for entry in entries if entry.get("secretName")})
    secrets: list[Any] = list(api.get("secrets", namespace=release.namespace)) if wanted else []
    there = {each.name for each in secrets}
    state = f"is not in namespace {release.namespace}: another certificate is served; make it, or mend ingress.tls"
    return [Line("", f"Secret {name} {state}", False) for name in wanted if name not in there]


def _claimed_twice(url: str, owner: Release) -> Line:
    """Say that one page has two releases: controllers mix their paths, and nobody reports an error."""
    other = f"release {owner.name} in namespace {owner.namespace}"
    return Line("", f"{url} is that of {other}, too; give one of them other ingress.hosts", False)


def _answer(url: str) -> Line:
    """Ask for a page on loopback, where the local ingress controller is, whatever the host's name."""
    parts = httpx.URL(url)
    try:
        with httpx.Client(verify=False, trust_env=False, timeout=5) as client:  # noqa: S501 - local, self-signed
            answer = client.get(parts.copy_with(host="127.0.0.1"), headers={"Host": parts.netloc.decode()})
    except httpx.HTTPError as error:
        return Line("", f"{url} does not answer: {error}", False)
    return Line("", f"{url} answers {answer.status_code}", answer.status_code < 400)
