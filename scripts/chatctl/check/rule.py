"""What a rule is, and what it finds.

A rule is a pure function with an id, the reason why it holds, and where that is written. There are three kinds, by what
they look at: one rendered release (`invariant`), several renders of one value set (`comparison`), the chart itself
(`chart_rule`). The decorators register them, in the order of the modules in `rules/`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from chatctl.check.model import Object, Release

if TYPE_CHECKING:
    from chatctl.check.cases import Case
    from chatctl.check.chartcase import ChartCase

Subject = TypeVar("Subject", contravariant=True)


@dataclass(frozen=True)
class Fault:
    """Something wrong in one place: the object, the path of the field, what is wrong, how to mend it.

    Where no object is at fault, `at` says what is: a template, a value set, a key of the values.
    """

    at: Object | str
    path: str
    wrong: str
    mend: str


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """What must hold (`check`, by its docstring), why (`reason`), and where that is written (`source`).

    `needs` are the renders that it compares besides the base, or what of the chart must have been rendered.
    """

    id: str
    reason: str
    source: str
    check: Callable[[Subject], Iterable[Fault]]
    needs: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Return what must hold: the first line of the function's docstring."""
        return (self.check.__doc__ or "").strip().splitlines()[0]


INVARIANTS: list[Rule[Release]] = []
COMPARISONS: "list[Rule[Case]]" = []
CHART_RULES: "list[Rule[ChartCase]]" = []

Check = Callable[[Subject], Iterator[Fault]]


def invariant(rule_id: str, reason: str, source: str) -> Callable[[Check[Release]], Check[Release]]:
    """Register a rule on one rendered release."""

    def register(check: Check[Release]) -> Check[Release]:
        INVARIANTS.append(Rule(rule_id, reason, source, check))
        return check

    return register


def comparison(
    rule_id: str, reason: str, source: str, needs: tuple[str, ...]
) -> "Callable[[Check[Case]], Check[Case]]":
    """Register a rule on several renders of one value set; `needs` are the names of those besides the base."""

    def register(check: "Check[Case]") -> "Check[Case]":
        COMPARISONS.append(Rule(rule_id, reason, source, check, needs))
        return check

    return register


def chart_rule(
    rule_id: str, reason: str, source: str, needs: tuple[str, ...] = ()
) -> "Callable[[Check[ChartCase]], Check[ChartCase]]":
    """Register a rule on the chart itself; one that `needs` renders is left out where the chart does not render."""

    def register(check: "Check[ChartCase]") -> "Check[ChartCase]":
        CHART_RULES.append(Rule(rule_id, reason, source, check, needs))
        return check

    return register
