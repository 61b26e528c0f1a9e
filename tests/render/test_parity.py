"""What the library reads and merges itself is what Helm reads and merges."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatctl import kubeyaml, valuesfile
from chatctl.render import Request, as_yaml, render
from chatctl.toolchain import tool_path

from .view import VALUE_SETS

SCALARS = """
1e3 1E3 1.0 1.50 .5 5. -0 +1 0 00 08 014 0o14 0x1F 0b11 1_000 12:30 12:30:45 2020-01-01 2020-01-01T00:00:00Z
y Y n N yes no on off On OFF true True TRUE false t f ~ null Null NULL none 'yes' "1" '1e3' = < 9007199254740992
1.7976931348623157e308 0.1 1e-7 -5 +.5 0o8 0x 1__0 _1 a:b -- 1- e3 1e
"""
TEXT = "".join(f"s{index}: {scalar}\n" for index, scalar in enumerate(SCALARS.split())) + (
    "1: one\ntrue: yes\n'2': two\nmerged: {<<: {a: 1, b: 2}, b: 3}\nempty:\nlist: [y, 'y', 012]\n"
    "block: |\n  a\n  b\nfolded: >-\n  a\n  b\n"
)


def printed(helm: Path, chart: Path, expression: str, **request: Any) -> Any:
    """What Helm makes of an expression in a template of the chart."""
    (chart / "templates/probe.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: probe}\n"
        f"data:\n  json: {{{{ {expression} | toJson | quote }}}}\n"
    )
    objects = render(Request(helm, chart, **request)).objects
    return json.loads(next(each["data"]["json"] for each in objects if each["metadata"]["name"] == "probe"))


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_yaml_is_read_as_helm_reads_it(program: str, chart_copy: Path) -> None:
    (chart_copy / "files/scalars.yaml").write_text(TEXT)
    (ours,) = kubeyaml.load_all(TEXT)
    assert printed(tool_path(program), chart_copy, '.Files.Get "files/scalars.yaml" | fromYaml') == ours


@pytest.mark.parametrize("program", ["helm", "helm3"])
@pytest.mark.parametrize(
    "user",
    [
        *VALUE_SETS,
        {"ingress": {"paths": {"api": None, "auth": None}, "annotations": {"a": None, "b": {"c": None}}}},
        {"podSecurityContext": {"runAsUser": None, "seccompProfile": None}, "resources": None, "x-mine": None},
        {"ports": {"web": 1}, "extraEnv": [{"name": "A", "value": None}], "imagePullSecrets": []},
        {"global": {"a": {"b": 1}}, "runtimeConfig": {"extra": {"a": {"b": None}, "c": None}}},
    ],
    ids=str,
)
def test_values_are_merged_as_helm_merges_them(
    program: str, user: Path | dict[str, Any], chart_copy: Path, tmp_path: Path
) -> None:
    file = user if isinstance(user, Path) else tmp_path / "values.yaml"
    if isinstance(user, dict):
        file.write_text(as_yaml(user))
        (chart_copy / "values.schema.json").write_text("{}")
        for template in (chart_copy / "templates").rglob("*.yaml"):
            template.unlink()
    defaults = valuesfile.read(chart_copy / "values.yaml").values
    ours = valuesfile.coalesce(defaults, valuesfile.read(file).values)
    assert printed(tool_path(program), chart_copy, ".Values", values=(file,)) == ours


def test_later_files_win_and_null_in_them_removes_what_earlier_ones_set(chart_copy: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("ingress: {annotations: {a: b, c: d}, className: first}\nports: {metrics: 9090}\n")
    second.write_text("ingress: {annotations: {a: null}, className: null}\nports: {metrics: null}\n")
    (chart_copy / "values.schema.json").write_text("{}")
    for template in (chart_copy / "templates").rglob("*.yaml"):
        template.unlink()
    defaults = valuesfile.read(chart_copy / "values.yaml").values
    ours = valuesfile.coalesce(defaults, *(valuesfile.read(file).values for file in (first, second)))
    for program in ("helm", "helm3"):
        assert printed(tool_path(program), chart_copy, ".Values", values=(first, second)) == ours
