"""Run the check: render every value set in every way, apply every rule, gather what they find."""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from chatctl import toolchain
from chatctl.check.cases import Bench, Case, ValueSet
from chatctl.check.chartcase import ChartCase
from chatctl.check.model import Object, Release
from chatctl.check.renderer import Renderer
from chatctl.check.rule import Fault, Rule
from chatctl.check.rules import CHART_RULES, COMPARISONS, INVARIANTS
from chatctl.check.rules.comparisons import deterministic
from chatctl.check.schemas import Schemas
from chatctl.console import Steps
from chatctl.errors import ChartError, ChatctlError, ToolError
from chatctl.render import Request

S = TypeVar("S")
T = TypeVar("T")


def _renders(_: None) -> tuple[()]:
    """Every value set renders, by both Helms and however else a rule asks for it."""
    return ()


def _fits_the_schemas(_: None) -> tuple[()]:
    """Every object fits the schema of its kind, in each Kubernetes version and in the Gateway API."""
    return ()


# The run itself looks after these two.
RENDERS: Rule[None] = Rule("renders", "what does not render can't be installed", "helm.sh/docs/helm", _renders)
SCHEMA: Rule[None] = Rule(
    "schema",
    "the API server refuses unknown kinds, unknown fields and wrong types",
    "kubernetes-validate 1.37.0; sigs.k8s.io/gateway-api v1.7.0, standard channel",
    _fits_the_schemas,
)


@dataclass(frozen=True)
class Finding:
    """A fault with the rule that it breaks and the value sets in which it shows, none where it is the chart's own.

    `object` is `Kind/name`, or what else is at fault; `template` the file that renders it, if it is an object.
    """

    rule: str
    object: str
    template: str
    path: str
    wrong: str
    mend: str
    value_sets: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What was checked, and what was found.

    `unchecked` are kinds without a schema here (other projects' CRDs); `requests` every `helm template` that was run.
    """

    kubernetes: Sequence[str]
    rules: Sequence["AnyRule"]
    value_sets: Sequence[tuple[str, int]]
    findings: Sequence[Finding]
    unchecked: Sequence[str]
    requests: Sequence[Request]


AnyRule = Rule[None] | Rule[Release] | Rule[Case] | Rule[ChartCase]


def every_rule() -> list[AnyRule]:
    """Return all rules, those of the run itself first."""
    return [*rules_on_values(), *CHART_RULES]


def rules_on_values() -> list[AnyRule]:
    """Return the rules that look at what values render to; the others look at the chart, whatever the values."""
    return [RENDERS, SCHEMA, *INVARIANTS, *COMPARISONS]


def check(
    chart: Path,
    sets: Sequence[ValueSet],
    kubernetes: Sequence[str],
    steps: Steps,
    rules: Sequence[AnyRule],
) -> Report:
    """Check a chart with some value sets.

    Args:
        chart: The chart's folder.
        sets: The value sets.
        kubernetes: Versions such as "1.37" whose schemas must take the objects.
        steps: Shows how far it is.
        rules: The rules to apply.

    Raises:
        ToolError: Helm itself failed.
    """
    tools = toolchain.ensure(["helm", "helm3"], steps)
    title = f"Checking {sets[0].name if len(sets) == 1 else f'{len(sets)} value sets'}"
    with (
        steps.step(title) as note,
        tempfile.TemporaryDirectory() as scratch,
        closing(Renderer(note)) as renderer,
    ):
        bench = Bench(chart, tools["helm"], tools["helm3"], Path(scratch), renderer)
        schemas = Schemas(kubernetes, lambda group: toolchain.crds(group, steps))
        return Run(bench, schemas, rules).report([Case(bench, each) for each in sets], ChartCase(bench), kubernetes)


_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""What a rule may stumble over in an object that does not fit its schema, which is a finding already."""


class Run:
    """One run of the check: applies rules, and gathers what they find as it goes."""

    def __init__(self, bench: Bench, schemas: Schemas, rules: Sequence[AnyRule]) -> None:
        self._bench = bench
        self._schemas = schemas
        self._rules = rules
        self._found: dict[tuple[str, str, str, str, str, str], list[str]] = {}
        self._unchecked: dict[str, None] = {}
        self._chart_is_fit = True
        self._defaults: set[str] = set()

    def report(self, cases: Sequence[Case], chart: ChartCase, kubernetes: Sequence[str]) -> Report:
        """Apply the rules, and return what was found."""
        comparisons = [rule for rule in COMPARISONS if rule in self._rules]
        names = list(dict.fromkeys(["base", *(name for rule in comparisons for name in rule.needs)]))
        for case in cases:
            case.start(names)
        self._defaults = {case.values.name for case in cases if case.values.are_defaults}
        chart_rules = [rule for rule in CHART_RULES if rule in self._rules]
        if len(chart_rules) == len(CHART_RULES):
            with contextlib.suppress(ChatctlError):  # what can't be read is found with the value set it belongs to
                chart.start()
        sizes = [(case.values.name, self._case(case, comparisons)) for case in cases]
        for rule in (rule for rule in chart_rules if self._chart_is_fit or not rule.needs):
            self._gather("", rule.id, self._guarded("", rule.check, chart))
        findings = [Finding(*key, tuple(name for name in sets if name)) for key, sets in self._found.items()]
        return Report(kubernetes, self._rules, sizes, findings, list(self._unchecked), self._bench.renderer.requests)

    def _case(self, case: Case, comparisons: Sequence[Rule[Case]]) -> int:
        """Apply the rules to one value set; return how many objects it has."""
        name = case.values.name
        base = self._guarded(name, lambda case: [case.base], case)
        for release in base:
            malformed = list(self._schema_faults(release.objects))
            self._gather(name, SCHEMA.id, malformed if SCHEMA in self._rules else ())
            for rule in (rule for rule in INVARIANTS if rule in self._rules):
                with contextlib.suppress(*(_MALFORMED if malformed else ())):
                    self._gather(name, rule.id, rule.check(release))
            for comparison in comparisons:
                with contextlib.suppress(*(_MALFORMED if malformed else ())):
                    faults = self._guarded(name, comparison.check, case)
                    self._gather(name, comparison.id, faults)
                    if faults and comparison.check is deterministic:
                        self._chart_is_fit = False
                        break  # what differs by chance differs in every comparison
        return sum(len(release.objects) for release in base)

    def _guarded(self, value_set: str, look: Callable[[S], Iterable[T]], subject: S) -> list[T]:
        """Return what `look` finds; where it can't look because something does not render, that is a finding."""
        try:
            return list(look(subject))
        except ToolError:
            raise
        except ChatctlError as error:
            # Values that are the chart's own defaults, and refused, are the chart's mistake too.
            is_chart = isinstance(error, ChartError) or not value_set or value_set in self._defaults
            self._chart_is_fit &= not is_chart
            for copy in (self._bench.scratch / "bumped", self._bench.scratch / "parent/charts/chatapp"):
                error.args = (str(error).replace(str(copy), str(self._bench.chart)),)
            self._gather(value_set, RENDERS.id, [Fault("chart" if is_chart else value_set, "", str(error), "")])
            return []

    def _schema_faults(self, objects: Iterable[Object]) -> Iterator[Fault]:
        for each in objects:
            if self._schemas.knows(each):
                yield from self._schemas.faults(each)
            else:
                self._unchecked[f"{each.kind} {each.data.get('apiVersion')}"] = None

    def _gather(self, value_set: str, rule: str, faults: Iterable[Fault]) -> None:
        for fault in faults:
            template = fault.at.template if isinstance(fault.at, Object) else ""
            key = (rule, str(fault.at), template, fault.path, fault.wrong, fault.mend)
            sets = self._found.setdefault(key, [])
            if value_set not in sets:
                sets.append(value_set)
