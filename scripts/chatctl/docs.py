"""The generated parts of the documents: `make docs` writes them, a test finds them out of date."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chatctl import upgrade, valuesfile
from chatctl.check.run import every_rule
from chatctl.paths import repository

SECTION = re.compile(r"^# -+ (.+?) -+$")
OWN_ENTRIES = ("patternProperties", "additionalProperties")


def generated() -> dict[Path, str]:
    """Return each document that has a generated part, with its text as it should be."""
    parts = {"docs/check.md": {"rules": rules()}, "chart/README.md": {"values": values(repository() / "chart")}}
    pages = {(page := repository() / name): _replaced(page.read_text(), contents) for name, contents in parts.items()}
    return {**pages, repository() / "tests/release/upgrade.txt": upgrade.listing(repository() / "chart")}


def rules() -> str:
    """Return the table of the rules of `chatctl check`."""
    rows = [f"| `{rule.id}` | {rule.summary} | {rule.reason} | {rule.source} |" for rule in every_rule()]
    return "\n".join(["| rule | what holds | why | where that is written |", "| --- | --- | --- | --- |", *rows])


def values(chart: Path) -> str:
    """Return the table of the chart's values: keys in the order of values.yaml, defaults, what the schema says."""
    schema = json.loads((chart / "values.schema.json").read_text())
    defaults = valuesfile.read(chart / "values.yaml").values
    rows = ["| key | default | meaning |", "| --- | --- | --- |"]
    section = ""
    for line in (chart / "values.yaml").read_text().splitlines():
        section = found[1] if (found := SECTION.match(line)) else section
        key = line.partition(":")[0]
        if key in defaults:
            rows += [f"| **{section}** | | |"] if section else []
            rows += _rows(key, defaults[key], schema["properties"][key], schema["$defs"])
            section = ""
    return "\n".join(rows)


def _rows(key: str, default: object, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the row of a key, or those of the keys in it where they are the chart's own and not the user's entries."""
    referred = definitions.get(schema.get("$ref", "").removeprefix("#/$defs/"), {})
    schema = {**referred, **schema, "properties": {**referred.get("properties", {}), **schema.get("properties", {})}}
    text = schema.get("description", "").replace("|", "\\|").rstrip(".")
    users = any(isinstance(schema.get(name), dict) for name in OWN_ENTRIES)
    if isinstance(default, dict) and default and not users:
        yield f"| `{key}` | | *{text}* |"
        for name, value in default.items():
            yield from _rows(f"{key}.{name}", value, schema["properties"].get(name, {}), definitions)
    else:
        words = f" ({', '.join(f'`{word}`' for word in schema['enum'] if word)})" if "enum" in schema else ""
        yield f"| `{key}` | `{json.dumps(default, ensure_ascii=False)}` | {text}{words} |"


def _replaced(text: str, contents: Mapping[str, str]) -> str:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`, for each name."""
    for name, content in contents.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{start}{content}\n{end}{after}"
    return text


if __name__ == "__main__":
    for file, text in generated().items():
        file.write_text(text)
