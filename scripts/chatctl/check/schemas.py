"""Schemas of the objects: Kubernetes' own of several minor versions, strict, and those of some projects' CRDs, offline.

Kubernetes' come with the package kubernetes-validate, the others are the CRDs of pinned releases (`toolchain.CRDS`).
What a schema cannot say (names, uniqueness, references) the invariants say.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from chatctl import kubeyaml
from chatctl.check.model import Object
from chatctl.check.rule import Fault
from chatctl.toolchain import CRDS

_FOLDER = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"


class Schemas:
    """The schemas of some Kubernetes versions; CRDs are fetched, by their group, when an object needs them."""

    def __init__(self, kubernetes: Sequence[str], crds: Callable[[str], Path]) -> None:
        self._kubernetes = kubernetes
        self._crds = functools.cache(lambda group: _schemas(crds(group)))
        self._answers: dict[str, tuple[tuple[str, str], ...]] = {}

    def knows(self, each: Object) -> bool:
        """Return whether there are schemas for objects of its group at all; there are none for most people's CRDs."""
        group = _group(each.data)
        return "." not in group or group.endswith(".k8s.io") or group in CRDS

    def faults(self, each: Object) -> Iterator[Fault]:
        """Yield what is wrong with an object, once for all versions that say the same."""
        text = json.dumps(each.data, sort_keys=True)
        if text not in self._answers:
            self._answers[text] = tuple(self._wrong(each.data))
        for path, wrong in self._answers[text]:
            yield Fault(each, path, wrong, "correct the field; the API server refuses it otherwise")

    def _wrong(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if (group := _group(data)) in CRDS:
            schema = self._crds(group).get((str(data["apiVersion"]), str(data.get("kind"))))
            if schema is None:
                project = CRDS[group][0]
                yield "apiVersion", f"the pinned release of {project} has no {data.get('kind')} {data['apiVersion']}"
            else:
                yield from sorted({_said(error) for error in Draft202012Validator(schema).iter_errors(data)})
            return
        wrong: dict[tuple[str, str], list[str]] = {}
        for version in self._kubernetes:
            for error in _kubernetes_errors(version, data):
                wrong.setdefault(error, []).append(version)
        for (path, message), versions in sorted(wrong.items()):
            yield path, f"{message} (Kubernetes {_range(versions)})"


def _group(data: Mapping[str, Any]) -> str:
    return str(data.get("apiVersion", "")).rpartition("/")[0]


def _schemas(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the schemas in a folder of CRDs by (apiVersion, kind)."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        for crd in kubeyaml.load_all(file.read_text()):
            spec = crd.get("spec", {})
            for version in spec["versions"] if crd.get("kind") == "CustomResourceDefinition" else ():
                schema = _closed(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _kubernetes_errors(version: str, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind, api_version = str(data.get("kind", "")), str(data.get("apiVersion", ""))
    validator = _validator(version, kind, api_version)
    if validator is None:
        return [("apiVersion", f"there is no {kind or 'kind'} in {api_version or '(none)'}")]
    return [_said(error) for error in validator.iter_errors(data)]


@functools.cache
def _validator(version: str, kind: str, api_version: str) -> Draft202012Validator | None:
    group, _, name = api_version.rpartition("/")
    words = [kind.lower(), *([group.split(".")[0]] if group else []), name]
    file = _folder(version) / f"{'-'.join(words)}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_text())
    return Draft202012Validator(schema, registry=_registry(version))


@functools.cache
def _registry(version: str) -> "Registry[Any]":
    definitions = json.loads((_folder(version) / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


def _folder(version: str) -> Path:
    return _FOLDER / f"v{version}.0-local-strict"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Refuse unknown fields, and take both kinds of an int-or-string, as the API server does."""
    closed = {
        key: {name: _closed(child) for name, child in value.items()}
        if key == "properties"
        else _closed(value)
        if key in ("items", "additionalProperties") and isinstance(value, dict)
        else value
        for key, value in schema.items()
        if not (key == "type" and schema.get("x-kubernetes-int-or-string"))
    }
    return {"additionalProperties": False, **closed} if "properties" in closed else closed


def _said(error: ValidationError) -> tuple[str, str]:
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
    message = error.message
    return path.removeprefix(".") or "(root)", message if len(message) <= 160 else f"{message[:120]} … {message[-35:]}"


def _range(versions: Sequence[str]) -> str:
    return versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"
