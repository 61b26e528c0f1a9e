"""Mistakes to make in a copy of the chart, as firings.yaml and mistakes.yaml describe them."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chatctl.check.run import AnyRule, every_rule

from .view import edit

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Mistake:
    """An edit of the chart, the values it shows with, and what the check says of it.

    `shows` is a part of "object path" in a finding of `rule`, `says` a part of its sentence.
    """

    rule: str
    shows: str
    says: str = ""
    name: str = ""
    edits: list[dict[str, str]] = field(default_factory=list)
    added: str = ""
    extra: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def make(self, chart: Path) -> None:
        """Edit the chart in this folder: a template that is added, one from `extra/`, texts that are replaced."""
        if self.added:
            (chart / "templates/added.yaml").write_text(self.added)
        if self.extra:
            shutil.copy(HERE / "extra" / self.extra, chart / "templates")
        for each in self.edits:
            edit(chart / each["in"], each["replace"], each["by"])

    def __str__(self) -> str:
        return self.name or f"{self.rule}: {self.shows}"


def only(rule: str) -> list[AnyRule]:
    """The rule of that id."""
    return [each for each in every_rule() if each.id == rule]


def mistakes(file: str) -> list[Mistake]:
    """Read a list of mistakes; one edit stands in the entry itself, several under `edits`."""
    return [_mistake(entry) for entry in yaml.safe_load((HERE / file).read_text())]


def _mistake(entry: dict[str, Any]) -> Mistake:
    edits = entry.get("edits", [])
    if "in" in entry:
        edits = [{key: entry[key] for key in ("in", "replace", "by")}]
    rest = {key: entry[key] for key in ("rule", "shows", "says", "name", "values") if key in entry}
    return Mistake(**rest, edits=edits, added=entry.get("add", ""), extra=entry.get("with", ""))
