"""More pods under load, and never too few: the autoscaler and the disruption budget on a real cluster."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatctl import images, process
from chatctl.cluster import bootstrap
from chatctl.cluster.model import Cluster, find
from chatctl.console import Steps
from chatctl.errors import ToolError
from chatctl.toolchain import TOOLS, tool_path

from ..conftest import Install, Installed
from .test_store import is_ready
from .visitor import get

Kubectl = Callable[..., str]
HERE = Path(__file__).parent
NAMESPACE = f"scale-{secrets.token_hex(3)}"
PATIENCE = 180
"""Seconds: metrics come every 10, the autoscaler looks every 15, and both want several looks."""
VALUES: dict[str, Any] = {
    "autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
    "resources": {"requests": {"cpu": "10m"}},
    "valkey": {"enabled": True, "auth": {"password": "sesame"}, "resources": {"requests": {"cpu": "10m"}}},
    "preStopSleepSeconds": 0,
}


@pytest.fixture(scope="module")
def metrics(cluster: Cluster, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """metrics-server, as pinned, on the node."""
    node = find(cluster.name)
    assert node is not None
    program, path = tool_path("metrics-server"), "/usr/local/bin/metrics-server"
    reference = f"localhost/metrics-server:{TOOLS['metrics-server'].version}"
    archive = tmp_path_factory.mktemp("images") / f"{program.parent.name}.tar"
    images.write_archive(archive, [images.Image(reference, files={path: program}, entrypoint=[path])])
    bootstrap.import_images(node, bootstrap.prepare(Steps()), [archive])
    manifests = (HERE / "metrics-server.yaml").read_text().replace("IMAGE", reference)
    kubectl("apply", "-f", "-", stdin=manifests)
    kubectl("rollout", "status", "-n", "kube-system", "deployment/metrics-server", f"--timeout={PATIENCE}s")
    yield
    kubectl("delete", "-f", "-", stdin=manifests)


@pytest.fixture(scope="module")
def release(store_image: None, install: Install, kubectl: Kubectl) -> Iterator[Installed]:  # noqa: ARG001
    yield install("busy", NAMESPACE, VALUES)
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def ready(kubectl: Kubectl) -> list[str]:
    """The release's pods that serve."""
    selector = "app.kubernetes.io/instance=busy,app.kubernetes.io/component=app"
    pods = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-l", selector, "-o", "json"))["items"]
    return [pod["metadata"]["name"] for pod in pods if is_ready(pod)]


def patiently(condition: Callable[[], object], failure: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            process.wait_for(condition, failure)
        except ToolError:
            if time.monotonic() > deadline:
                raise
        else:
            return


@contextmanager
def load(url: str) -> Iterator[None]:
    """Several people who ask for the page all the time."""
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            get(f"{url}/api/info")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_a_drained_node_keeps_all_pods_but_one(release: Installed, kubectl: Kubectl) -> None:  # noqa: ARG001
    """The only node: what is evicted has nowhere to go, so that the budget has to hold the others."""
    patiently(lambda: len(ready(kubectl)) >= 2, "there are no two pods")
    before = ready(kubectl)
    selector = "--pod-selector=app.kubernetes.io/instance=busy,app.kubernetes.io/component=app"
    try:
        with pytest.raises(AssertionError, match="violate the pod's disruption budget"):
            kubectl("drain", "node1", selector, "--timeout=20s", "--delete-emptydir-data")
        assert len(set(ready(kubectl)) & set(before)) == len(before) - 1
    finally:
        kubectl("uncordon", "node1")
    patiently(lambda: len(ready(kubectl)) == len(before), "the pod that went has no successor")


@pytest.mark.usefixtures("metrics")
def test_load_brings_a_pod_more(release: Installed, kubectl: Kubectl) -> None:
    def scaler() -> Any:
        return json.loads(kubectl("get", "hpa", "busy-chatapp", "-n", NAMESPACE, "-o", "json"))

    patiently(lambda: scaler()["status"].get("currentMetrics", [{}])[0].get("resource"), "there are no figures")
    assert scaler()["spec"]["minReplicas"] == 2
    with load(release.url):
        patiently(lambda: scaler()["status"]["desiredReplicas"] == 3, "nothing grows")
        patiently(lambda: len(ready(kubectl)) == 3, "the third pod is not ready")
    reasons = {each["type"]: each["reason"] for each in scaler()["status"]["conditions"]}
    assert reasons["ScalingActive"] == "ValidMetricFound"
