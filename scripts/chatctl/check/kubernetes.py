"""The versions of Kubernetes that the chart supports and whose schemas are at hand."""

from chatctl.errors import UserError

OLDEST, NEWEST = 30, 37
"""Minor versions of Kubernetes 1."""

ALL = f"1.{OLDEST}..1.{NEWEST}"


def versions(text: str) -> list[str]:
    """Return the versions that a word such as `1.34` or `1.30..1.37` names.

    Raises:
        UserError: it names none that is known here.
    """
    first, _, last = text.partition("..")
    try:
        (major, low), (other, high) = (map(int, word.split(".")) for word in (first, last or first))
    except ValueError:
        major = low = other = high = 0
    if (major, other) != (1, 1) or not OLDEST <= low <= high <= NEWEST:
        raise UserError(
            f"--kube: {text!r} names no Kubernetes versions that can be checked; write 1.{NEWEST}, or a range in {ALL}."
        )
    return [f"1.{minor}" for minor in range(low, high + 1)]
