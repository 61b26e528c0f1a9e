"""The documents say what is true now."""

import json
import re

from chatctl import docs
from chatctl.check import report
from chatctl.check.run import Finding, Report, every_rule
from chatctl.paths import repository


def test_generated_parts_are_up_to_date() -> None:
    for file, text in docs.generated().items():
        assert file.read_text() == text, f"{file.name} is out of date; run `make docs`"


def test_generated_parts_are_there() -> None:
    text = next(iter(docs.generated().values()))
    assert all(f"| `{rule.id}` |" in text for rule in every_rule())


def test_what_catches_a_known_defect_exists() -> None:
    rules = {rule.id for rule in every_rule()}
    tests = {
        name
        for file in (repository() / "tests").rglob("*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    rows = [
        line.split("|")[1:-1] for line in (repository() / "docs/defects.md").read_text().splitlines() if "| " in line
    ]
    numbers = [row[0].strip() for row in rows[2:]]
    assert numbers == [str(number) for number in range(1, 26)]
    for number, _, _, *catching in rows[2:]:
        named = [set(re.findall(r"`([^`]+)`", column)) for column in catching]
        assert any(named), number
        assert named[0] <= rules, number
        assert named[1] <= tests, number


def test_json_is_as_documented() -> None:
    page = (repository() / "docs/check.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    finding = Finding("target-port", "Service/chatapp", "templates/service.yaml", "spec", "wrong", "mend", ("prod",))
    real = json.loads(report.as_json(Report(["1.37"], every_rule(), [("prod", 6)], [finding], [], [])))
    documented = json.loads(example)
    assert documented.keys() == real.keys()
    assert documented["findings"][0].keys() == real["findings"][0].keys()
    assert documented["rules"][0].keys() == real["rules"][0].keys()
    assert documented["valueSets"][0].keys() == real["valueSets"][0].keys()
    assert documented["format"] == real["format"]
