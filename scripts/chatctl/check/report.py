"""What `chatctl check` prints: a table for people, JSON for machines (docs/check.md describes both)."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chatctl.check.run import Finding, Report, every_rule

FORMAT = 1
"""The version of the JSON; it grows when a field changes its meaning or goes."""

REASONS = {rule.id: rule.reason for rule in every_rule()}


def as_json(report: Report) -> str:
    """Return the report as JSON."""
    return json.dumps(
        {
            "format": FORMAT,
            "kubernetes": report.kubernetes,
            "valueSets": [{"name": name, "objects": objects} for name, objects in report.value_sets],
            "rules": [{"id": rule.id, "reason": rule.reason, "source": rule.source} for rule in report.rules],
            "findings": [_as_dict(each) for each in report.findings],
            "unchecked": report.unchecked,
            "renders": len(report.requests),
        },
        indent=2,
        ensure_ascii=False,
    )


def print_table(report: Report, console: Console) -> None:
    """Print what was found, each with its place, its rule, the way out and the reason; else what was checked."""
    table = Table(box=box.HORIZONTALS, show_lines=True) if report.findings else Table(box=box.HORIZONTALS)
    if report.findings:
        table.add_column("where", overflow="fold", max_width=max(console.width * 2 // 5, 30))
        table.add_column("what is wrong, the way out, and why", overflow="fold")
        for findings in _alike(report.findings):
            table.add_row(_where(findings, report), _what(findings))
    else:
        table.add_column("value set")
        table.add_column("objects", justify="right")
        for name, objects in report.value_sets:
            table.add_row(escape(name), str(objects))
    console.print(table)
    for kind in report.unchecked:
        console.print(f"No schema for {escape(kind)}: only the invariants were applied to it.", style="yellow")
    console.print(_summary(report), style="bold red" if report.findings else "bold green")


def _as_dict(found: Finding) -> dict[str, object]:
    fields = asdict(found)
    return {"valueSets": fields.pop("value_sets"), **fields, "reason": REASONS[found.rule]}


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put findings together that one mistake makes: the same rule and field, in lists and value sets however often."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        key = (each.rule, each.template or each.object, re.sub(r"\[\d+\]", "[]", each.path))
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _where(findings: Sequence[Finding], report: Report) -> str:
    first = findings[0]
    names = list(dict.fromkeys(name for found in findings for name in found.value_sets))
    lines = [f"[bold]{escape(first.object)}[/]", escape(first.path), escape(first.template)]
    return "\n".join([*filter(None, lines), f"[dim]{escape(_which(names, report))}[/]"])


def _what(findings: Sequence[Finding]) -> str:
    first = findings[0]
    sentence = f"{first.wrong}; {first.mend}." if first.mend else first.wrong
    more = f"\n… and {len(findings) - 1} more like it." if len(findings) > 1 else ""
    return f"[bold]{first.rule}[/]  {escape(sentence)}{more}\n[dim]Why: {escape(REASONS[first.rule])}.[/]"


def _which(names: Sequence[str], report: Report) -> str:
    """Say in which value sets it shows, in few words."""
    if not names:
        return "the chart itself"
    if len(names) == len(report.value_sets) > 1:
        return "with every value set"
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"with {', '.join(names[:2])}{more}"


def _summary(report: Report) -> str:
    count, versions = len(report.findings), report.kubernetes
    against = versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"
    return (
        f"{count or 'No'} finding{'' if count == 1 else 's'}: {_counted(report.value_sets, 'value set')}, "
        f"{_counted(report.rules, 'rule')}, Helm 3 and 4, Kubernetes {against}, {len(report.requests)} renders."
    )


def _counted(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
