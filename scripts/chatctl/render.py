"""Render a chart with `helm template`, and say in plain sentences why values are refused."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatctl import kubeyaml
from chatctl.errors import ToolError, UserError

# A value that is a template itself, with the reason that Helm gives last; chatapp.hosts and chatapp.tls are what asks.
_TEMPLATE_IN_VALUE = re.compile(
    r'executing "chatapp\.(hosts|tls)" at <tpl .*?>: error calling tpl: [a-z ]+ "(.*)": template: gotpl:[\d:]+ '
    r'(?:executing "gotpl" at <.*?>: )?(.*)',
    re.DOTALL,
)


@dataclass(frozen=True)
class Rendered:
    """What a chart becomes: the text as Helm prints it, and its objects, hooks included, in the same order."""

    text: str
    objects: Sequence[Any]


def render(
    helm: Path,
    chart: Path,
    values: Sequence[Path] = (),
    *,
    overrides: Mapping[str, Any] | None = None,
    release: str = "chatapp",
    namespace: str = "default",
) -> Rendered:
    """Render `chart` offline, as `helm template` does.

    Args:
        helm: The Helm program.
        chart: The chart's folder.
        values: Values files; a later one wins.
        overrides: Values that win over all files; None removes a key, as null does in a file.
        release: The release's name.
        namespace: The namespace it would be installed in.

    Raises:
        UserError: the values are refused, one line per mistake, or a values file cannot be read.
        ToolError: the chart itself does not render to objects.
    """
    for file in values:
        if not file.is_file():
            raise UserError(f"{file}: there is no such values file; correct the path.")
    files = [f"--values={file}" for file in values]
    done = subprocess.run(
        [helm, "template", release, chart, f"--namespace={namespace}", *files, "--values=-"],
        input=_as_yaml(overrides or {}),
        capture_output=True,
        text=True,
        env=client_env(),
        check=False,
    )
    if done.returncode != 0:
        raise _refusal(done.stderr, chart)
    try:
        return Rendered(done.stdout, kubeyaml.load_all(done.stdout))
    except yaml.YAMLError as error:
        raise ToolError(f"The chart {chart} renders to something that is not YAML: {_one_line(str(error))}") from None


def client_env() -> dict[str, str]:
    """Return the environment for Helm and kubectl: without the user's kube context, preferences or Helm settings."""
    users = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    return {**users, "KUBERC": "off"}


def _as_yaml(values: Mapping[str, Any]) -> str:
    """Write values as JSON that Helm's YAML reader takes: no escaped surrogate pairs, no raw controls or line ends."""
    text = json.dumps(dict(values), ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _refusal(stderr: str, chart: Path) -> UserError | ToolError:
    message = stderr.partition("Error: ")[2].partition("\nUse --debug")[0].strip()
    if message.startswith("values don't meet the specifications of the schema"):
        return _listed(_schema_mistakes(message, chart))
    if "these values do not fit together" in message:
        return _listed([line.removeprefix("- ") for line in message.splitlines()[1:]])
    if match := re.match(r"failed to parse (.+?): cannot unmarshal yaml document: (.*)", message, re.DOTALL):
        reason = match[2].rpartition("yaml: ")[2] if "yaml: " in match[2] else "it is no map of keys and values"
        return UserError(f"{match[1]}: not a values file in YAML, {_one_line(reason)}; correct it.")
    if match := _TEMPLATE_IN_VALUE.search(message):
        return UserError(
            f"ingress.{match[1]}: the template {match[2]} fails: {_one_line(match[3])}; correct it, or give a default: "
            '{{ (.Values.a).b | default "c" }}.'
        )
    if match := re.match(r"execution error at \(.*?\): (.*)", message, re.DOTALL):
        return UserError(f"The values are refused: {_one_line(match[1])}; correct them.")
    if match := re.match(r'release name check failed: release name "(.*?)"', message):
        return UserError(
            f"{match[1]!r} cannot name a release; use up to 53 lower-case letters, digits, dashes and dots."
        )
    return ToolError(f"Helm could not render {chart}: {_one_line(message)}")


def _listed(mistakes: Sequence[str]) -> UserError:
    if len(mistakes) == 1:
        return UserError(mistakes[0])
    return UserError("\n  ".join([f"{len(mistakes)} values are refused:", *mistakes]))


def _schema_mistakes(message: str, chart: Path) -> list[str]:
    """Turn Helm's `- at '/ingress/paths/ws': reason` lines into sentences, sorted, since Helm's order is random."""
    schema = _Schema(json.loads((chart / "values.schema.json").read_text()))
    mistakes: list[str] = []
    for pointer, reason in re.findall(r"^ *- at '(.*?)': (.*)$", message, re.MULTILINE):
        keys = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        names = re.findall(r"'(.*?)'(?:, |$| not allowed)", reason)
        if reason.startswith("missing propert"):
            mistakes += [f"{_dotted([*keys, name])}: missing (null removes a key); give it a value." for name in names]
        elif reason.startswith("additional propert"):
            mistakes += [f"{_dotted([*keys, name])}: not allowed; {schema.keys(keys)}" for name in names]
        elif reason != "validation failed":
            reason = re.sub(r" does not match pattern '.*'$", " does not fit", reason)
            mistakes.append(f"{_dotted(keys)}: {reason}. {schema.description(keys)}".rstrip())
    return sorted(mistakes)


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
