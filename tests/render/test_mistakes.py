"""What people do wrong when they edit a chart, `chatctl check` finds, and names the place."""

from pathlib import Path

import pytest
import yaml

from chatctl.check.cases import ValueSet
from chatctl.check.run import check
from chatctl.console import Steps

from .edits import Mistake, mistakes, only

MISTAKES = mistakes("mistakes.yaml")


def value_sets(mistake: Mistake, chart: Path, folder: Path) -> list[ValueSet]:
    """The values that the mistake shows with: its own, else the defaults and the set that sets every key."""
    files = [chart / "ci" / f"{name}-values.yaml" for name in ("default", "everything")]
    if mistake.values:
        files = [folder / "values.yaml"]
        files[0].write_text(yaml.safe_dump(mistake.values))
    return [ValueSet(file.name, (file,)) for file in files]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_mistake_is_found(mistake: Mistake, chart_copy: Path, tmp_path: Path) -> None:
    mistake.make(chart_copy)
    sets = value_sets(mistake, chart_copy, tmp_path)
    report = check(chart_copy, sets, ["1.30", "1.37"], Steps(), only(mistake.rule))
    said = [
        (f"{each.object} {each.path}", each.wrong) for each in report.findings if each.rule in (mistake.rule, "renders")
    ]
    assert [place for place, wrong in said if mistake.shows in place and mistake.says in wrong], said


def test_there_are_enough_mistakes_and_each_is_made_once() -> None:
    assert len(MISTAKES) >= 40
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)
    assert all(mistake.name and mistake.shows for mistake in MISTAKES)
