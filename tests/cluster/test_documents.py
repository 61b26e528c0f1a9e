"""The commands of the documents, run as they stand, in a namespace of their own."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatctl import process, up
from chatctl.cluster import bootstrap
from chatctl.cluster.model import Cluster, find
from chatctl.console import Steps
from chatctl.paths import repository

from .shell import Shell, commands, open_shell
from .visitor import get

Kubectl = Callable[..., str]
DOCS = repository() / "docs"


@pytest.fixture
def shell(cluster: Cluster, kubectl: Kubectl, tmp_path: Path) -> Iterator[Shell]:
    """A namespace that enforces the restricted standard, its name new: DNS remembers addresses for 30 seconds."""
    name = f"documents-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, *(f"{key}={value}" for key, value in up.RESTRICTED.items()))
    yield open_shell(cluster, name, tmp_path)
    kubectl("delete", "namespace", name)


def test_gateway(shell: Shell, cluster: Cluster) -> None:
    address = f"http://chat.localhost:{cluster.http_port}"
    for each in commands(DOCS / "gateway.md"):
        shell.run(each)
        process.wait_for(lambda: get(f"{address}/api/info").status_code == 200, "the host does not answer")
        up.handshake(f"{address}/", "/wss")


def test_troubleshooting(shell: Shell) -> None:
    shell.run("helm install chatapp ./chart --set ingress.hosts={trouble.localhost} --wait")
    found = commands(DOCS / "troubleshooting.md")
    assert len(found) > 3
    for each in found:
        shell.run(each)


def test_store_of_the_charts_readme(shell: Shell, cluster: Cluster) -> None:
    node = find(cluster.name)
    assert node is not None
    bootstrap.bring_store(node, bootstrap.prepare(Steps()), Steps())
    page = (repository() / "README.md").read_text()
    block = page.partition("## Several pods")[2].partition("```sh\n")[2].partition("```")[0]
    assert "create secret generic chat-store" in block
    shell.run("helm install chat ./chart --set ingress.hosts={several.localhost} --wait")
    shell.run(block.replace(" --namespace chat", ""))
    shell.run("kubectl rollout status deployment chat-chatapp --timeout=120s && helm test chat")
