"""The commands of the documents, run as they stand, in a namespace of their own."""

import secrets
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from chatctl import images, process, up
from chatctl.cluster import bootstrap
from chatctl.cluster.model import Cluster, find
from chatctl.console import Steps
from chatctl.paths import repository

from .shell import Shell, commands, open_shell
from .visitor import get, open_secure_socket, tls_version

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


@pytest.mark.usefixtures("store_image")
def test_store_of_the_charts_readme(shell: Shell) -> None:
    (block,) = commands(repository() / "README.md", "Several pods")
    assert "create secret generic chat-store" in block
    shell.run("helm install chat ./chart --set ingress.hosts={several.localhost} --wait")
    shell.run(block.replace(" --namespace chat", ""))
    shell.run("kubectl rollout status deployment chat-chatapp --timeout=120s && helm test chat")


def test_tls_of_the_charts_readme(shell: Shell, cluster: Cluster, tmp_path: Path) -> None:
    (block,) = commands(repository() / "chart/README.md", "TLS")
    shell.run("helm install chatapp ./chart --set ingress.hosts={plain.localhost} --wait")
    shell.run(f"root=$PWD; cd {tmp_path}; ln -s $root/chart chart\n{block.replace(' -n chat', '')}")
    certificate = (tmp_path / "chain.pem").read_text()

    def served() -> bool:
        try:
            return tls_version("chat.example.com", cluster.https_port, certificate) is not None
        except ssl.SSLCertVerificationError:
            return False

    process.wait_for(served, "the certificate is not served")
    up.handshake(f"https://chat.example.com:{cluster.https_port}/", "/wss")


@pytest.fixture
def no_environments(kubectl: Kubectl) -> Iterator[None]:
    """The namespaces of the page about environments are there no longer than its test."""
    yield
    kubectl("delete", "namespace", "chat-staging", "chat", "--ignore-not-found")


@pytest.mark.usefixtures("no_environments", "store_image")
def test_environments(shell: Shell, cluster: Cluster) -> None:
    node = find(cluster.name)
    assert node is not None
    tools = bootstrap.prepare(Steps())
    app = images.app_image(images.base_image(Steps()).archive, Steps())
    for name in ("staging", "prod"):
        named = yaml.safe_load((repository() / f"environments/{name}.yaml").read_text())["image"]
        bootstrap.tag_image(node, tools, app.reference, f"{named['repository']}:1.4.0-rc.2")
    staging, production, checks = commands(DOCS / "environments.md")
    shell.run(staging)
    shell.run(production)
    for host in ("chat.staging.example.com", "chat.example.com"):
        with open_secure_socket(host, cluster.https_port):
            pass
    shell.run(checks.replace("less", "grep -c kind:"))
