"""Every key of values.yaml, given something of the wrong kind or taken away: refused by name, or really gone."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import pytest
import yaml

from chatctl.errors import UserError
from chatctl.render import Request, as_yaml, render
from chatctl.toolchain import tool_path

from .test_validation import REFUSED
from .view import CHART


def keys(values: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each key of a map and of the maps in it, with its value."""
    for name, value in values.items():
        yield (*before, name), value
        if isinstance(value, dict):
            yield from keys(value, (*before, name))


def nested(key: tuple[str, ...], value: object) -> dict[str, Any]:
    return reduce(lambda inner, name: {name: inner}, reversed(key), value)  # type: ignore[arg-type]


KEYS = dict(keys(yaml.safe_load((CHART / "values.yaml").read_text())))
EVERY_KEY = pytest.mark.parametrize("key", KEYS, ids=".".join)
EITHER_HELM = pytest.mark.parametrize("helm", ["helm", "helm3"])


def told(helm: str, values: Mapping[str, Any]) -> str:
    """What the chart says of values, "" where it takes them. Anything but a refusal by name is an error."""
    try:
        render(Request(tool_path(helm), CHART, overrides=as_yaml(values)))
    except UserError as refusal:
        return str(refusal)
    return ""


@EITHER_HELM
@EVERY_KEY
def test_value_of_another_kind_is_refused_by_name(helm: str, key: tuple[str, ...]) -> None:
    wrong: object = [{"wrong": 1}] if isinstance(KEYS[key], str) else "a text"
    said = told(helm, nested(key, wrong))
    assert said.startswith(".".join(key))
    assert len(said.splitlines()) == 1


@EITHER_HELM
@EVERY_KEY
def test_null_is_refused_by_name_or_takes_the_key_away(helm: str, key: tuple[str, ...]) -> None:
    """Like `--set ingress=null`. What a port's name stands for is in the routes and probes, which then say so."""
    said = told(helm, nested(key, None))
    if said == "":
        assert key[0] in REMOVABLE
    elif key[0] == "ports" and len(key) > 1:
        assert said.splitlines()[-1].strip().startswith(f"ingress.paths.{key[1]}: there is no port {key[1]}; ")
    else:
        assert said.startswith(".".join(key))
        assert len(said.splitlines()) == 1


REMOVABLE = (
    "portEnv",
    "ingress",
    "runtimeConfig",
    "resources",
    "podSecurityContext",
    "securityContext",
    "tests",
    "global",
    "enabled",
)
"""Maps of the user's own entries, of which a default one may go; and what only parent charts use."""


def batches() -> list[list[tuple[dict[str, Any], str]]]:
    """The mistakes of test_validation.py, put together as long as they do not set the same key at the top.

    Without those about ports: a port that is not there takes the mistakes in its details along.
    """
    packed: list[list[tuple[dict[str, Any], str]]] = []
    for values, sentence in (each for each in REFUSED if "ports" not in each[0]):
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
    heading, *said = told(helm, values).splitlines()
    assert heading == f"{len(said)} values are refused:"
    assert {about(sentence) for _, sentence in batch} <= {about(line.strip()) for line in said}


def about(sentence: str) -> str:
    """The key that a sentence names. What it says of other names changes with the other mistakes."""
    return sentence.partition(":")[0]
