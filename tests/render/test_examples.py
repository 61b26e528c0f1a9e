"""The examples are values that the chart takes, and nothing is found in them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatctl.check.cases import ValueSet
from chatctl.check.run import check, rules_on_values
from chatctl.console import Steps
from chatctl.paths import repository

from .view import CHART, RenderChart

OWN_IMAGE = repository() / "examples/own-image"
ADOPTION = repository() / "examples/adoption"
CONTROLLERS = sorted((repository() / "examples/controllers").glob("*.yaml"))


@pytest.mark.parametrize("file", CONTROLLERS, ids=lambda file: file.stem)
def test_nothing_is_found_in_an_example(file: Path) -> None:
    report = check(CHART, [ValueSet(file.name, (file,))], ["1.30", "1.37"], Steps(), rules_on_values())
    assert report.findings == []
    assert report.unchecked, "the object that the controller wants is not there"


@pytest.mark.parametrize("file", CONTROLLERS, ids=lambda file: file.stem)
def test_what_the_controller_wants_is_the_releases_own(chart: RenderChart, file: Path) -> None:
    release = chart(file, namespace="talk")
    extra = [each for each in release.objects if each["metadata"]["labels"]["app.kubernetes.io/component"] == "extra"]
    assert extra
    assert {each["metadata"]["namespace"] for each in extra} == {"talk"}
    assert {each["metadata"]["name"] for each in extra} == {"chatapp"}


@pytest.mark.parametrize("folder", [OWN_IMAGE, ADOPTION], ids=lambda folder: folder.name)
def test_nothing_is_found_in_the_values_of_an_example(folder: Path) -> None:
    values = ValueSet(folder.name, (folder / "values.yaml",))
    report = check(CHART, [values], ["1.30", "1.37"], Steps(), rules_on_values())
    assert report.findings == []
    assert report.unchecked == []


def test_image_of_ones_own_and_its_values_agree(chart: RenderChart) -> None:
    """What nothing but the image knows: the number of nginx, the variables, the folder that is served."""
    release = chart(OWN_IMAGE / "values.yaml")
    text = {file.name: file.read_text() for file in OWN_IMAGE.iterdir() if file.is_file()}
    ports = {each["name"]: each["containerPort"] for each in release.container["ports"]}
    assert f"listen {ports['web']};" in text["nginx.conf"]
    assert f"EXPOSE {' '.join(str(ports[name]) for name in ('web', 'api', 'ws'))}" in text["Containerfile"]
    programs = text["api.py"] + text["chat.py"]
    assert set(release.env) == set(re.findall(r'os\.environ\S*?"([A-Z_]+)"', programs))
    mounts = [each["mountPath"] for each in release.container["volumeMounts"]]
    assert "/srv/www/env.js" in mounts
    assert (OWN_IMAGE / "www/env.js").is_file()


def test_old_ingress_and_the_switched_one_serve_what_the_charts_does(chart: RenderChart) -> None:
    release = chart(ADOPTION / "values.yaml")
    old, switched = (
        yaml.safe_load((ADOPTION / name).read_text()) for name in ("old/ingress.yaml", "switched-ingress.yaml")
    )
    assert old["metadata"]["name"] == switched["metadata"]["name"]
    assert reached(old).keys() == reached(switched).keys()
    assert reached(switched) == reached(release.the("Ingress"))


def reached(ingress: dict[str, Any]) -> dict[str, Any]:
    """Return the backend of each path of the Ingress's one host."""
    (rule,) = ingress["spec"]["rules"]
    return {f"{rule['host']}{each['path']}": each["backend"] for each in rule["http"]["paths"]}


def test_every_row_that_names_an_example_has_one() -> None:
    text = (CHART / "files/controllers.yaml").read_text()
    named = {word.strip(".,") for word in text.split() if word.startswith("examples/controllers/")}
    assert named
    for pattern in named:
        assert list(repository().glob(pattern)), pattern
