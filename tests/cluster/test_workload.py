"""Pods that do not come up: `chatctl` says why, and takes the release back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatctl import workload
from chatctl.cluster.model import Cluster
from chatctl.errors import ToolError, UserError
from chatctl.release import Release

from ..conftest import Install

NAMESPACE = "cluster-workload"
NO_SECRET = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "nowhere", "key": "token"}}}
ENDS_AT_ONCE = {"registry": "localhost", "repository": "base", "tag": "1"}
"""Its program is a shell, which finds nothing to read."""


@pytest.mark.parametrize(
    ("values", "failure", "sentence"),
    [
        ({"extraEnv": [NO_SECRET]}, UserError, r'container \S+ can\'t be made: secret "nowhere" not found; mend the'),
        ({"image": ENDS_AT_ONCE}, UserError, r"container \S+ of \S+ ends again and again; its last words: none; mend"),
        (
            {"resources": {"requests": {"cpu": "1000"}}},
            ToolError,
            r"was not available after 10 s \(\S+: .*Insufficient cpu.*\); look with `kubectl -n cluster-work",
        ),
        (
            {"valkey": {"external": {"host": "nowhere"}}},
            ToolError,
            r"\(\S+: Running, not ready; the last words of container chatapp: .* valkey at nowhere:6379: its host name",
        ),
    ],
    ids=["configuration", "crash", "scheduling", "readiness"],
)
def test_release_whose_pods_cannot_run_is_taken_back_with_the_reason(
    cluster: Cluster,
    helm: Path,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, Any],
    failure: type[Exception],
    sentence: str,
) -> None:
    monkeypatch.setattr(workload, "RESTARTS", 1)
    if failure is ToolError:
        monkeypatch.setattr(workload, "ROLLOUT_SECONDS", 10)
    with pytest.raises(failure, match=sentence):
        install("hopeless", NAMESPACE, values)
    assert Release(helm, cluster.kubeconfig, "hopeless", NAMESPACE).status() == {}


def test_deployment_that_is_deleted_while_it_is_waited_for_is_named(
    cluster: Cluster, kubectl: Callable[..., str]
) -> None:
    kubectl("create", "deployment", "fleeting", "-n", "default", "--image=localhost/none:1", "--replicas=0")
    kubectl("scale", "deployment", "fleeting", "-n", "default", "--replicas=1")
    api = workload.connect(cluster.kubeconfig)

    def delete(_: str) -> None:
        kubectl("delete", "deployment", "fleeting", "-n", "default", "--ignore-not-found")

    with pytest.raises(ToolError, match="deployment fleeting was deleted while it was waited for; run this again"):
        workload.wait_until_available(api, "default", "fleeting", delete)


def test_last_words_that_the_node_did_not_keep_are_not_invented(cluster: Cluster, kubectl: Callable[..., str]) -> None:
    pods = json.loads(kubectl("get", "pods", "-n", "storage", "-o", "json"))["items"]
    (name,) = (pod for pod in pods if "provisioner" in pod["metadata"]["name"])  # it starts pods for a moment
    api = workload.connect(cluster.kubeconfig)
    (pod,) = api.get("pods", name["metadata"]["name"], namespace="storage")
    container = name["spec"]["containers"][0]["name"]
    assert workload._last_words(pod, container) == "not kept"
