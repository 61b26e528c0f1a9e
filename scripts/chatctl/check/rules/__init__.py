"""The rules, by what they look at; importing this package registers them all."""

from chatctl.check.rules import (
    apiserver,
    chain,
    comparisons,
    container,
    keys,
    names,
    output,
    pods,
    references,
    routes,
    runtime,
    scale,
    security,
)

__all__ = [
    "apiserver",
    "chain",
    "comparisons",
    "container",
    "keys",
    "names",
    "output",
    "pods",
    "references",
    "routes",
    "runtime",
    "scale",
    "security",
]
