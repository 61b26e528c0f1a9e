"""The pod: its image, variables, health checks, end and identity."""

from pathlib import Path
from typing import Any

import pytest

from .view import RenderChart, edit

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("image", "reference", "version"),
    [
        ({}, "chatapp:0.2.0", "0.2.0"),
        ({"registry": "r.example.com:5000", "repository": "a/b", "tag": "1.10"}, "r.example.com:5000/a/b:1.10", "1.10"),
        ({"repository": "localhost:5000/b", "tag": "x"}, "localhost:5000/b:x", "x"),
        ({"tag": "1.2", "digest": DIGEST}, f"chatapp@{DIGEST}", "1.2"),
        ({"digest": DIGEST}, f"chatapp@{DIGEST}", "0123456789ab"),
        ({"tag": "_" + "x" * 70 + "_"}, "chatapp:_" + "x" * 70 + "_", "x" * 62),
    ],
)
def test_image(chart: RenderChart, image: dict[str, str], reference: str, version: str) -> None:
    release = chart(image=image)
    assert release.container["image"] == reference
    assert release.pod["metadata"]["labels"]["app.kubernetes.io/version"] == version


def test_container_is_told_its_ports_and_the_websocket_settings(chart: RenderChart) -> None:
    release = chart(
        ports={"web": 80, "api": 81, "ws": 82, "extra": 83},
        portEnv={"extra": "EXTRA_PORT"},
        websocket={
            "pingInterval": 10,
            "drainSeconds": 30,
            "allowedOrigins": ["https://a.example.com", "http://b:8080"],
        },
    )
    assert release.env == {
        "WEB_PORT": "80",
        "API_PORT": "81",
        "WS_PORT": "82",
        "EXTRA_PORT": "83",
        "WS_PING_INTERVAL": "10",
        "WS_DRAIN_SECONDS": "30",
        "WS_ALLOWED_ORIGINS": "https://a.example.com,http://b:8080",
        "WEB_ENDPOINT": "/",
        "API_ENDPOINT": "/api",
        "CHAT_ENDPOINT": "/wss",
    }


def test_variables_can_be_renamed_and_left_out(chart: RenderChart) -> None:
    release = chart(
        portEnv={"web": "PORT", "api": "", "ws": ""},
        websocket={"env": {"pingInterval": "PING", "drainSeconds": "", "allowedOrigins": ""}},
        runtimeConfig={"enabled": False},
        extraEnv=[{"name": "LEVEL", "value": "debug"}],
    )
    assert release.env == {"PORT": "3000", "PING": "25", "LEVEL": "debug"}


def test_origins_are_left_out_when_there_are_none(chart: RenderChart) -> None:
    assert "WS_ALLOWED_ORIGINS" not in chart().env


def test_extra_variables_take_their_value_from_elsewhere(chart: RenderChart) -> None:
    source = {"secretKeyRef": {"name": "tokens", "key": "chat"}}
    release = chart(extraEnv=[{"name": "TOKEN", "valueFrom": source}])
    assert release.container["env"][-1] == {"name": "TOKEN", "valueFrom": source}


@pytest.mark.parametrize("probe", ["startup", "readiness", "liveness"])
@pytest.mark.parametrize(
    ("settings", "handler"),
    [
        ({"path": "/healthz"}, {"httpGet": {"path": "/healthz", "port": "ws"}}),
        ({"port": "web", "path": "/ok"}, {"httpGet": {"path": "/ok", "port": "web"}}),
        ({"path": ""}, {"tcpSocket": {"port": "ws"}}),
        ({"command": ["/bin/check", "--fast"]}, {"exec": {"command": ["/bin/check", "--fast"]}}),
    ],
)
def test_probe(chart: RenderChart, probe: str, settings: dict[str, Any], handler: dict[str, Any]) -> None:
    numbers = {"periodSeconds": 7, "timeoutSeconds": 8, "failureThreshold": 9}
    assert chart(probes={probe: settings | numbers}).container[f"{probe}Probe"] == handler | numbers


def test_readiness_asks_one_thing_more_on_the_path_of_all(chart: RenderChart) -> None:
    """An image with one health path is enough: a server that does not know the question answers as always."""
    probes = {name: chart().container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert {each["port"] for each in probes.values()} == {"ws"}
    assert {name: each["path"] for name, each in probes.items()} == {
        "startup": "/healthz",
        "readiness": "/healthz?ready=1",
        "liveness": "/healthz",
    }


IN_THE_POD: list[tuple[str, Any]] = [
    ("nodeSelector", {"disk": "ssd"}),
    ("affinity", {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}),
    ("tolerations", [{"key": "dedicated", "operator": "Exists"}]),
    ("initContainers", [{"name": "migrate", "image": "migrate:1"}]),
]


@pytest.mark.parametrize(("field", "value"), IN_THE_POD)
def test_field_of_the_pod_is_passed_on_and_else_not_there(chart: RenderChart, field: str, value: Any) -> None:
    assert chart(**{field: value}).pod["spec"][field] == value
    assert field not in chart().pod["spec"]


def test_rare_fields_of_the_pod_are_passed_on(chart: RenderChart) -> None:
    rare = {"priorityClassName": "high", "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}], "hostUsers": False}
    assert chart(extraPodSpec=rare).pod["spec"].items() >= rare.items()


def test_sidecars_follow_the_apps_container(chart: RenderChart) -> None:
    release = chart(sidecars=[{"name": "proxy", "image": "proxy:1"}])
    assert [each["name"] for each in release.pod["spec"]["containers"]] == ["chatapp", "proxy"]


def test_variables_come_from_whole_objects(chart: RenderChart) -> None:
    source = [{"secretRef": {"name": "settings"}, "prefix": "S_"}]
    assert chart(envFrom=source).container["envFrom"] == source
    assert "envFrom" not in chart().container


@pytest.mark.parametrize("files", [True, False])
def test_volumes_of_ones_own_follow_the_charts(chart: RenderChart, files: bool) -> None:
    release = chart(
        runtimeConfig={"enabled": files},
        extraVolumes=[{"name": "tmp", "emptyDir": {}}],
        extraVolumeMounts=[{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    )
    own = ["runtime"] if files else []
    assert [each["name"] for each in release.pod["spec"]["volumes"]] == [*own, "tmp"]
    assert [each["name"] for each in release.container["volumeMounts"]] == [*own, *own, "tmp"]


def test_volumes_and_variables_find_an_object_of_ones_own_by_its_name(chart: RenderChart) -> None:
    name = '{{ include "chatapp.fullname.with" (list . "mine") }}'
    release = chart(
        extraObjects=[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"A": "1"}}],
        extraVolumes=[{"name": "mine", "configMap": {"name": name}}],
        envFrom=[{"configMapRef": {"name": name}}],
    )
    assert release.pod["spec"]["volumes"][-1]["configMap"]["name"] == "chatapp-mine"
    assert release.container["envFrom"][0]["configMapRef"]["name"] == "chatapp-mine"
    assert "chatapp-mine" in [each["metadata"]["name"] for each in release.objects]


def test_spread_is_over_the_releases_own_pods_of_one_revision(chart: RenderChart) -> None:
    given = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    release = chart(topologySpreadConstraints=[given, given | {"matchLabelKeys": ["tier"], "maxSkew": 2}])
    first, second = release.pod["spec"]["topologySpreadConstraints"]
    selector = {"matchLabels": release.the("Service")["spec"]["selector"]}
    assert first == given | {"labelSelector": selector, "matchLabelKeys": ["pod-template-hash"]}
    assert second == given | {"labelSelector": selector, "matchLabelKeys": ["tier"], "maxSkew": 2}


def test_probe_can_be_off(chart: RenderChart) -> None:
    container = chart(probes={"liveness": {"enabled": False}}).container
    assert "livenessProbe" not in container
    assert container.keys() >= {"startupProbe", "readinessProbe"}


@pytest.mark.parametrize(
    ("sleep", "drain", "given", "grace"), [(5, 20, 0, 30), (0, 0, 0, 5), (15, 60, 0, 80), (5, 20, 25, 25)]
)
def test_pod_has_time_to_drain(chart: RenderChart, sleep: int, drain: int, given: int, grace: int) -> None:
    release = chart(preStopSleepSeconds=sleep, websocket={"drainSeconds": drain}, terminationGracePeriodSeconds=given)
    assert release.pod["spec"]["terminationGracePeriodSeconds"] == grace
    lifecycle = {"preStop": {"sleep": {"seconds": sleep}}} if sleep else None
    assert release.container.get("lifecycle") == lifecycle


def test_rollout_keeps_a_ready_pod(chart: RenderChart) -> None:
    strategy = chart().the("Deployment")["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_default_security_of_both_pods(chart: RenderChart) -> None:
    release = chart()
    for spec in (release.pod["spec"], release.the("Pod")["spec"]):
        assert spec["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert spec["containers"][0]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_numbers_can_be_left_to_the_platform(chart: RenderChart) -> None:
    release = chart(podSecurityContext={"runAsUser": None, "runAsGroup": None, "fsGroup": None})
    for spec in (release.pod["spec"], release.the("Pod")["spec"]):
        assert spec["securityContext"].keys() == {"runAsNonRoot", "seccompProfile"}


@pytest.mark.parametrize(
    ("account", "created", "used"),
    [
        ({}, ["chatapp"], "chatapp"),
        ({"name": "talker"}, ["talker"], "talker"),
        ({"create": False}, [], "default"),
        ({"create": False, "name": "talker"}, [], "talker"),
    ],
)
def test_service_account(chart: RenderChart, account: dict[str, Any], created: list[str], used: str) -> None:
    release = chart(serviceAccount=account)
    assert [each["metadata"]["name"] for each in release.of_kind("ServiceAccount")] == created
    assert all(each["automountServiceAccountToken"] is False for each in release.of_kind("ServiceAccount"))
    assert release.pod["spec"]["serviceAccountName"] == used


def test_pull_secrets_serve_both_pods(chart: RenderChart) -> None:
    release = chart(imagePullSecrets=[{"name": "mine"}])
    assert release.pod["spec"]["imagePullSecrets"] == [{"name": "mine"}]
    assert release.the("Pod")["spec"]["imagePullSecrets"] == [{"name": "mine"}]


def test_pinned_image_survives_a_new_app_version(chart: RenderChart, chart_copy: Path) -> None:
    edit(chart_copy / "Chart.yaml", 'appVersion: "0.2.0"', 'appVersion: "0.3.0"')
    assert chart(folder=chart_copy, image={"tag": "1"}).pod == chart(image={"tag": "1"}).pod
    assert chart(folder=chart_copy).container["image"] == "chatapp:0.3.0"
