"""Image references as `docker pull` takes them: the grammar of distribution/reference, in short."""

import re

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    r"(?:(?P<registry>localhost|[^/:@]*\.[^/:@]*(?::\d+)?|[^/:@]+:\d+)/)?"
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
)


def parse(reference: str) -> dict[str, str] | None:
    """Return registry, repository, tag and digest, each empty if it is not there; None if it is no reference."""
    match = _REFERENCE.fullmatch(reference)
    return {key: value or "" for key, value in match.groupdict().items()} if match else None
