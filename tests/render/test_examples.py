"""The examples are values that the chart takes, and nothing is found in them."""

from pathlib import Path

import pytest

from chatctl.check.cases import ValueSet
from chatctl.check.run import check, rules_on_values
from chatctl.console import Steps
from chatctl.paths import repository

from .view import CHART, RenderChart

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


def test_every_row_that_names_an_example_has_one() -> None:
    text = (CHART / "files/controllers.yaml").read_text()
    named = {word.strip(".,") for word in text.split() if word.startswith("examples/controllers/")}
    assert named
    for pattern in named:
        assert list(repository().glob(pattern)), pattern
