"""The library itself: how it reads YAML, and what it asks Helm."""

import os
from pathlib import Path

import pytest
import yaml

from chatctl import kubeyaml
from chatctl.errors import ChartError
from chatctl.render import Request, as_yaml, render
from chatctl.toolchain import tool_path

from .view import CHART, RenderChart


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000),
        ("0o14", 12),
        ("014", 12),
        ("0x1F", 31),
        ("1_000", 1000),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("0.50", 0.5),
        ("1.10", 1.1),
        ("yes", True),
        ("n", False),
        ("~", None),
        ("'yes'", "yes"),
        ("=", "="),
        ("{1: a, true: b}", {"1": "a", "true": "b"}),
        ("{<<: {a: 1}, b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_yaml_is_read_as_kubernetes_does(text: str, value: object) -> None:
    assert kubeyaml.load_all(text) == ([] if value is None else [value])


def test_lines_are_known_of_keys_and_entries() -> None:
    assert kubeyaml.lines("a:\n  b: [1,\n 2]\n  c: x\n") == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", "0"): 2,
        ("a", "b", "1"): 3,
        ("a", "c"): 4,
    }


def test_stream_gives_its_documents() -> None:
    assert kubeyaml.load_all("---\n---\na: 1\n---\n# nothing\n---\n- b\n") == [{"a": 1}, ["b"]]


def test_null_is_no_key() -> None:
    with pytest.raises(yaml.YAMLError, match="a key is null"):
        kubeyaml.load_all("{~: a}")


def test_key_given_twice_is_an_error() -> None:
    with pytest.raises(yaml.YAMLError, match="duplicate key 'a'"):
        kubeyaml.load_all("a: 1\nb: 2\na: 3\n")


def test_later_values_win(chart: RenderChart, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("ingress: {hosts: [first.example.com]}\nreplicaCount: 0\n")
    second.write_text("ingress: {hosts: [second.example.com], className: second}\n")
    release = chart(first, second, ingress={"className": "third"})
    assert list(release.rules) == ["second.example.com"]
    assert release.the("Ingress")["spec"]["ingressClassName"] == "third"
    assert release.the("Deployment")["spec"]["replicas"] == 0


def test_users_helm_settings_are_not_read(chart: RenderChart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HELM_NAMESPACE", "theirs")
    monkeypatch.setitem(os.environ, "HELM_DEBUG", "true")
    assert chart().the("Service")["metadata"]["namespace"] == "default"


def test_documents_know_their_templates(helm: Path) -> None:
    documents = render(Request(helm, CHART)).documents
    kinds = {document.template: document.load()["kind"] for document in documents}
    assert kinds["chatapp/templates/service.yaml"] == "Service"
    assert kinds["chatapp/templates/tests/handshake.yaml"] == "Pod"


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_request_says_all_that_decides_the_output(program: str) -> None:
    request = Request(
        tool_path(program),
        CHART,
        release="other",
        namespace="talk",
        sets=("ingress.className=set",),
        overrides=as_yaml({"ingress": {"className": "file", "hosts": ["a.example.com"]}}),
        kube_version="1.31.0",
        api_versions=("x/v1",),
    )
    (ingress,) = (each for each in render(request).objects if each["kind"] == "Ingress")
    assert ingress["metadata"]["namespace"] == "talk"
    assert ingress["metadata"]["name"] == "other-chatapp"
    assert ingress["spec"]["ingressClassName"] == "set"
    assert ingress["spec"]["rules"][0]["host"] == "a.example.com"


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_cluster_that_is_too_old_is_refused(program: str) -> None:
    with pytest.raises(ChartError, match=r"requires kubeVersion: >=1\.30"):
        render(Request(tool_path(program), CHART, kube_version="1.29.0"))
