"""The documents say what is true now."""

import json
import re
from pathlib import Path

import pytest

from chatctl import docs, kubeyaml, toolchain, valuesfile
from chatctl.check import report
from chatctl.check.chartcase import leaves
from chatctl.check.model import Object
from chatctl.check.run import Finding, Report, every_rule
from chatctl.check.schemas import Schemas
from chatctl.console import Steps
from chatctl.paths import repository

GITOPS = sorted(path for name in ("argo-cd", "flux") for path in (repository() / "examples" / name).glob("*.yaml"))
PAGES = sorted(
    page
    for pattern in ("*.md", "chart/*.md", "app/*.md", "docs/*.md", "examples/**/*.md")
    for page in repository().glob(pattern)
)


def test_generated_parts_are_up_to_date() -> None:
    for file, text in docs.generated().items():
        assert file.read_text() == text, f"{file.name} is out of date; run `make docs`"


def test_generated_parts_are_there() -> None:
    assert all(f"| `{rule.id}` |" in docs.rules() for rule in every_rule())
    pages = {file.name: text for file, text in docs.generated().items()}
    assert docs.rules() in pages["check.md"]
    assert docs.values(repository() / "chart") in pages["README.md"]
    assert "Deployment/chatapp" in pages["upgrade.txt"]


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


def test_every_key_of_the_values_is_documented() -> None:
    text = (repository() / "chart/README.md").read_text()
    keys = list(leaves(valuesfile.read(repository() / "chart/values.yaml").values))
    rows = set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE))
    assert [
        ".".join(key) for key in keys if not {".".join(key[:length]) for length in range(1, len(key) + 1)} & rows
    ] == []


@pytest.mark.parametrize("file", GITOPS, ids=lambda file: file.parent.name)
def test_gitops_example_fits_the_schema_of_its_controller(file: Path) -> None:
    schemas = Schemas(["1.37"], lambda group: toolchain.crds(group, Steps()))
    objects = [Object(data) for data in kubeyaml.load_all(file.read_text())]
    assert objects
    for each in objects:
        assert schemas.knows(each)
        assert [(fault.path, fault.wrong) for fault in schemas.faults(each)] == []
    broken = Object({**objects[-1].data, "spec": {**objects[-1].spec, "intervall": "5m"}})
    assert list(schemas.faults(broken))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(repository())))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> list[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = [line.lstrip("# ").lower() for line in page.read_text().splitlines() if line.startswith("#")]
    return [re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings]


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
