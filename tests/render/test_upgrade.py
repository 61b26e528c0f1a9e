"""An upgrade from the last release: nothing that is fixed changes, and no pod restarts without a reason."""

import re
from pathlib import Path

import pytest
import yaml

from chatctl import upgrade
from chatctl.paths import repository

from .view import CHART, edit

BASELINES = upgrade.baselines()
RESTARTS = yaml.safe_load((repository() / "tests/release/restarts.yaml").read_text())
EVERY_SET = pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)


def is_explained(line: str) -> bool:
    return any(f" {each['change']}: " in line for each in RESTARTS)


@EVERY_SET
def test_nothing_changes_that_the_api_server_keeps_as_it_is(baseline: upgrade.Baseline) -> None:
    assert [line for line in upgrade.changes(baseline, CHART) if upgrade.FIXED.match(line)] == []


@EVERY_SET
def test_no_pod_restarts_without_a_reason(baseline: upgrade.Baseline) -> None:
    lines = [line for line in upgrade.changes(baseline, CHART) if upgrade.POD.match(line)]
    assert [line for line in lines if not is_explained(line)] == []


def test_every_reason_is_still_one() -> None:
    lines = [line for baseline in BASELINES for line in upgrade.changes(baseline, CHART) if upgrade.POD.match(line)]
    for each in RESTARTS:
        assert any(f" {each['change']}: " in line for line in lines), each
        assert each["reason"]


@pytest.mark.parametrize(
    ("template", "old", "new", "seen"),
    [
        ("_labels.tpl", '"app.kubernetes.io/component" (last .)', '"app.kubernetes.io/part" (last .)', upgrade.FIXED),
        ("deployment.yaml", "enableServiceLinks: false", "enableServiceLinks: true", upgrade.POD),
        ("_labels.tpl", "$root.Release.Service }}", '"x" "helm.sh/chart" $root.Chart.Version }}', upgrade.POD),
    ],
)
def test_a_change_is_seen(chart_copy: Path, template: str, old: str, new: str, seen: re.Pattern[str]) -> None:
    (default,) = (each for each in BASELINES if each.name == "default")
    before = upgrade.changes(default, chart_copy)
    edit(chart_copy / "templates" / template, old, new)
    found = set(upgrade.changes(default, chart_copy)) - set(before)
    assert [line for line in found if seen.match(line) and not is_explained(line)]


def test_an_object_more_or_less_is_a_line(chart_copy: Path) -> None:
    (default,) = (each for each in BASELINES if each.name == "default")
    (chart_copy / "templates/serviceaccount.yaml").unlink()
    (chart_copy / "templates/more.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: more}}")
    found = upgrade.changes(default, chart_copy)
    assert "- ServiceAccount/chatapp" in found
    assert "+ ConfigMap/more" in found


def test_every_release_keeps_its_package() -> None:
    for folder in (path for path in (repository() / "tests/release").iterdir() if path.is_dir()):
        assert (folder / f"chatapp-{folder.name}.tgz").is_file()
        assert list(folder.glob("*-values.yaml"))
