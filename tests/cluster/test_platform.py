"""The local cluster itself: what the chart may count on there."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from chatctl import toolchain, up
from chatctl.cluster.model import Cluster
from chatctl.paths import repository
from chatctl.release import Release

from ..conftest import CLUSTER, Install, Installed, chatctl

PROBE = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: probe}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: probe}
spec:
  restartPolicy: Never
  securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: probe
      image: localhost/base:1
      command: [sh, -c, "date > /data/written && getent hosts kubernetes.default.svc.cluster.local"]
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: probe}}]
"""


@pytest.fixture
def chat(install: Install) -> Installed:
    return install("platform", "cluster-platform", {})


@pytest.fixture
def namespace(kubectl: Callable[..., str]) -> str:
    """A new namespace that enforces the restricted Pod Security Standard."""
    name = "platform"
    kubectl("delete", "namespace", name, "--ignore-not-found")
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    return name


def test_restricted_pod_gets_a_volume_it_can_write_and_resolves_names(
    kubectl: Callable[..., str], namespace: str
) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=PROBE)
    kubectl("wait", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "pod/probe", "--timeout=60s")
    assert "kubernetes.default.svc.cluster.local" in kubectl("logs", "-n", namespace, "probe")


def test_unrestricted_pod_is_refused_where_the_standard_is_enforced(
    kubectl: Callable[..., str], namespace: str
) -> None:
    pod = list(yaml.safe_load_all(PROBE))[1]
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(pod))


def test_every_part_tells_its_pinned_version(kubectl: Callable[..., str]) -> None:
    pinned = toolchain.TOOLS["kubelet"].version
    versions = json.loads(kubectl("version", "-o", "json"))
    (machine,) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    assert versions["clientVersion"]["gitVersion"] == versions["serverVersion"]["gitVersion"] == pinned
    assert machine["status"]["nodeInfo"]["kubeletVersion"] == pinned


def test_status_says_that_all_is_well(cluster: Cluster) -> None:
    done = chatctl("status", "--name", cluster.name)
    assert done.returncode == 0, done.stdout
    assert f"Kubernetes {toolchain.TOOLS['kubelet'].version}" in done.stdout
    assert str(cluster.kubeconfig) in done.stdout


def test_status_names_the_pod_that_is_not_ready(cluster: Cluster, kubectl: Callable[..., str], namespace: str) -> None:
    pod = list(yaml.safe_load_all(PROBE))[1]
    pod["metadata"]["name"] = "hopeless"
    pod["spec"]["containers"][0]["image"] = "localhost/none:1"
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(pod))
    done = chatctl("status", "--name", cluster.name)
    kubectl("delete", "namespace", namespace)
    assert done.returncode == 1, done.stdout
    assert f"not ready: {namespace}/hopeless" in done.stdout


def test_status_names_the_two_releases_that_claim_one_page(
    cluster: Cluster, helm: Path, kubectl: Callable[..., str], chat: Installed, namespace: str
) -> None:
    twin = Release(helm, cluster.kubeconfig, chat.name, namespace)
    twin.helm_output("install", twin.name, repository() / "chart", "--set=image.repository=none")
    done = chatctl("status", "--name", cluster.name)
    kubectl("delete", "namespace", namespace)
    assert done.returncode == 1
    said = re.search(
        rf"{chat.url}/ is that of release {chat.name} in namespace (\S+), too", " ".join(done.stdout.split())
    )
    assert said, done.stdout
    assert said[1] in (chat.namespace, namespace)


def test_status_names_the_certificate_that_is_not_there(
    cluster: Cluster, helm: Path, kubectl: Callable[..., str], namespace: str
) -> None:
    tls = ("--set=image.repository=none", "--set=ingress.tls[0].secretName=nowhere")
    Release(helm, cluster.kubeconfig, "bare", namespace).helm_output("install", "bare", repository() / "chart", *tls)
    done = chatctl("status", "--name", cluster.name)
    kubectl("delete", "namespace", namespace)
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert f"Secret nowhere is not in namespace {namespace}: another certificate is served; make it, or mend" in said


def test_status_names_the_address_that_does_not_answer(kubectl: Callable[..., str], chat: Installed) -> None:
    controller = ("-n", "traefik", "deployment/traefik")
    kubectl("scale", "--replicas=0", *controller)
    kubectl("wait", "-n", "traefik", "--for=delete", "pod", "--all", "--timeout=60s")
    done = chatctl("status", "--name", CLUSTER.name)
    kubectl("scale", "--replicas=1", *controller)
    kubectl("rollout", "status", *controller)
    up.handshake(chat.url, "/wss")
    assert done.returncode == 1, done.stdout
    assert f"{chat.url}/ does not answer: Server disconnected" in " ".join(done.stdout.split())


def test_gateway_is_programmed(kubectl: Callable[..., str]) -> None:
    kubectl("wait", "-n", "traefik", "--for=condition=Programmed", "gateway/traefik", "--timeout=30s")
    crds = json.loads(kubectl("get", "crd", "httproutes.gateway.networking.k8s.io", "-o", "json"))
    assert crds["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"] == "v1.7.0"
