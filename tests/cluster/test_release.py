"""A release in trouble: what Helm, the cluster or its owner's rules refuse, said in one sentence."""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatctl import process
from chatctl.cluster.model import Cluster
from chatctl.errors import ToolError
from chatctl.paths import repository
from chatctl.release import Release
from chatctl.render import client_env

from ..conftest import chatctl

IMAGE = ("--image", "chatapp:0.2.0")
MAY_NOT_DELETE = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer}
rules:
  - apiGroups: ["", apps, networking.k8s.io]
    resources: [configmaps, deployments, ingresses, pods, replicasets, secrets, serviceaccounts, services]
    verbs: [get, list, watch, create, update, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: ServiceAccount, name: deployer}]
"""

POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: refused}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [namespaces], operations: [CREATE]}]
  validations: [{expression: "object.metadata.name != 'cluster-refused'", message: not in this cluster}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: refused}
spec: {policyName: refused, validationActions: [Deny]}
"""


@pytest.fixture
def deployer(kubectl: Callable[..., str], cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of one who may make the chart's objects in `cluster-owned`, but look at no namespace or delete."""
    namespace = ("-n", "cluster-owned")
    kubectl("create", "namespace", "cluster-owned")
    kubectl("apply", *namespace, "-f", "-", stdin=MAY_NOT_DELETE)
    config: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": kubectl("create", "token", "deployer", *namespace).strip()}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield file
    kubectl("delete", "namespace", "cluster-owned", "--wait=false")


def test_release_of_one_who_may_not_delete_says_that_it_could_not_be_taken_back(deployer: Path) -> None:
    to = ("--kubeconfig", deployer, "--release", "stuck", "-n", "cluster-owned")
    done = chatctl("up", *to, "--image", "localhost/none:1")
    assert done.returncode == 1, done.stderr
    said = done.stderr.partition("chatctl: ")[2]
    assert said.startswith("the image localhost/none:1 can't be had by the cluster (")
    assert said.endswith(" Taking it back failed as well: failed to delete release: stuck\n")


@pytest.mark.parametrize("namespace", ["", "Not_A_Name", "x" * 64])
def test_text_that_cannot_name_a_namespace_is_refused(cluster: Cluster, namespace: str) -> None:
    done = chatctl("up", "--kubeconfig", cluster.kubeconfig, f"--namespace={namespace}", *IMAGE)
    assert done.returncode == 1, done.stderr
    assert f"chatctl: {namespace!r} can't name a namespace; take up to 63 lower-case letters" in done.stderr


def test_namespace_that_the_cluster_s_policy_refuses_is_named_with_the_reason(
    cluster: Cluster, kubectl: Callable[..., str]
) -> None:
    kubectl("apply", "-f", "-", stdin=POLICY)
    try:
        process.wait_for(partial(policy_holds, kubectl), "the policy does not hold")
        done = chatctl("up", "--kubeconfig", cluster.kubeconfig, "-n", "cluster-refused", *IMAGE)
    finally:
        kubectl("delete", "-f", "-", stdin=POLICY)
    assert done.returncode == 1, done.stderr
    assert "chatctl: namespace cluster-refused can't be made: " in done.stderr
    assert "not in this cluster" in done.stderr


def policy_holds(kubectl: Callable[..., str]) -> bool:
    try:
        kubectl("create", "namespace", "cluster-refused", "--dry-run=server")
    except AssertionError:
        return True
    return False


def test_release_that_another_helm_works_on_is_left_alone(cluster: Cluster, helm: Path) -> None:
    release = Release(helm, cluster.kubeconfig, "pending", "cluster-pending")
    to = [f"--kubeconfig={cluster.kubeconfig}", "--namespace=cluster-pending", "--create-namespace"]
    argv = [
        str(helm),
        "install",
        "pending",
        str(repository() / "chart"),
        "--set=image.registry=localhost",
        "--wait",
        *to,
    ]
    try:
        with subprocess.Popen(argv, env=client_env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
            process.wait_for(release.status, "the other Helm did not begin", lambda: other.poll() is None)
            other.kill()
        done = chatctl(
            "up", "--kubeconfig", cluster.kubeconfig, "--release", "pending", "-n", "cluster-pending", *IMAGE
        )
        assert done.returncode == 1, done.stderr
        assert (
            "release pending is pending-install: another Helm works on it, or was stopped while it did" in done.stderr
        )
        assert "helm uninstall pending -n cluster-pending" in done.stderr
        assert release.status()["version"] == 1
    finally:
        release.helm_run("uninstall", release.name)


def test_test_that_fails_is_quoted(cluster: Cluster, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("tests: {path: /nowhere}\n")
    to = ("--kubeconfig", cluster.kubeconfig, "--release", "misled", "-n", "cluster-misled")
    done = chatctl("up", *to, *IMAGE, "-f", values)
    assert done.returncode == 2, done.stderr
    assert "chatctl: helm test failed: the server knows no /nowhere" in done.stderr


def test_release_that_is_not_there_has_no_values(cluster: Cluster, helm: Path) -> None:
    with pytest.raises(ToolError, match=r"^helm get failed: release: not found\.$"):
        Release(helm, cluster.kubeconfig, "nobody", "default").values()


def test_image_in_the_values_of_a_local_cluster_gives_way_and_without_ingress_there_is_no_url(
    cluster: Cluster, helm: Path, tmp_path: Path
) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("image: {tag: none}\ningress: {enabled: false}\n")
    done = chatctl("up", "--name", cluster.name, "--release", "inside", "-n", "cluster-inside", "-f", values)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "The image that the values name is not used here; --image REF runs one of your own." in said
    assert done.stdout == f"export KUBECONFIG={cluster.kubeconfig}\n"
    assert Release(helm, cluster.kubeconfig, "inside", "cluster-inside").values()["image"]["tag"] != "none"
