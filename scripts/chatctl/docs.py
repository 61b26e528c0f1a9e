"""The generated parts of the documents: `make docs` writes them, a test finds them out of date."""

import re
from pathlib import Path

from chatctl.check.run import every_rule
from chatctl.paths import repository


def generated() -> dict[Path, str]:
    """Return each document that has a generated part, with its text as it should be."""
    page = repository() / "docs/check.md"
    return {page: _replace(page.read_text(), "rules", _rules())}


def _rules() -> str:
    rows = [f"| `{rule.id}` | {rule.summary} | {rule.reason} | {rule.source} |" for rule in every_rule()]
    return "\n".join(["| rule | what holds | why | where that is written |", "| --- | --- | --- | --- |", *rows])


def _replace(text: str, name: str, content: str) -> str:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
    return re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
        lambda found: f"{found[1]}{content}\n{found[2]}",
        text,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    for file, text in generated().items():
        file.write_text(text)
