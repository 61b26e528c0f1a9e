"""What `chatctl check` prints: a table for people, JSON for machines (docs/check.md describes it)."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chatctl.check.run import Finding, Report, every_rule

FORMAT = 1
"""The version of the JSON; it grows when a field changes its meaning or goes."""


def as_json(report: Report) -> str:
    """Return the report as JSON."""
    return json.dumps(
        {
            "format": FORMAT,
            "kubernetes": report.kubernetes,
            "valueSets": [{"name": name, "objects": objects} for name, objects in report.value_sets],
            "rules": [{"id": rule.id, "reason": rule.reason, "source": rule.source} for rule in every_rule()],
            "findings": [
                {"valueSets": each.pop("value_sets"), **each} for each in (asdict(found) for found in report.findings)
            ],
            "unchecked": report.unchecked,
            "renders": len(report.requests),
        },
        indent=2,
        ensure_ascii=False,
    )


def print_table(report: Report, console: Console) -> None:
    """Print the findings, each with its place, its rule and the way out, and a summary."""
    if report.findings:
        table = Table("where", "what is wrong, and the way out", "rule", "in", show_lines=console.is_terminal)
        table.columns[2].no_wrap = True
        for found in report.findings:
            where = "\n".join(filter(None, [found.object, found.path, found.template]))
            sentence = f"{found.wrong}; {found.mend}." if found.mend else found.wrong
            table.add_row(escape(where), escape(sentence), found.rule, escape(_which(found, report)))
        console.print(table)
    else:
        table = Table("value set", "objects")
        table.columns[1].justify = "right"
        for name, objects in report.value_sets:
            table.add_row(escape(name), str(objects))
        console.print(table)
    for kind in report.unchecked:
        console.print(f"No schema for {escape(kind)}: only the invariants were applied to it.", style="yellow")
    console.print(_summary(report), style="bold red" if report.findings else "bold green")


def _summary(report: Report) -> str:
    count = len(report.findings)
    versions = report.kubernetes
    against = versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"
    return (
        f"{count or 'No'} finding{'' if count == 1 else 's'}: {_counted(report.value_sets, 'value set')}, "
        f"{_counted(every_rule(), 'rule')}, Helm 3 and 4, Kubernetes {against}, {len(report.requests)} renders."
    )


def _counted(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _which(found: Finding, report: Report) -> str:
    """Say in which value sets a finding shows, in few words."""
    if not found.value_sets:
        return "the chart"
    if len(found.value_sets) == len(report.value_sets) > 1:
        return "all value sets"
    more = len(found.value_sets) - 3
    return ", ".join(found.value_sets[:3]) + (f" and {more} more" if more > 0 else "")
