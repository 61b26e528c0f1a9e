"""A mistake in a values file or a template: one sentence with file, line, key and way out, from either Helm."""

import re
from pathlib import Path

import pytest

from chatctl.errors import ChartError, ChatctlError, UserError
from chatctl.render import Request, render
from chatctl.toolchain import tool_path

from ..conftest import chatctl
from .view import edit

MISTAKES = {
    "typo in a key": (
        "replicaCount: 1\ningress:\n  pathz: {ws: /x}\n",
        "{file}:3: ingress.pathz: not allowed; the keys here are annotations, className, controller, enabled, hosts, "
        "paths, routes, tls.",
    ),
    "path without slash": (
        "ingress:\n  paths:\n    ws: wss\n",
        "{file}:3: ingress.paths.ws: 'wss' does not fit. A path: it starts with / and has no trailing slash, wildcard, "
        'regular expression, query or dot segment; "" removes the route.',
    ),
    "wrong type": (
        "ports: {web: '3000'}\n",
        "{file}:1: ports.web: got string, want integer. A TCP port; 0 removes it.",
    ),
    "null for a map that is needed": (
        "image: {tag: x}\ningress:\n",
        "{file}:2: ingress: missing (null removes a key); give it a value.",
    ),
    "port that nothing serves": (
        "ingress: {paths: {auth: /auth}}\n",
        "{file}:1: ingress.paths.auth: there is no port auth; add ports.auth, name another in "
        'ingress.routes.auth.port, or remove the route with "".',
    ),
    "mistake between keys, in one file": (
        "ports: {api: 0}\n",
        "{file}: ingress.paths.api: there is no port api; add ports.api, name another in ingress.routes.api.port, "
        'or remove the route with "".',
    ),
    "key twice": (
        "ingress:\n  paths:\n    ws: /a\n    api: /b\n    ws: /c\n",
        "{file}:5: the key ws is there twice, first in line 3, and Helm would take the last without a word; keep one.",
    ),
    "not YAML": (
        "a: [\nb: 1",
        "{file}:2: not YAML, did not find expected ',' or ']'; correct it.",
    ),
    "not YAML, without a line": (
        "a: \x07",
        '{file}: not YAML, unacceptable character #x0007: control characters are not allowed in "<unicode string>", '
        "position 3; correct it.",
    ),
    "two documents": (
        "a: 1\n---\nb: 1\n",
        "{file}: 2 YAML documents, of which Helm would read one; make it one.",
    ),
    "no map": ("[1, 2]", "{file}: no map of keys and values; write it like values.yaml."),
    "template that does not parse": (
        'ingress:\n  hosts: ["{{ .Release.Name"]\n',
        "{file}:2: ingress.hosts: the template {{ .Release.Name fails: unclosed action; correct it, or give a default: "
        '{{ (.Values.a).b | default "c" }}.',
    ),
    "template that fails": (
        'ingress: {tls: [{hosts: ["{{ .Values.a.b }}"]}]}',
        "{file}:1: ingress.tls: the template {{ .Values.a.b }} fails: nil pointer evaluating interface {}.b; correct "
        'it, or give a default: {{ (.Values.a).b | default "c" }}.',
    ),
    "template that refuses": (
        """ingress: {hosts: ['{{ required "name a host" .Values.global.host }}']}""",
        "The values are refused: name a host; correct them.",
    ),
}


@pytest.mark.parametrize("program", ["helm", "helm3"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_values_file_is_named(mistake: str, program: str, chart_copy: Path, tmp_path: Path) -> None:
    text, sentence = MISTAKES[mistake]
    file = tmp_path / "values.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as refusal:
        render(Request(tool_path(program), chart_copy, (file,)))
    assert str(refusal.value) == sentence.replace("{file}", str(file))


def test_each_mistake_is_shown_in_the_file_that_makes_it(helm: Path, chart_copy: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("imagePullSecrets:\n  - name: ok\n  - names: wrong\n")
    second.write_text("replicaCount: many\n")
    with pytest.raises(UserError) as refusal:
        render(Request(helm, chart_copy, (first, second)))
    lines = str(refusal.value).splitlines()
    assert lines[0] == "3 values are refused:"
    assert lines[1].strip().startswith(f"{first}:3: imagePullSecrets[1].name: missing")
    assert lines[2].strip().startswith(f"{first}:3: imagePullSecrets[1].names: not allowed")
    assert lines[3].strip().startswith(f"{second}:1: replicaCount: got string")


def test_values_file_that_is_not_there_is_named(helm: Path, chart_copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    with pytest.raises(UserError, match=r"nowhere\.yaml: there is no such values file; correct the path\."):
        render(Request(helm, chart_copy, (file,)))


@pytest.mark.parametrize(("content", "reason"), [(None, "Is a directory"), (b"\xff\xfe", "not text in UTF-8")])
def test_values_file_that_cannot_be_read_is_named(
    helm: Path, chart_copy: Path, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "values.yaml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(UserError, match=rf"values\.yaml: this values file can't be read \(.*{reason}\); correct it"):
        render(Request(helm, chart_copy, (file,)))


@pytest.mark.parametrize("program", ["helm", "helm3"])
@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "templates/service.yaml",
            "annotations) $wanted }}",
            "annotations) $wanted }",
            'templates/service.yaml:9: unexpected "}" in operand; correct the template.',
        ),
        (
            "templates/ingress.yaml",
            ".Values.ingress.className",
            ".Values.ingres.className",
            "templates/ingress.yaml:17: nil pointer evaluating interface {}.className; correct the template.",
        ),
        (
            "templates/_labels.tpl",
            'include "chatapp.labels.selector" .',
            'include "chatapp.labels.selectr" .',
            'templates/_labels.tpl:15: no template "chatapp.labels.selectr" associated with template "gotpl" (called '
            "from templates/tests/handshake.yaml:9); correct the template.",
        ),
        (
            "templates/_names.tpl",
            ".Values.nameOverride",
            ".Values.a.b",
            "templates/_names.tpl:15: nil pointer evaluating interface {}.b (called from "
            "templates/zz-validation/validation.yaml:8); correct the template.",
        ),
        (
            "templates/service.yaml",
            "spec:\n",
            " spec:\n",
            "templates/service.yaml: does not render to an object, line 13 of its output: did not find expected key; ",
        ),
        (
            "templates/service.yaml",
            "apiVersion: v1\n",
            "- apiVersion: v1\n---\n",
            "templates/service.yaml: does not render to an object, it is no object with apiVersion and kind; correct ",
        ),
        (
            "templates/configmap.yaml",
            "{{- end }}",
            "",
            "templates/configmap.yaml:12: unexpected EOF; correct the template.",
        ),
        (
            "values.schema.json",
            '"type": "object"',
            '"type": "objekt"',
            "values.schema.json: no valid JSON Schema, ",
        ),
        ("values.yaml", "global: {}", "global: {", "values.yaml: not YAML, line "),
        ("Chart.yaml", "version: 0.2.0", "version: one", 'version "one" is invalid'),
    ],
)
def test_mistake_in_the_chart_is_named(
    program: str, file: str, old: str, new: str, sentence: str, chart_copy: Path
) -> None:
    edit(chart_copy / file, old, new)
    with pytest.raises(ChartError) as failure:
        render(Request(tool_path(program), chart_copy))
    assert str(failure.value).startswith(f"{chart_copy}")
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


def test_document_with_a_key_twice_is_named(helm: Path, chart_copy: Path) -> None:
    (chart_copy / "templates" / "broken.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(ChartError) as failure:
        _ = render(Request(helm, chart_copy)).objects
    assert str(failure.value) == (
        "templates/broken.yaml: renders to YAML that Kubernetes does not take, duplicate key 'a' at 'a: 2'; "
        "correct the template."
    )


def test_helm_that_is_broken_itself_is_the_tools_own_trouble(chart_copy: Path, tmp_path: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\necho 'Error: out of memory' >&2\nexit 1\n")
    helm.chmod(0o755)
    with pytest.raises(ChatctlError, match=r"Helm could not render .*: out of memory") as failure:
        render(Request(helm, chart_copy))
    assert failure.value.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--release", "Chat"], "'Chat' cannot name a release; use up to 53 lower-case letters"),
        (["--set", "a={b"], "--set: .*; write it like --set ingress.paths.ws=/wss."),
        (["--set", "ingress.pathz=x"], "ingress.pathz: not allowed; the keys here are annotations"),
        (["--set", "ingress=null"], "ingress: missing (null removes a key); give it a value."),
        (["--chart", "/nowhere"], "/nowhere: there is no chart here (no Chart.yaml)"),
        (["--helm", "2"], "Invalid value for '--helm'"),
    ],
)
@pytest.mark.parametrize("helm", ["3", "4"])
def test_mistake_on_the_command_line_is_one_sentence(arguments: list[str], sentence: str, helm: str) -> None:
    done = chatctl("render", "--helm", helm, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.match("chatctl: " + re.escape(sentence).replace(r"\.\*", ".*"), done.stderr)
    assert len(done.stderr.splitlines()) == 1
