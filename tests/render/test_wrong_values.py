"""Each key with another kind of value, with one that its schema forbids, with null: refused by name, or really gone."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chatctl.errors import UserError
from chatctl.render import Request, as_yaml, render
from chatctl.toolchain import tool_path

from .test_schema import DEFAULTS, SCHEMA
from .test_validation import REFUSED
from .view import CHART

Key = tuple[str, ...]
ITEM = "[0]"
NAMES = ("web", "a", "WEB", "/a", "example.com/a")
"""Names of which one at least fits wherever the schema asks for names of the user's own."""


def keys(values: Mapping[str, Any], before: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Each key of a map and of the maps in it, with its value."""
    for name, value in values.items():
        yield (*before, name), value
        if isinstance(value, dict):
            yield from keys(value, (*before, name))


def schemas(
    schema: Mapping[str, Any] = SCHEMA, at: Key = (), inside: Key = ()
) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Each schema with the key that it is for; an entry in a list is `[0]`, one in a map has one of `NAMES`."""
    reference = schema.get("$ref", "").removeprefix("#/$defs/")
    if reference in inside:
        return
    inside = (*inside, *([reference] if reference else []))
    schema = {**SCHEMA["$defs"].get(reference, {}), **schema}
    yield at, schema
    children = [*schema.get("properties", {}).items()]
    for pattern, child in schema.get("patternProperties", {}).items():
        children += [(name, child) for name in NAMES if re.search(pattern, name)][:1]
    children += [
        (name, schema[keyword])
        for keyword, name in (("items", ITEM), ("additionalProperties", "a"))
        if keyword in schema
    ]
    for name, child in children:
        if isinstance(child, dict):
            yield from schemas(child, (*at, name), inside)


def nested(key: Key, value: object) -> dict[str, Any]:
    """Values that set nothing but a key."""
    for name in reversed(key):
        value = [value] if name == ITEM else {name: value}
    assert isinstance(value, dict)
    return value


def is_required(key: Key) -> bool:
    """Whether the schema requires the key in its map."""
    (parent,) = (schema for at, schema in schemas() if at == key[:-1])
    return key[-1] in parent.get("required", [])


def forbidden() -> Iterator[tuple[Key, object]]:
    """A value for each bound that the schema sets: a number beyond it, a word too many, a text without sense."""
    for key, schema in schemas():
        if "minimum" in schema:
            yield key, schema["minimum"] - 1
        if "maximum" in schema:
            yield key, schema["maximum"] * 2 + 1
        if "pattern" in schema:
            yield key, "\x7f \n"
        if "enum" in schema and schema.get("type") != "boolean":
            yield key, "nonsense"


KEYS = dict(keys(DEFAULTS))
# A port that a route or probe uses can't be removed alone; test_routes.py removes one with its route.
REMOVABLE = [key for key in KEYS if key[0] != "ports" or len(key) == 1]
EITHER_HELM = pytest.mark.parametrize("helm", ["helm", "helm3"])


def name_of(key: Key) -> str:
    """A key as refusals write it: parts with dots in quotes."""
    return ".".join(f'"{part}"' if "." in part else part for part in key).replace(f".{ITEM}", ITEM)


def told(helm: str, values: Mapping[str, Any]) -> list[str]:
    """What the chart says of values, nothing where it takes them. Anything but a refusal by name is an error."""
    try:
        render(Request(tool_path(helm), CHART, overrides=as_yaml(values)))
    except UserError as refusal:
        return [line.strip() for line in str(refusal).splitlines()]
    return []


@EITHER_HELM
@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_value_of_another_kind_is_refused_by_name(helm: str, key: Key) -> None:
    wrong: object = [{"wrong": 1}] if isinstance(KEYS[key], str) else "a text"
    (said,) = told(helm, nested(key, wrong))
    assert said.startswith(name_of(key))


@EITHER_HELM
@pytest.mark.parametrize("key", REMOVABLE, ids=".".join)
def test_null_is_refused_by_name_or_removes_the_key(helm: str, key: Key) -> None:
    """Like `--set ingress=null`: what a template needs, the schema requires."""
    said = told(helm, nested(key, None))
    assert [line.partition(" ")[0] for line in said] == ([f"{name_of(key)}:"] if is_required(key) else [])


@pytest.mark.parametrize(
    ("key", "value"), list(forbidden()), ids=lambda each: name_of(each) if isinstance(each, tuple) else ""
)
def test_value_that_its_schema_forbids_is_refused_by_name(key: Key, value: object) -> None:
    said = told("helm", nested(key, value))
    assert any(line.startswith(f"{name_of(key)}: ") for line in said), said


def batches() -> list[list[tuple[dict[str, Any], str]]]:
    """The mistakes of test_validation.py, put together as long as they do not set the same key at the top.

    Without those that take others along: a port that is not there has no details, and with a store pods may be many.
    """
    packed: list[list[tuple[dict[str, Any], str]]] = []
    for values, sentence in (each for each in REFUSED if each[0].keys().isdisjoint({"ports", "valkey", "autoscaling"})):
        for batch in packed:
            if not values.keys() & {key for others, _ in batch for key in others}:
                batch.append((values, sentence))
                break
        else:
            packed.append([(values, sentence)])
    return packed


@EITHER_HELM
@pytest.mark.parametrize("batch", [each for each in batches() if len(each) > 1], ids=lambda batch: str(len(batch)))
def test_mistakes_that_do_not_fit_together_are_told_at_once(helm: str, batch: list[tuple[dict[str, Any], str]]) -> None:
    values = {key: value for each, _ in batch for key, value in each.items()}
    heading, *said = told(helm, values)
    assert heading == f"{len(said)} values are refused:"
    # What a sentence says of other names changes with the other mistakes; the key that it is about does not.
    assert {sentence.partition(":")[0] for _, sentence in batch} <= {line.partition(":")[0] for line in said}
