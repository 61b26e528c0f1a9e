"""The rules, by what they look at. Importing this package registers them all, in the order of its modules."""

from chatctl.check.rule import CHART_RULES, COMPARISONS, INVARIANTS
from chatctl.check.rules import (  # noqa: F401 - registers
    apiserver,
    chain,
    comparisons,
    container,
    keys,
    names,
    output,
    pods,
    policies,
    references,
    routes,
    runtime,
    scale,
    security,
    store,
)

__all__ = ["CHART_RULES", "COMPARISONS", "INVARIANTS"]
