"""The cluster that the tests install into: a real one, of their own, beside whatever else runs on the machine."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kr8s
import pytest
import yaml
from subprocess_tee import CompletedProcess, run

from chatctl import images, up, workload
from chatctl import release as releases
from chatctl.cluster import bootstrap
from chatctl.cluster.model import Cluster, find
from chatctl.console import Steps
from chatctl.paths import repository
from chatctl.toolchain import tool_path

CHATCTL = Path(sys.executable).parent / "chatctl"
CLUSTER = Cluster("test", 8090, 8453)
OWN_IMAGE = repository() / "examples/own-image"
OWN_IMAGE_FILES = ["Containerfile", "nginx.conf", "*.py", "start", "www/*"]


@dataclass(frozen=True)
class Installed:
    """A release in the test cluster, and its page's first address, without the last slash."""

    name: str
    namespace: str
    host: str
    url: str


Install = Callable[[str, str, dict[str, Any]], Installed]


def chatctl(*arguments: object, show: bool = False) -> "CompletedProcess":
    """Run the command as a user does; with `show`, what it prints is seen as it comes.

    In a thread: subprocess-tee runs an event loop, and the browser tests have one in this thread.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run, [str(CHATCTL), *map(str, arguments)], tee=show).result()


@pytest.fixture(scope="session")
def helm() -> Path:
    return tool_path("helm")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The test cluster; one that runs already, from `chatctl up --name test`, is used and left running."""
    found = find(CLUSTER.name)
    if found is None:
        ports = ("--http-port", CLUSTER.http_port, "--https-port", CLUSTER.https_port)
        done = chatctl("up", "--name", CLUSTER.name, *ports, show=True)
        assert done.returncode == 0, done.stderr
    yield found.cluster if found else CLUSTER
    if found is None:
        assert chatctl("down", "--name", CLUSTER.name).returncode == 0


@pytest.fixture(scope="session")
def install(cluster: Cluster, helm: Path) -> Install:
    """Install or upgrade a release of the chart, with the reference app, and wait until its socket answers."""

    def install_release(name: str, namespace: str, values: dict[str, Any]) -> Installed:
        target = releases.Release(helm, cluster.kubeconfig, name, namespace)
        rendered, _ = releases.install(target, [], values, up.RESTRICTED, Steps())
        url = releases.addresses(rendered.objects, cluster.http_port, cluster.https_port)[0]
        host = url.split("/")[2].partition(":")[0]
        # Two releases of one name claim one host, and some paths would be the other one's.
        ingresses: list[Any] = list(workload.connect(cluster.kubeconfig).get("ingresses", namespace=kr8s.ALL))
        claims = [each.namespace for each in ingresses if host in (rule["host"] for rule in each.spec["rules"])]
        assert set(claims) <= {namespace}, f"{host} is claimed in {claims}"
        up.handshake(url, target.values()["ingress"]["paths"]["ws"])
        return Installed(name, namespace, host, url.rstrip("/"))

    return install_release


@pytest.fixture(scope="session")
def own_image(cluster: Cluster, install: Install) -> Installed:
    """The image of examples/own-image, installed with the values that lie beside it."""
    built = images.build(OWN_IMAGE, OWN_IMAGE_FILES, "own-image", images.base_image(Steps()).archive, Steps())
    node = find(cluster.name)
    assert node is not None
    bootstrap.import_images(node, bootstrap.prepare(Steps()), [built.archive])
    values = yaml.safe_load((OWN_IMAGE / "values.yaml").read_text())
    return install("team", "own-image", values | releases.image_values(built.reference))
