"""The ways in: the Service's fields, the debugging Service, the HTTPRoute, what controllers want."""

from typing import Any

import pytest
import yaml

from .view import CHART, RenderChart, View

ROWS: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((CHART / "files/controllers.yaml").read_text())
GATEWAY: dict[str, Any] = {"enabled": True, "parentRefs": [{"name": "web"}]}


def annotations(release: View, kind: str) -> dict[str, str]:
    found: dict[str, str] = release.the(kind)["metadata"].get("annotations", {})
    return found


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("ipFamilyPolicy", "PreferDualStack", "ClusterIP"),
        ("ipFamilies", ["IPv6", "IPv4"], "ClusterIP"),
        ("trafficDistribution", "PreferSameZone", "ClusterIP"),
        ("sessionAffinity", "ClientIP", "ClusterIP"),
        ("externalTrafficPolicy", "Local", "NodePort"),
        ("loadBalancerClass", "example.com/internal", "LoadBalancer"),
        ("loadBalancerSourceRanges", ["203.0.113.0/24"], "LoadBalancer"),
    ],
)
def test_field_of_the_service_is_there_where_it_is_set(chart: RenderChart, field: str, value: Any, kind: str) -> None:
    assert chart(service={"type": kind, field: value}).the("Service")["spec"][field] == value
    assert field not in chart(service={"type": kind}).the("Service")["spec"]


def test_node_ports_are_given_by_name(chart: RenderChart) -> None:
    ports = chart(service={"type": "NodePort", "nodePorts": {"web": 30080, "ws": 0}}).service_ports
    assert {name: port.get("nodePort") for name, port in ports.items()} == {"web": 30080, "api": None, "ws": None}


def test_socket_server_can_be_reached_without_the_way_in(chart: RenderChart) -> None:
    release = chart(service={"debug": {"enabled": True}}, ingress={"routes": {"ws": {"port": "api"}}})
    main, debug = sorted(release.of_kind("Service"), key=lambda each: len(each["metadata"]["name"]))
    assert debug["metadata"]["name"] == main["metadata"]["name"] + "-debug"
    assert debug["spec"] == {
        "type": "NodePort",
        "selector": main["spec"]["selector"],
        "ports": [{"name": "api", "port": 80, "targetPort": "api", "nodePort": 30000, "protocol": "TCP"}],
    }


def test_http_route_serves_the_same_map(chart: RenderChart) -> None:
    release = chart(
        httpRoute=GATEWAY,
        service={"ports": {"web": 80}},
        ingress={
            "hosts": ["{{ .Release.Name }}.example.com"],
            "paths": {"auth": "/auth"},
            "routes": {"auth": {"port": "api", "pathType": "Exact"}, "ws": {"pathType": "ImplementationSpecific"}},
        },
    )
    spec = release.the("HTTPRoute")["spec"]
    assert spec["parentRefs"] == [{"name": "web"}]
    assert spec["hostnames"] == ["chatapp.example.com"]
    rules = [(*rule["matches"][0]["path"].values(), rule["backendRefs"]) for rule in spec["rules"]]
    assert rules == [
        ("Exact", "/auth", [{"name": "chatapp", "port": 3001}]),
        ("PathPrefix", "/api", [{"name": "chatapp", "port": 3001}]),
        ("PathPrefix", "/wss", [{"name": "chatapp", "port": 3002}]),
        ("PathPrefix", "/", [{"name": "chatapp", "port": 80}]),
    ]
    assert [path for path, _ in release.rules["chatapp.example.com"]] == [path for _, path, _ in rules]


def test_http_route_can_stand_alone_with_hosts_of_its_own(chart: RenderChart) -> None:
    release = chart(httpRoute=GATEWAY | {"hostnames": ["{{ .Release.Name }}.example.org"]}, ingress={"enabled": False})
    assert release.of_kind("Ingress") == []
    assert release.the("HTTPRoute")["spec"]["hostnames"] == ["chatapp.example.org"]
    assert chart().of_kind("HTTPRoute") == []


def test_filters_and_timeouts_are_the_rules_that_they_are_for(chart: RenderChart) -> None:
    filters = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["Server"]}}]
    release = chart(httpRoute=GATEWAY | {"filters": {"web": filters}, "timeouts": {"api": {"request": "30s"}}})
    rules = {rule["matches"][0]["path"]["value"]: rule for rule in release.the("HTTPRoute")["spec"]["rules"]}
    assert {path: (rule.get("filters"), rule.get("timeouts")) for path, rule in rules.items()} == {
        "/": (filters, None),
        "/api": (None, {"request": "30s"}),
        "/wss": (None, None),
    }


@pytest.mark.parametrize("controller", ROWS)
def test_controller_gets_what_its_row_says_filled_in(chart: RenderChart, controller: str) -> None:
    release = chart(
        ingress={"controller": controller, "paths": {"ws": "/socket"}},
        httpRoute=GATEWAY | {"controller": controller},
        websocket={"idleTimeout": 90},
    )
    for key, kind in (("ingress", "Ingress"), ("httpRoute", "HTTPRoute"), ("service", "Service")):
        expected = {
            name: text.replace("<seconds>", "90")
            .replace("<milliseconds>", "90000")
            .replace("<path>", "/socket")
            .replace("<service>", "chatapp")
            for name, text in ROWS[controller].get(key, {}).items()
        }
        assert annotations(release, kind) == expected


def test_no_controller_no_annotations(chart: RenderChart) -> None:
    release = chart(httpRoute=GATEWAY)
    assert [annotations(release, kind) for kind in ("Ingress", "HTTPRoute", "Service")] == [{}, {}, {}]


def test_each_way_in_may_have_its_own_controller(chart: RenderChart) -> None:
    release = chart(ingress={"controller": "contour"}, httpRoute=GATEWAY | {"controller": "kong"})
    assert annotations(release, "Ingress") == {"projectcontour.io/websocket-routes": "/wss"}
    assert annotations(release, "Service").keys() == {"konghq.com/read-timeout", "konghq.com/write-timeout"}
    assert annotations(chart(ingress={"enabled": False, "controller": "kong"}), "Service") == {}


def test_users_annotations_win(chart: RenderChart) -> None:
    name = "nginx.ingress.kubernetes.io/proxy-read-timeout"
    release = chart(ingress={"controller": "ingress-nginx", "annotations": {name: "5"}})
    assert annotations(release, "Ingress") == {name: "5", "nginx.ingress.kubernetes.io/proxy-send-timeout": "3600"}


def test_what_has_no_value_is_left_out(chart: RenderChart) -> None:
    release = chart(ingress={"controller": "f5-nginx"}, websocket={"idleTimeout": 0})
    assert annotations(release, "Ingress") == {"nginx.org/websocket-services": "chatapp"}
    release = chart(ingress={"controller": "f5-nginx", "paths": {"ws": ""}}, websocket={"idleTimeout": 0})
    assert annotations(release, "Ingress") == {}
    assert annotations(chart(ingress={"controller": "contour", "paths": {"ws": ""}}), "Ingress") == {}
