"""The schema: closed, described, and a refusal for each kind of wrong value."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chatctl import kubeyaml
from chatctl.errors import UserError
from chatctl.paths import repository

from .view import CHART, RenderChart, umbrella

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
(DEFAULTS,) = kubeyaml.load_all((CHART / "values.yaml").read_text())


def schemas(schema: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all schemas in it, each with its place."""
    yield at, schema
    for keyword in ("properties", "patternProperties", "$defs"):
        for name, child in schema.get(keyword, {}).items():
            yield from schemas(child, f"{at}/{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(child := schema.get(keyword), dict):
            yield from schemas(child, f"{at}/{keyword}")


def test_schema_is_draft_2020_12_and_self_contained() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)
    for _, schema in schemas(SCHEMA):
        assert schema.get("$ref", "#/$defs/").startswith("#/$defs/")
        assert "format" not in schema


def test_every_key_is_described() -> None:
    assert [at for at, schema in schemas(SCHEMA) if "description" not in schema and "$ref" not in schema] == []


def test_every_object_is_closed_but_global() -> None:
    open_objects = [at for at, each in schemas(SCHEMA) if each.get("type") == "object" and not is_closed(each)]
    assert open_objects == ["/global"]


def is_closed(schema: dict[str, Any]) -> bool:
    return "additionalProperties" in schema or "$ref" in schema


def test_root_has_the_same_schema_file() -> None:
    assert (repository() / "values.schema.json").resolve() == CHART / "values.schema.json"


def test_values_yaml_has_every_key_and_no_null() -> None:
    assert DEFAULTS.keys() == SCHEMA["properties"].keys()
    assert "null" not in json.dumps(DEFAULTS).replace('"null', "")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replicas": 2}, "replicas: not allowed; the keys here are affinity, autoscaling, "),
        (
            {"ingress": {"hsts": []}},
            "ingress.hsts: not allowed; the keys here are annotations, className, ",
        ),
        ({"ingress": {"tls": [{"secret": "x"}]}}, "ingress.tls[0].secret: not allowed; the keys here are hosts, "),
        ({"service": {"type": "ExternalName"}}, "service.type: value must be one of 'ClusterIP', 'NodePort', "),
        ({"image": {"tag": 1.1}}, "image.tag: got number, want string. The tag, in quotes where YAML would "),
        ({"image": {"digest": "sha256:12"}}, "image.digest: 'sha256:12' does not fit. The digest; "),
        ({"image": {"repository": "Chat"}}, "image.repository: 'Chat' does not fit. The image's name, in lower "),
        ({"ports": {"web": "3000"}}, "ports.web: got string, want integer. A TCP port; 0 removes it."),
        ({"ports": {"web": 65536}}, "ports.web: maximum: got 65,536, want 65,535. A TCP port; 0 removes it."),
        ({"ports": {"Web": 1}}, "ports.Web: not allowed; this is: What the container listens on, by port name: "),
        ({"ports": {"a--b": 1}}, "ports.a--b: not allowed; this is: What the container listens on, "),
        ({"websocket": {"pingInterval": 26}}, "websocket.pingInterval: maximum: got 26, want 25. "),
        ({"websocket": {"allowedOrigins": ["a.b"]}}, "websocket.allowedOrigins[0]: 'a.b' does not fit. Scheme and "),
        ({"runtimeConfig": {"globalName": "a.b"}}, "runtimeConfig.globalName: 'a.b' does not fit. The script sets "),
        ({"runtimeConfig": {"globalName": "top"}}, "runtimeConfig.globalName: 'not' failed. The script sets window."),
        ({"runtimeConfig": {"env": {"__proto__": "ws"}}}, "runtimeConfig.env.__proto__: 'not' failed. No key for a "),
        ({"runtimeConfig": {"files": {"js": "/a/../b"}}}, "runtimeConfig.files.js: '/a/../b' does not fit. The "),
        ({"runtimeConfig": {"endpoints": {"ws": "/x"}}}, "runtimeConfig.endpoints.ws: '/x' does not fit. An http, "),
        ({"runtimeConfig": {"extra": {"a": ["\x7f"]}}}, "runtimeConfig.extra.a[0]: '\\x7f' does not fit. Any data: "),
        ({"runtimeConfig": {"extra": {"__proto__": 1}}}, "runtimeConfig.extra.__proto__: 'not' failed. No key for "),
        ({"extraEnv": [{"value": "x"}]}, "extraEnv[0].name: missing (null removes a key); give it a value."),
        ({"extraEnv": [{"name": "A", "value": True}]}, "extraEnv[0].value: got boolean, want string. Its value, in "),
        ({"podLabels": {"a.b/c": "x y"}}, "podLabels.\"a.b/c\": 'x y' does not fit. A label's value: at most 63 "),
        ({"podAnnotations": {"a": True}}, "podAnnotations.a: got boolean, want string. An annotation's value, "),
        ({"resources": {"limits": {"cpu": "1 core"}}}, "resources.limits.cpu: '1 core' does not fit. A Kubernetes "),
        ({"ingress": {"className": "a..b"}}, "ingress.className: 'a..b' does not fit. The IngressClass; "),
        ({"ingress": {"paths": {"a--b": "/a"}}}, "ingress.paths.a--b: not allowed; this is: THE map: "),
        ({"serviceAccount": {"name": "a..b"}}, "serviceAccount.name: 'a..b' does not fit. Its name; "),
        (
            {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]},
            "imagePullSecrets: items at 0 and 1 are equal. Secrets ",
        ),
        (
            {"service": {"appProtocol": {"ws": "x" * 64}}},
            f"service.appProtocol.ws: '{'x' * 64}' does not fit. An IANA ",
        ),
        ({"service": {"appProtocol": {"ws": "a..b/c"}}}, "service.appProtocol.ws: 'a..b/c' does not fit. An IANA "),
        ({"podSecurityContext": {"sysctls": []}}, "podSecurityContext.sysctls: not allowed; the keys here are "),
        ({"securityContext": {"privileged": True}}, "securityContext.privileged: not allowed; the keys here are "),
        (
            {"securityContext": {"capabilities": {"add": ["CAP_CHOWN"]}}},
            "securityContext.capabilities.add[0]: 'not' failed. A capability without CAP_ in front",
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
            "securityContext.seccompProfile.localhostProfile: missing",
        ),
        (
            {"podSecurityContext": {"seccompProfile": {"localhostProfile": "a"}}},
            "podSecurityContext.seccompProfile.localhostProfile: 'not' failed. The profile on the node",
        ),
        (
            {"securityContext": {"appArmorProfile": {"type": "Localhost", "localhostProfile": "a/../b"}}},
            "securityContext.appArmorProfile.localhostProfile: 'a/../b' does not fit. The profile on the node",
        ),
        ({"resources": {"limits": {"cores": 1}}}, "resources.limits.cores: not allowed; this is: "),
        ({"resources": {"limits": {"cpu": "1e999"}}}, "resources.limits.cpu: '1e999' does not fit. A Kubernetes "),
        ({"extraEnv": [{"name": "..A"}]}, "extraEnv[0].name: '..A' does not fit. A variable's name."),
        (
            {"extraEnv": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "..b"}}}]},
            "extraEnv[0].valueFrom.secretKeyRef.key: '..b' does not fit. The key.",
        ),
        (
            {"extraEnv": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodename"}}}]},
            "extraEnv[0].valueFrom.fieldRef.fieldPath: 'spec.nodename' does not fit. The field, ",
        ),
        (
            {"extraEnv": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.disk"}}}]},
            "extraEnv[0].valueFrom.resourceFieldRef.resource: 'limits.disk' does not fit. Such as ",
        ),
        (
            {
                "extraEnv": [
                    {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1Mi"}}}
                ]
            },
            "extraEnv[0].valueFrom.resourceFieldRef.divisor: '1Mi' does not fit. The unit: ",
        ),
        ({"portEnv": {"web": ".."}}, "portEnv.web: '..' does not fit. A variable's name; "),
        ({"tests": {"path": "/a#b"}}, "tests.path: '/a#b' does not fit. What to ask for"),
        ({"tests": {"path": "/ü"}}, "tests.path: '/ü' does not fit. What to ask for"),
        ({"tests": {"image": {"tag": ""}}}, "tests.image.tag: minLength: got 0, want 1. The tag; no default of "),
    ],
    ids=lambda each: each.partition(":")[0] if isinstance(each, str) else "",
)
def test_refused(chart: RenderChart, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as refusal:
        chart(**values)
    assert str(refusal.value).startswith(sentence)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    "path",
    ["api", "api/", "/api/", "//", "/a//b", "/api/*", "/api(/|$)(.*)", "/a b", "/a?b", "/a#b", "/./a", "/a/..", "/%2f"],
)
def test_path_that_controllers_read_differently_is_refused(chart: RenderChart, path: str) -> None:
    with pytest.raises(UserError) as refusal:
        chart(ingress={"paths": {"api": path}})
    assert str(refusal.value).startswith(
        f"ingress.paths.api: '{path}' does not fit. A path: it starts with / and has no "
    )


@pytest.mark.parametrize("path", ["/a", "/A/b-c_d~e", "/v1.0", "/.well-known/x", "/a" * 100])
def test_path_that_all_read_alike_is_taken(chart: RenderChart, path: str) -> None:
    assert chart(ingress={"paths": {"api": path}}).env["API_ENDPOINT"] == path


@pytest.mark.parametrize(
    "values",
    [
        {"resources": {"limits": {"hugepages-2Mi": "4Mi", "example.com/GPU": 1, "memory": "1e9"}}},
        {"podSecurityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/chat.json"}}},
        {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}},
        {"extraEnv": [{"name": "T", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a.b/tier']"}}}]},
        {
            "extraEnv": [
                {"name": "M", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}}
            ]
        },
        {"extraEnv": [{"name": ".K", "valueFrom": {"secretKeyRef": {"name": "a", "key": ".dockerconfigjson"}}}]},
    ],
    ids=str,
)
def test_what_kubernetes_takes_is_taken(chart: RenderChart, values: dict[str, Any]) -> None:
    assert chart(**values).the("Deployment")


def test_anchors_have_a_place(chart: RenderChart, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("x-host: &host chat.example.com\ningress: {hosts: [*host]}\n")
    assert list(chart(file).rules) == ["chat.example.com"]


def test_chart_may_be_a_subchart_twice(chart: RenderChart, chart_copy: Path, tmp_path: Path) -> None:
    values = {"global": {"region": "eu"}, "south": {"ingress": {"paths": {"api": ""}}}, "west": {"enabled": False}}
    parent = umbrella(tmp_path / "parent", chart_copy, "north", "south", "west", **values)
    rendered = chart(folder=parent, release="r")
    assert {each["metadata"]["name"] for each in rendered.of_kind("Service")} == {"r-north", "r-south"}
    assert {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in rendered.objects} == {"north", "south"}
    assert {
        each["spec"]["rules"][0]["host"]: len(each["spec"]["rules"][0]["http"]["paths"])
        for each in rendered.of_kind("Ingress")
    } == {"r-north.localhost": 3, "r-south.localhost": 2}
