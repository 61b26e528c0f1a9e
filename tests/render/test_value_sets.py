"""What `chatctl check` leaves out: Helm's own lint, each controller's row, two value sets in one parent chart."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatctl import kubeyaml
from chatctl.check.cases import ValueSet
from chatctl.check.run import check, rules_on_values
from chatctl.console import Steps
from chatctl.render import Request, client_env, render
from chatctl.toolchain import tool_path

from .test_reach import GATEWAY, ROWS
from .view import CHART, VALUE_SETS, umbrella

ALIASES = ("base-path", "own-image")
EITHER_HELM = pytest.mark.parametrize("helm", ["helm", "helm3"])


def lint(helm: str, chart: Path, *files: Path) -> None:
    argv = [str(tool_path(helm)), "lint", "--strict", str(chart), *(f"--values={file}" for file in files)]
    done = subprocess.run(argv, capture_output=True, text=True, env=client_env(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout


@EITHER_HELM
@pytest.mark.parametrize("file", VALUE_SETS, ids=lambda file: file.stem)
def test_helm_lints_strictly(helm: str, file: Path) -> None:
    lint(helm, CHART, file)


@pytest.mark.parametrize("controller", ROWS)
def test_nothing_is_found_with_a_controller(tmp_path: Path, controller: str) -> None:
    file = tmp_path / f"{controller}.yaml"
    values: dict[str, Any] = {"ingress": {"controller": controller}, "httpRoute": GATEWAY | {"controller": controller}}
    file.write_text(yaml.safe_dump(values))
    report = check(CHART, [ValueSet(controller, (file,))], ["1.30", "1.37"], Steps(), rules_on_values())
    assert report.findings == []
    assert report.requests
    lint("helm", CHART, file)


@EITHER_HELM
def test_two_value_sets_stand_in_one_parent_chart(helm: str, chart_copy: Path, tmp_path: Path) -> None:
    sets = {alias: kubeyaml.load_all((CHART / f"ci/{alias}-values.yaml").read_text())[0] for alias in ALIASES}
    parent = umbrella(tmp_path / "parent", chart_copy, *ALIASES, **sets)
    together = render(Request(tool_path(helm), parent, release="r")).objects
    for alias in ALIASES:
        alone = render(Request(tool_path(helm), CHART, (CHART / f"ci/{alias}-values.yaml",), release="r")).objects
        mine = [each for each in together if each["metadata"]["labels"]["app.kubernetes.io/name"] == alias]
        assert len(mine) == len(alone) > 1
        # An alias takes the chart's place in names and labels, and nothing else is different.
        assert {yaml.safe_dump(each).replace(alias, "chatapp") for each in mine} == set(map(yaml.safe_dump, alone))
    lint(helm, parent)
