"""`chatctl check` as people and machines meet it: exit code, table, JSON, progress."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatctl import toolchain
from chatctl.check import cases, run
from chatctl.check.cases import ValueSet
from chatctl.console import Steps
from chatctl.errors import ToolError

from ..conftest import chatctl
from .edits import only
from .view import VALUE_SETS, edit

DEFAULTS = cases.value_sets(cases.chart_folder(None))[1]

EVERYTHING = DEFAULTS.files[0].parent / "everything-values.yaml"


def as_json(*arguments: object, code: int = 0) -> Any:
    done = chatctl("check", "--format", "json", *arguments)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_nothing_is_found_in_any_value_set_of_the_repository() -> None:
    report = as_json()
    assert report["findings"] == []
    assert report["unchecked"] == []
    assert report["format"] == 1
    assert report["kubernetes"] == [f"1.{minor}" for minor in range(30, 38)]
    assert {each["name"] for each in report["valueSets"]} == {f"{file.parent.name}/{file.name}" for file in VALUE_SETS}
    assert report["renders"] > 8 * len(VALUE_SETS)
    assert {"id", "reason", "source"} == set(report["rules"][0])


def test_table_of_a_chart_without_findings_says_what_was_checked(tmp_path: Path) -> None:
    values = tmp_path / "mine.yaml"
    values.write_text("{}\n")
    done = chatctl("check", "-f", values, "--kube", "1.34")
    assert done.returncode == 0
    assert re.search(rf"{re.escape(str(values))}\s+6", done.stdout)
    assert re.search(r"No findings: 1 value set, \d+ rules, Helm 3 and 4, Kubernetes 1\.34, \d+ renders\.", done.stdout)
    assert "Checking" in done.stderr
    assert "\x1b" not in done.stdout


def test_finding_names_object_field_template_rule_and_reason(chart_copy: Path) -> None:
    edit(chart_copy / "templates/service.yaml", "targetPort: {{ $name | quote }}", "targetPort: 5000")
    done = chatctl("check", "--chart", chart_copy)
    assert done.returncode == 1
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [words[0] for words in lines[3:7]] == [
        "Service/chatapp",
        "spec.ports[0].targetPort",
        "templates/service.yaml",
        "with",
    ]
    assert "target-port  targetPort 5000 is no port of Deployment/chatapp, whose containers have" in done.stdout
    assert "use a container port's name." in done.stdout
    assert re.search(r"… and \d+ more like it\.", done.stdout)
    assert "Why: a Service port that no container listens on refuses every connection" in done.stdout
    assert re.search(r"^\d+ findings: ", done.stdout, re.MULTILINE)


def test_json_has_each_finding(chart_copy: Path) -> None:
    edit(chart_copy / "templates/service.yaml", "targetPort: {{ $name | quote }}", "targetPort: 5000")
    found = as_json("--chart", chart_copy, "-f", EVERYTHING, code=1)["findings"]
    assert {each["path"] for each in found if each["rule"] == "target-port"} == {
        f"spec.ports[{index}].targetPort" for index in range(4)
    }
    first = found[0]
    assert set(first) == {"rule", "object", "template", "path", "wrong", "mend", "valueSets", "reason"}
    assert first["template"] == "templates/service.yaml"


def test_files_are_merged_in_their_order(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("ingress: {enabled: false, hosts: [chat.example.com]}\n")
    second.write_text("ingress: {enabled: true}\n")
    (checked,) = as_json("-f", first, "-f", second)["valueSets"]
    assert checked == {"name": f"{first} + {second}", "objects": 6}
    (checked,) = as_json("-f", second, "-f", first)["valueSets"]
    assert checked == {"name": f"{second} + {first}", "objects": 5}


def test_refused_values_are_one_sentence_for_people_and_a_finding_for_machines(tmp_path: Path) -> None:
    values = tmp_path / "mine.yaml"
    values.write_text("ingress:\n  paths: {ws: wss}\n")
    done = chatctl("check", "-f", values)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"chatctl: {values}:2: ingress.paths.ws: 'wss' does not fit. A path: it starts with /" in done.stderr
    (found,) = as_json("-f", values, code=1)["findings"]
    assert (found["rule"], found["object"], found["valueSets"]) == ("renders", str(values), [str(values)])
    assert found["wrong"].startswith(f"{values}:2: ingress.paths.ws")


def test_broken_template_is_one_finding_and_no_more(chart_copy: Path) -> None:
    edit(chart_copy / "templates/service.yaml", "$wanted }}", "$wanted }")
    (found,) = as_json("--chart", chart_copy, code=1)["findings"]
    assert found["rule"] == "renders"
    assert found["object"] == "chart"
    assert found["wrong"].startswith(f"{chart_copy}/templates/service.yaml:9: unexpected")
    assert len(found["valueSets"]) == len(VALUE_SETS)


def test_defaults_that_are_refused_are_the_charts_mistake(chart_copy: Path) -> None:
    edit(chart_copy / "values.yaml", "replicaCount: 1", "replicaCount: 2")
    report = run.check(chart_copy, [DEFAULTS], ["1.37"], Steps(), run.every_rule())
    (found,) = report.findings
    assert (found.rule, found.object) == ("renders", "chart")
    assert "replicaCount: 2 pods would not hear each other" in found.wrong


def test_chance_is_found_and_drowns_nothing_else(chart_copy: Path) -> None:
    edit(chart_copy / "templates/service.yaml", "  type:", "  sessionAffinity: {{ randAlpha 5 }}\n  type:")
    report = run.check(chart_copy, [DEFAULTS], ["1.37"], Steps(), run.every_rule())
    assert [(found.rule, found.object) for found in report.findings] == [
        ("deterministic", "Service/chatapp"),
        ("no-lookup", "templates/service.yaml:14"),
    ]


def test_what_breaks_in_a_copy_is_shown_in_the_chart_itself(chart_copy: Path) -> None:
    edit(
        chart_copy / "templates/service.yaml",
        "apiVersion: v1",
        'apiVersion: v1{{ if eq .Chart.Version "99.9.9" }}{{ .Values.a.b }}{{ end }}',
    )
    report = run.check(chart_copy, [DEFAULTS], ["1.37"], Steps(), only("version-bump"))
    (found,) = report.findings
    assert found.wrong.startswith(f"{chart_copy}/templates/service.yaml:1: nil pointer")


def test_packaged_chart_without_value_sets_takes_the_repositorys(chart_copy: Path) -> None:
    for file in chart_copy.glob("ci/*"):
        file.unlink()
    assert [each.files[0] for each in cases.value_sets(chart_copy)] == VALUE_SETS
    report = run.check(chart_copy, [DEFAULTS], ["1.37"], Steps(), run.every_rule())
    assert report.findings == []


def test_users_own_values_are_not_held_up_by_the_charts_rules(chart_copy: Path) -> None:
    assert "key-used" not in {rule["id"] for rule in as_json("-f", EVERYTHING)["rules"]}
    assert "key-used" in {rule["id"] for rule in as_json("-f", EVERYTHING, "--chart", chart_copy)["rules"]}


def test_objects_without_a_schema_are_said_to_be_unchecked(chart_copy: Path, tmp_path: Path) -> None:
    (chart_copy / "templates/monitor.yaml").write_text(
        "apiVersion: example.com/v1\nkind: Meter\nmetadata:\n"
        '  name: {{ include "chatapp.fullname" . }}\n  namespace: {{ .Release.Namespace }}\n'
        '  labels: {{- include "chatapp.labels" (list . "app") | nindent 4 }}\n'
    )
    values = tmp_path / "mine.yaml"
    values.write_text("{}\n")
    done = chatctl("check", "--chart", chart_copy, "-f", values)
    assert "No schema for Meter example.com/v1: only the invariants were applied" in done.stdout


def test_helm_that_fails_is_no_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chart_copy: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\necho 'Error: no space left on device' >&2\nexit 1\n")
    helm.chmod(0o755)
    monkeypatch.setattr(toolchain, "ensure", lambda *_: {"helm": helm, "helm3": helm})
    with pytest.raises(ToolError, match="no space left on device"):
        run.check(chart_copy, [ValueSet("defaults", ())], ["1.37"], Steps(), run.every_rule())


@pytest.mark.parametrize("versions", ["1.29", "1.38", "1.30..1.38", "1.37..1.30", "2.30", "latest", "1.30..x"])
def test_unknown_kubernetes_version_is_named(versions: str) -> None:
    done = chatctl("check", "--kube", versions)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"chatctl: --kube: '{versions}' names no Kubernetes versions that can be checked; write 1.37, or a range in "
        "1.30..1.37."
    )


def test_folder_without_a_chart_is_named(tmp_path: Path) -> None:
    done = chatctl("check", "--chart", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"chatctl: {tmp_path}: there is no chart here (no Chart.yaml); name a chart's folder with --chart."
    )


@pytest.mark.parametrize("helm", ["3", "4"])
def test_render_prints_what_helm_prints(helm: str, tmp_path: Path) -> None:
    values = tmp_path / "mine.yaml"
    values.write_text("ingress: {hosts: [file.example.com]}\n")
    done = chatctl(
        "render", "--helm", helm, "-f", values, "--set", "ingress.className=x", "--release", "other", "-n", "talk"
    )
    assert done.returncode == 0
    assert done.stdout.startswith("---\n# Source: chatapp/templates/serviceaccount.yaml\n")
    for text in ('host: "file.example.com"', 'ingressClassName: "x"', 'name: "other-chatapp"', 'namespace: "talk"'):
        assert text in done.stdout
    assert "helm.sh/hook: test" in done.stdout
