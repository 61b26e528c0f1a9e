"""The library itself: how it reads YAML, and what it says when Helm refuses."""

import os
from pathlib import Path

import pytest
import yaml

from chatctl import kubeyaml
from chatctl.errors import ToolError, UserError

from .view import RenderChart


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
        ("{1: a, true: b, ~: c}", {"1": "a", "true": "b", "null": "c"}),
        ("{<<: {a: 1}, b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_yaml_is_read_as_kubernetes_does(text: str, value: object) -> None:
    assert kubeyaml.load_all(text) == ([] if value is None else [value])


def test_stream_gives_its_documents() -> None:
    assert kubeyaml.load_all("---\n---\na: 1\n---\n# nothing\n---\n- b\n") == [{"a": 1}, ["b"]]


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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [\nb: 1", "{file}: not a values file in YAML, line 2: did not find expected ',' or ']'; correct it."),
        ("[1, 2]", "{file}: not a values file in YAML, it is no map of keys and values; correct it."),
        (
            'ingress: {hosts: ["{{ .Release.Name"]}',
            "ingress.hosts: the template {{ .Release.Name fails: unclosed action; correct it, or give a default: "
            '{{ (.Values.a).b | default "c" }}.',
        ),
        (
            'ingress: {tls: [{hosts: ["{{ .Values.a.b }}"]}]}',
            "ingress.tls: the template {{ .Values.a.b }} fails: nil pointer evaluating interface {}.b; correct it, or "
            'give a default: {{ (.Values.a).b | default "c" }}.',
        ),
        (
            """ingress: {hosts: ['{{ required "name a host" .Values.global.host }}']}""",
            "The values are refused: name a host; correct them.",
        ),
    ],
)
def test_unreadable_values_are_named(chart: RenderChart, tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as refusal:
        chart(file)
    assert str(refusal.value) == sentence.replace("{file}", str(file))


def test_missing_values_file_is_named(chart: RenderChart, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml: there is no such values file; correct the path\."):
        chart(tmp_path / "nowhere.yaml")


def test_wrong_release_name_is_named(chart: RenderChart) -> None:
    with pytest.raises(UserError, match="'Chat' cannot name a release; use up to 53 lower-case letters"):
        chart(release="Chat")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a: {{ .Values.nothing.more }}", "nil pointer evaluating interface {}.more"),
        ("a: 1\n b: 2", "mapping values are not allowed in this context"),
        ("a: 1\na: 2", "renders to something that is not YAML: duplicate key 'a'"),
    ],
)
def test_broken_chart_is_not_the_users_mistake(
    chart: RenderChart, chart_copy: Path, template: str, reason: str
) -> None:
    (chart_copy / "templates" / "broken.yaml").write_text(template)
    with pytest.raises(ToolError) as failure:
        chart(folder=chart_copy)
    assert reason in str(failure.value)
    assert "\n" not in str(failure.value)
