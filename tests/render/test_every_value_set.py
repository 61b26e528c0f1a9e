"""What holds for every value set that is in the repository."""

import re
from pathlib import Path
from typing import Any

import pytest

from .view import VALUE_SETS, RenderChart, View

STANDARD_LABELS = {
    "helm.sh/chart",
    *(f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "component", "part-of", "managed-by")),
}
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LONGEST_RELEASE = "a" + "b" * 51 + "c"


@pytest.fixture(scope="module", params=VALUE_SETS, ids=lambda file: file.name)
def values(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


@pytest.fixture(scope="module")
def release(chart: RenderChart, values: Path) -> View:
    return chart(values, namespace="talk")


def test_every_route_ends_at_a_port_of_the_container(release: View) -> None:
    service = release.the("Service")
    (target,) = {path["backend"]["service"]["name"] for path in paths(release)}
    assert target == service["metadata"]["name"]
    for path in paths(release):
        port = release.service_ports[path["backend"]["service"]["port"]["name"]]
        assert port["targetPort"] in release.ports
    assert release.service_ports.keys() == release.ports.keys()


def test_front_end_gets_the_ingress_paths(release: View) -> None:
    served = {path["path"] for path in paths(release)}
    for endpoints in endpoint_maps(release):
        assert len(set(endpoints.values())) == len(served)
        assert {endpoint for endpoint in endpoints.values() if endpoint.startswith("/")} <= served


def test_longer_paths_come_first(release: View) -> None:
    for rules in release.rules.values():
        lengths = [len(path) for path, _ in rules]
        assert lengths == sorted(lengths, reverse=True)


def test_service_selects_the_deployments_pods_and_no_other(release: View) -> None:
    selector = release.the("Service")["spec"]["selector"]
    assert selector == release.the("Deployment")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= release.pod["metadata"]["labels"].items()
    for pod in release.of_kind("Pod"):
        assert not selector.items() <= pod["metadata"]["labels"].items()


def test_every_object_has_the_standard_labels(release: View) -> None:
    for each in release.objects:
        labels = each["metadata"]["labels"]
        assert labels.keys() >= STANDARD_LABELS
        assert all(LABEL_VALUE.fullmatch(value) for value in labels.values())


def test_pods_do_not_know_the_charts_version(release: View) -> None:
    assert "helm.sh/chart" not in release.pod["metadata"]["labels"]


def test_every_object_is_in_the_releases_namespace(release: View) -> None:
    assert {each["metadata"]["namespace"] for each in release.objects} == {"talk"}


def test_names_fit_and_differ_at_the_longest_release_name(chart: RenderChart, values: Path) -> None:
    release = chart(values, release=LONGEST_RELEASE)
    names = [(each["kind"], each["metadata"]["name"]) for each in release.objects]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for _, name in names)


def test_every_pod_meets_the_restricted_standard(release: View) -> None:
    """kubernetes.io/docs/concepts/security/pod-security-standards, as far as the chart sets these fields."""
    for spec in pod_specs(release):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] != 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_mount_has_its_file(release: View) -> None:
    mounted = {mount["subPath"] for mount in release.container.get("volumeMounts", [])}
    assert mounted == release.runtime_files.keys()
    for volume in release.pod["spec"].get("volumes", []):
        assert volume["configMap"]["name"] == release.the("ConfigMap")["metadata"]["name"]


def test_no_variable_is_set_twice(release: View) -> None:
    names = [each["name"] for each in release.container["env"]]
    assert len(set(names)) == len(names)


def test_two_renders_are_the_same(chart: RenderChart, values: Path) -> None:
    assert chart(values).text == chart(values).text


def paths(release: View) -> list[Any]:
    return [path for rule in release.the("Ingress")["spec"]["rules"] for path in rule["http"]["paths"]]


def endpoint_maps(release: View) -> list[dict[str, str]]:
    """The endpoints in each mounted file that has them all."""
    maps = []
    if "runtime.js" in release.runtime_files:
        maps.append(release.script_settings["endpoints"])
    if "runtime.json" in release.runtime_files:
        maps.append(release.runtime["endpoints"])
    return maps


def pod_specs(release: View) -> list[Any]:
    return [release.pod["spec"], *(pod["spec"] for pod in release.of_kind("Pod"))]
