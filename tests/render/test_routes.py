"""The one map: what `ingress.paths` says is what the Ingress, the container and the front end get."""

from typing import Any

import pytest

from .view import RenderChart

PATHS = {"web": "/", "api": "/api", "ws": "/wss"}
BASE_PATHS = {"web": "/chat", "api": "/chat/api", "ws": "/chat/wss"}
VARIABLES = {"web": "WEB_ENDPOINT", "api": "API_ENDPOINT", "ws": "CHAT_ENDPOINT"}


@pytest.mark.parametrize("paths", [PATHS, BASE_PATHS])
def test_map_reaches_every_layer(chart: RenderChart, paths: dict[str, str]) -> None:
    release = chart(ingress={"paths": paths})
    assert {port: path for path, port in release.rules["chatapp.localhost"]} == paths
    assert release.runtime["endpoints"] == paths
    assert {route: release.env[variable] for route, variable in VARIABLES.items()} == paths
    assert release.runtime["env"] == {VARIABLES[route]: path for route, path in paths.items()}


@pytest.mark.parametrize("nothing", ["", None])
@pytest.mark.parametrize("route", PATHS)
def test_removed_route_is_gone_from_every_layer(chart: RenderChart, route: str, nothing: str | None) -> None:
    release = chart(ingress={"paths": {route: nothing}})
    assert route not in {port for _, port in release.rules["chatapp.localhost"]}
    assert route not in release.runtime["endpoints"]
    assert VARIABLES[route] not in release.env
    assert VARIABLES[route] not in release.runtime["env"]


@pytest.mark.parametrize("nothing", [0, None])
def test_removed_port_is_gone_from_every_layer(chart: RenderChart, nothing: int | None) -> None:
    release = chart(ports={"api": nothing}, ingress={"paths": {"api": ""}})
    assert release.ports == {"web": 3000, "ws": 3002}
    assert release.service_ports.keys() == {"web", "ws"}
    assert "API_PORT" not in release.env


def test_longest_path_comes_first_and_equals_by_name(chart: RenderChart) -> None:
    added = {"abc": "/xyz", "deep": "/api/v1/admin", "tail": "/abc"}
    routes = {route: {"port": "api"} for route in added}
    release = chart(ingress={"paths": added, "routes": routes})
    paths = [path for path, _ in release.rules["chatapp.localhost"]]
    assert paths == ["/api/v1/admin", "/xyz", "/api", "/abc", "/wss", "/"]


def test_route_may_use_another_port_and_path_type(chart: RenderChart) -> None:
    release = chart(
        ingress={"paths": {"auth": "/auth"}, "routes": {"auth": {"port": "api", "pathType": "Exact"}}},
    )
    (rule,) = release.the("Ingress")["spec"]["rules"]
    types = {path["path"]: path["pathType"] for path in rule["http"]["paths"]}
    assert types == {"/auth": "Exact", "/api": "Prefix", "/wss": "Prefix", "/": "Prefix"}
    assert ("/auth", "api") in release.rules["chatapp.localhost"]
    assert release.runtime["endpoints"]["auth"] == "/auth"


def test_nothing_is_rewritten(chart: RenderChart) -> None:
    assert "annotations" not in chart().the("Ingress")["metadata"]


@pytest.mark.parametrize(
    ("release", "hosts", "expected"),
    [
        ("chatapp", [], ["chatapp.localhost"]),
        ("other", [], ["other-chatapp.localhost"]),
        ("chatapp", ["a.example.com", "b.example.com"], ["a.example.com", "b.example.com"]),
        ("chatapp", ["{{ .Release.Namespace }}.example.com", "*.example.org"], ["talk.example.com", "*.example.org"]),
    ],
)
def test_hosts(chart: RenderChart, release: str, hosts: list[str], expected: list[str]) -> None:
    rules = chart(release=release, namespace="talk", ingress={"hosts": hosts}).rules
    assert list(rules) == expected
    assert all(paths == rules[expected[0]] for paths in rules.values())


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({"secretName": "cert"}, {"secretName": "cert", "hosts": ["a.example.com", "b.example.com"]}),
        ({"secretName": "cert", "hosts": ["b.example.com"]}, {"secretName": "cert", "hosts": ["b.example.com"]}),
        ({"hosts": ["{{ .Release.Name }}.example.com"]}, {"hosts": ["chatapp.example.com"]}),
        ({}, {"hosts": ["a.example.com", "b.example.com"]}),
    ],
)
def test_tls(chart: RenderChart, tls: dict[str, Any], expected: dict[str, Any]) -> None:
    release = chart(ingress={"hosts": ["a.example.com", "b.example.com"], "tls": [tls]})
    assert release.the("Ingress")["spec"]["tls"] == [expected]


def test_one_image_and_one_configuration_serve_any_host(chart: RenderChart) -> None:
    one = chart(ingress={"hosts": ["one.example.com"]})
    two = chart(ingress={"hosts": ["two.example.org"], "tls": [{"secretName": "two"}]})
    assert one.hash == two.hash
    assert one.runtime_files == two.runtime_files
    assert one.pod == two.pod


def test_without_ingress_the_map_still_counts(chart: RenderChart) -> None:
    release = chart(ingress={"enabled": False})
    assert release.of_kind("Ingress") == []
    assert release.runtime["endpoints"] == PATHS


def test_service_has_its_own_numbers_only_where_told(chart: RenderChart) -> None:
    release = chart(service={"ports": {"web": 80, "api": 0}, "appProtocol": {"ws": "kubernetes.io/ws"}})
    assert {name: port["port"] for name, port in release.service_ports.items()} == {"web": 80, "api": 3001, "ws": 3002}
    assert {name: port.get("appProtocol") for name, port in release.service_ports.items()} == {
        "web": None,
        "api": None,
        "ws": "kubernetes.io/ws",
    }
    assert release.ports == {"web": 3000, "api": 3001, "ws": 3002}
