"""Names and labels: of the release, of one kind each, and nobody else's."""

from pathlib import Path

import pytest

from .view import RenderChart, umbrella


@pytest.mark.parametrize(
    ("release", "overrides", "name"),
    [
        ("chatapp", {}, "chatapp"),
        ("my-chatapp-1", {}, "my-chatapp-1"),
        ("other", {}, "other-chatapp"),
        ("other", {"nameOverride": "talk"}, "other-talk"),
        ("talk-1", {"nameOverride": "talk"}, "talk-1"),
        ("other", {"fullnameOverride": "talk"}, "talk"),
        ("1st", {"fullnameOverride": "talk"}, "talk"),
    ],
)
def test_names_follow_the_release(chart: RenderChart, release: str, overrides: dict[str, str], name: str) -> None:
    rendered = chart(release=release, **overrides)
    for kind in ("Deployment", "Service", "Ingress", "ServiceAccount"):
        assert rendered.the(kind)["metadata"]["name"] == name
    assert rendered.the("ConfigMap")["metadata"]["name"] == name + "-runtime"
    assert rendered.the("Pod")["metadata"]["name"] == name + "-test"


@pytest.mark.parametrize(
    ("length", "aliases"), [(50, ("chat-east", "chat-west")), (53, ("chat-room-1", "chat-room-2"))]
)
def test_two_aliases_share_no_name_and_no_pod(
    chart: RenderChart, chart_copy: Path, tmp_path: Path, length: int, aliases: tuple[str, str]
) -> None:
    parent = umbrella(tmp_path / "parent", chart_copy, *aliases)
    release = chart(folder=parent, release="r" * length)
    names = [(each["kind"], each["metadata"]["name"]) for each in release.objects]
    assert len(set(names)) == len(names)
    assert max(len(name) for _, name in names) <= 63
    pods = [each["spec"]["template"]["metadata"]["labels"] for each in release.of_kind("Deployment")]
    for service in release.of_kind("Service"):
        assert sum(service["spec"]["selector"].items() <= labels.items() for labels in pods) == 1


def test_name_override_is_for_objects_names_alone(chart: RenderChart) -> None:
    assert chart(fullnameOverride="talk", nameOverride="other").text == chart(fullnameOverride="talk").text


def test_common_labels_are_everywhere_but_in_the_selector(chart: RenderChart) -> None:
    release = chart(commonLabels={"team": "talk", "app.kubernetes.io/part-of": "suite"})
    for each in (*release.objects, release.pod):
        assert each["metadata"]["labels"]["team"] == "talk"
        assert each["metadata"]["labels"]["app.kubernetes.io/part-of"] == "suite"
    assert release.the("Service")["spec"]["selector"] == chart().the("Service")["spec"]["selector"]


def test_pod_labels_and_annotations_are_the_pods_alone(chart: RenderChart) -> None:
    release = chart(podLabels={"tier": "front"}, podAnnotations={"note": "x", "checksum/runtime-config": "mine"})
    assert release.pod["metadata"]["labels"]["tier"] == "front"
    assert release.pod["metadata"]["annotations"] == {"note": "x", "checksum/runtime-config": chart().hash}
    assert all("tier" not in each["metadata"]["labels"] for each in release.objects)


def test_numeric_names_stay_text(chart: RenderChart) -> None:
    release = chart(
        release="123",
        namespace="456",
        fullnameOverride="true",
        commonLabels={"build": "0123"},
        ingress={"className": "1e3"},
        service={"appProtocol": {"ws": "true"}},
    )
    assert release.the("Ingress")["spec"]["ingressClassName"] == "1e3"
    assert release.service_ports["ws"]["appProtocol"] == "true"
    for each in release.objects:
        assert each["metadata"]["namespace"] == "456"
        assert each["metadata"]["name"].startswith("true")
        assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "123"
        assert each["metadata"]["labels"]["build"] == "0123"
