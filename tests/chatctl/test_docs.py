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
