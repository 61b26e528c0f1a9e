"""Every rule of `chatctl check` fires on an edit to a copy of the chart, and not before."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from chatctl.check.cases import ValueSet
from chatctl.check.run import Finding, check, every_rule
from chatctl.console import Steps

from .edits import Mistake, mistakes, only

FIRINGS = mistakes("firings.yaml")


def findings(chart: Path, values: Path, rule: str) -> Sequence[Finding]:
    return check(chart, [ValueSet("values", (values,))], ["1.30", "1.37"], Steps(), only(rule)).findings


@pytest.mark.parametrize("firing", FIRINGS, ids=str)
def test_rule_fires(firing: Mistake, chart_copy: Path, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(firing.values))
    firing.make(chart_copy)
    found = findings(chart_copy, values, firing.rule)
    assert {each.rule for each in found} == {firing.rule}
    said = [(f"{each.object} {each.path}", each.wrong) for each in found]
    assert [place for place, wrong in said if firing.shows in place and firing.says in wrong], said


def test_every_rule_has_a_firing() -> None:
    assert {rule.id for rule in every_rule()} == {firing.rule for firing in FIRINGS}


def test_every_rule_has_an_id_of_its_own_a_reason_and_a_source() -> None:
    rules = every_rule()
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.reason and rule.source and rule.summary for rule in rules)
