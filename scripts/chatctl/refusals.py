"""Why Helm refuses: the errors of Helm 3 and 4 in sentences that name the file, the line and the way out."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chatctl.errors import ChartError, ChatctlError, ToolError, UserError
from chatctl.kubeyaml import Keys
from chatctl.valuesfile import ValuesFile, place

# A value that is a template itself, with the reason that Helm gives last; chatapp.hosts and chatapp.tls are what asks.
_TEMPLATE_IN_VALUE = re.compile(
    r'executing "chatapp\.(hosts|tls)" at <tpl .*?>: error calling tpl: [a-z ]+ "(.*?)": template: gotpl:[\d:]+ '
    r'(?:executing "gotpl" at <.*?>: )?(.*)',
    re.DOTALL,
)
_PLACE_IN_TEMPLATE = re.compile(r"\b([\w.-]+/(?:charts/[\w.-]+/)*)((?:templates|files)/[\w./-]+?):(\d+)\b")


def explain(stderr: str, chart: Path, files: Sequence[ValuesFile]) -> ChatctlError:
    """Return the failure of `helm template CHART --values FILES` as an exception to raise."""
    message = stderr.partition("Error: ")[2].partition("\nUse --debug")[0].strip()
    if message.startswith("values don't meet the specifications of the schema"):
        mistakes = _schema_mistakes(message, chart)
        if not mistakes or "is not valid against metaschema" in message:
            return ChartError(
                f"{chart}/values.schema.json: no valid JSON Schema, {message.splitlines()[-1].strip(' -')}; correct it."
            )
        return _listed([place(files, keys) + sentence for keys, sentence in mistakes])
    if "these values do not fit together" in message:
        lines = [line.removeprefix("- ") for line in message.splitlines()[1:]]
        return _listed([place(files, _keys(line)) + line for line in lines])
    if match := _TEMPLATE_IN_VALUE.search(_one_line(message)):
        keys = ("ingress", match[1])
        return UserError(
            f"{place(files, keys)}ingress.{match[1]}: the template {match[2]} fails: {match[3]}; correct it, or give "
            'a default: {{ (.Values.a).b | default "c" }}.'
        )
    if match := re.match(r"execution error at \((.*?)\): (.*)", message, re.DOTALL):
        return UserError(f"The values are refused: {_one_line(match[2])}; correct them.")
    if match := re.match(r"failed parsing --set data: (.*)", message, re.DOTALL):
        return UserError(f"--set: {_one_line(match[1])}; write it like --set ingress.paths.ws=/wss.")
    if match := re.match(r'(?:release name check failed: )?(?:invalid )?release name "(.*?)"', message):
        return UserError(
            f"{match[1]!r} cannot name a release; use up to 53 lower-case letters, digits, dashes and dots."
        )
    return _broken_chart(_one_line(message), chart)


def _broken_chart(message: str, chart: Path) -> ChatctlError:
    """Name the template and the line: of a failure inside several includes, the innermost."""
    if match := re.match(r"YAML parse error on (?:.*?)/(templates/\S+): (.*)$", message):
        reason = re.sub(r"^.*?(?:yaml: |json: (?=cannot))", "", match[2])
        reason = "it is no object with apiVersion and kind" if "SimpleHead" in reason else reason
        output = re.sub(r"\bline (\d+)", r"line \1 of its output", reason)
        return ChartError(f"{chart}/{match[1]}: does not render to an object, {output}; correct the template.")
    if match := re.match(r"cannot load (\S+): .*yaml: (.*)", message):
        return ChartError(f"{chart}/{match[1]}: not YAML, {match[2]}; correct it.")
    if places := _PLACE_IN_TEMPLATE.findall(message):
        (_, outer, called), (_, template, line) = places[0], places[-1]
        through = f" (called from {outer}:{called})" if outer != template else ""
        return ChartError(f"{chart}/{template}:{line}: {_last(message)}{through}; correct the template.")
    if "chart" in message.lower():
        return ChartError(f"{chart}: {message}; correct the chart.")
    return ToolError(f"Helm could not render {chart}: {message}")


def _last(message: str) -> str:
    """Return the reason proper, which ends the chain of what was called."""
    return re.split(r"(?:\): |>: |include: )(?:template: (?=no template))?", _one_line(message))[-1]


def _listed(mistakes: Sequence[str]) -> UserError:
    if len(mistakes) == 1:
        return UserError(mistakes[0])
    return UserError("\n  ".join([f"{len(mistakes)} values are refused:", *mistakes]))


def _keys(line: str) -> Keys:
    """Return the keys that a sentence of the validation template begins with: `ingress.tls: "10.0.0.1" is no ...`."""
    dotted = line.partition(": ")[0].split(", ")[0]
    return tuple(part.strip('"') for part in re.findall(r'"[^"]*"|[^.\[\]]+', dotted))


def _schema_mistakes(message: str, chart: Path) -> list[tuple[Keys, str]]:
    """Turn Helm's `- at '/ingress/paths/ws': reason` lines into sentences, sorted, since Helm's order is random."""
    own = chart / "values.schema.json"  # a parent chart has none, and its only dependency has
    file = own if own.is_file() else next(iter(sorted(chart.glob("charts/*/values.schema.json"))))
    schema = _Schema(json.loads(file.read_text()))
    mistakes: list[tuple[Keys, str]] = []
    for pointer, reason in re.findall(r"^ *- at '(.*?)': (.*)$", message, re.MULTILINE):
        keys = tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
        names = re.findall(r"'(.*?)'(?:, |$| not allowed)", reason)
        if reason.startswith(("missing propert", "additional propert")):
            missing = "missing (null removes a key); give it a value."
            sentence = missing if reason.startswith("missing") else f"not allowed; {schema.keys(keys)}"
            mistakes += [((*keys, name), f"{_dotted([*keys, name])}: {sentence}") for name in names]
        elif reason != "validation failed":
            reason = re.sub(r" does not match pattern '.*'$", " does not fit", reason)
            mistakes.append((keys, f"{_dotted(keys)}: {reason}. {schema.description(keys)}".rstrip()))
    return sorted(mistakes, key=lambda mistake: mistake[1])


class _Schema:
    """A values schema, asked what it says of a key."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def description(self, keys: Sequence[str]) -> str:
        """Return the description of a key, empty if there is none."""
        return next(iter(self._descriptions(keys)), "")

    def keys(self, keys: Sequence[str]) -> str:
        """Say which keys a map takes: their names, or the map's description where they are free."""
        known = sorted({name for each in self._at(keys) for name in each.get("properties", {})})
        if known:
            return f"the keys here are {', '.join(known)}."
        return f"this is: {next(reversed(self._descriptions(keys)), 'a map of other keys')}"

    def _descriptions(self, keys: Sequence[str]) -> list[str]:
        return [each["description"] for each in self._at(keys) if "description" in each]

    def _at(self, keys: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the schemas that hold for a key, the nearest first."""
        found = self._with_reference(self._root)
        for key in keys:
            children = [child for schema in found for child in _children(schema, key)]
            found = [each for child in children for each in self._with_reference(child)]
        return found

    def _with_reference(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        name = schema.get("$ref", "").removeprefix("#/$defs/")
        return [schema, *(self._with_reference(self._root["$defs"][name]) if name else [])]


def _children(schema: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = [schema["properties"][key]] if key in schema.get("properties", {}) else []
    found += [child for pattern, child in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    rest = schema.get("items") if key.isdigit() else schema.get("additionalProperties")
    return found or ([rest] if isinstance(rest, dict) else [])


def _dotted(keys: Sequence[str]) -> str:
    """Write a key as people do: `tls[0].secretName`; keys that have dots themselves in quotes."""
    words = [f"[{key}]" if key.isdigit() else f'."{key}"' if "." in key else f".{key}" for key in keys]
    return "".join(words).removeprefix(".")


def _one_line(text: str) -> str:
    return " ".join(text.split())
