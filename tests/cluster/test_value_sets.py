"""The value sets of the checks on a real cluster: installed under the restricted standard, `helm test` passes.

Some of `chart/ci` stay with the checks. `everything`, made to have each key once, names classes and sidecars that no
cluster has. `own-image` is for an image with other variables: see `test_own_image.py`. `store-external` and `scaling`
name a store that is nowhere; `test_store.py` has one. Of the others nothing is overridden but, of the environments, the
image, which no registry can give here, and the cpu that they reserve, for the node has two. The Secrets and the claim
that they name are made first. Hosts, classes, Gateways and pull secrets that are not there do no harm: `helm test` asks
the Service.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatctl import process, up
from chatctl import release as releases
from chatctl.cluster.model import Cluster
from chatctl.console import Steps
from chatctl.paths import repository
from chatctl.release import Release

NOT_HERE = {"everything-values", "own-image-values", "store-external-values", "scaling-values"}
CI = [file for file in sorted((repository() / "chart/ci").glob("*.yaml")) if file.stem not in NOT_HERE]
ENVIRONMENTS = sorted((repository() / "environments").glob("*.yaml"))
RUN = secrets.token_hex(3)
"""Part of the namespaces' names: the cluster's DNS remembers a Service's old address for 30 seconds."""
OPENSHIFT = f"values-openshift-{RUN}"
USER = 1000650000
# What OpenShift's own admission does to a pod that asks for no numbers: it gives them, from a range of the namespace.
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: chat-data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
NUMBERS = f"""
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {{name: numbers}}
spec:
  matchConstraints:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {OPENSHIFT}}}}}
    resourceRules: [{{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
  reinvocationPolicy: Never
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: >-
          Object{{spec: Object.spec{{securityContext:
            Object.spec.securityContext{{runAsUser: {USER}, fsGroup: {USER}}}}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {{name: numbers}}
spec: {{policyName: numbers}}
"""

Kubectl = Callable[..., str]


@pytest.fixture
def target(request: pytest.FixtureRequest, cluster: Cluster, helm: Path, kubectl: Kubectl) -> Iterator[Release]:
    """A release in a namespace of its own, gone afterwards: other sets claim the same hosts and ports."""
    file: Path = request.param
    release = Release(helm, cluster.kubeconfig, "chat", f"values-{file.stem.removesuffix('-values')}-{RUN}")
    if "existingSecret" in (file.read_text() if file.is_file() else ""):
        request.getfixturevalue("store_image")
        bring_what_it_names(kubectl, release.namespace)
    yield release
    release.helm_run("uninstall", release.name, "--wait")
    kubectl("delete", "namespace", release.namespace, "--wait=false")


def bring_what_it_names(kubectl: Kubectl, namespace: str) -> None:
    """Make the Secrets and the claim that value sets with a store take for granted."""
    kubectl("create", "namespace", namespace)
    kubectl("label", "namespace", namespace, *(f"{key}={value}" for key, value in up.RESTRICTED.items()))
    kubectl("create", "secret", "generic", "chat-store", "-n", namespace, "--from-literal=password=sesame")
    kubectl("create", "secret", "generic", "valkey-login", "-n", namespace, "--from-literal=pass=sesame")
    kubectl("apply", "-n", namespace, "-f", "-", stdin=CLAIM)


@pytest.fixture
def openshift(kubectl: Kubectl) -> Iterator[None]:
    """A namespace in which pods get numbers of its own, and which enforces the restricted standard."""
    kubectl("create", "namespace", OPENSHIFT)
    kubectl("apply", "-f", "-", stdin=NUMBERS)

    def given() -> bool:
        return str(USER) in kubectl("run", "try", "-n", OPENSHIFT, "--image=none", "--dry-run=server", "-o", "yaml")

    process.wait_for(given, "pods get no numbers")
    kubectl("label", "namespace", OPENSHIFT, *(f"{key}={value}" for key, value in up.RESTRICTED.items()))
    yield
    kubectl("delete", "-f", "-", stdin=NUMBERS)


def install_and_test(release: Release, file: Path, overrides: dict[str, Any]) -> None:
    releases.install(release, [file], overrides, up.RESTRICTED, Steps())
    done = release.helm_run("test", release.name, "--logs")
    assert done.returncode == 0, done.stdout
    assert "PASSED" in done.stdout


def named(files: list[Path]) -> pytest.MarkDecorator:
    """Parametrize a test with a set and the release made of it."""
    return pytest.mark.parametrize(
        ("target", "file"), [(file, file) for file in files], indirect=["target"], ids=[file.stem for file in files]
    )


@named([file for file in CI if file.stem not in ("openshift-values", "switched-off-values")])
def test_value_set_is_installed_and_passes_its_test(target: Release, file: Path, kubectl: Kubectl) -> None:
    install_and_test(target, file, {})
    namespace = json.loads(kubectl("get", "namespace", target.namespace, "-o", "json"))
    assert namespace["metadata"]["labels"].items() >= up.RESTRICTED.items()


@named([file for file in CI if file.stem == "switched-off-values"])
def test_without_health_checks_the_test_passes_once_the_server_listens(target: Release, file: Path) -> None:
    """The Deployment counts as available when its container has started, which is a little earlier."""
    releases.install(target, [file], {}, up.RESTRICTED, Steps())
    process.wait_for(lambda: target.helm_run("test", target.name).returncode == 0, "helm test does not pass")


@named(ENVIRONMENTS)
def test_environment_is_installed_and_passes_its_test(target: Release, file: Path) -> None:
    image = {"repository": "chatapp", "tag": "", "pullPolicy": "Never"}
    install_and_test(target, file, {"image": image, "resources": {"requests": {"cpu": "10m"}}})


@named([file for file in CI if file.stem == "openshift-values"])
@pytest.mark.usefixtures("openshift")
def test_pods_that_ask_for_no_user_run_as_the_one_they_are_given(target: Release, file: Path, kubectl: Kubectl) -> None:
    install_and_test(target, file, {})
    assert user(target, kubectl) == USER


@pytest.mark.parametrize("target", [Path("no-numbers")], indirect=True, ids=["openshift-values"])
def test_where_nobody_gives_them_one_it_is_the_images(target: Release, kubectl: Kubectl) -> None:
    """The standard wants a user that is not root; the reference app's image names one, by number.

    `helm test` is left out: what stands in for curl's image here names none, and curl's own image names one by name,
    which Kubernetes refuses as well. On such a cluster the numbers are to be left as they are.
    """
    releases.install(target, [repository() / "chart/ci/openshift-values.yaml"], {}, up.RESTRICTED, Steps())
    assert user(target, kubectl) == 10001


def user(target: Release, kubectl: Kubectl) -> int:
    return int(kubectl("exec", "-n", target.namespace, "deployment/chat-chatapp", "--", "id", "-u"))
