"""Values files: read as Helm reads them, with the line of every key, so that a mistake is shown where it stands."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatctl import kubeyaml
from chatctl.errors import UserError
from chatctl.kubeyaml import Keys


@dataclass(frozen=True)
class ValuesFile:
    """A values file that Helm would take."""

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[Keys, int]


def read(path: Path) -> ValuesFile:
    """Read one values file.

    Raises:
        UserError: it is not there, not YAML, or Helm would misread it: a key twice, several documents, no map.
    """
    try:
        return _read(path, path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such values file; correct the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UserError(f"{path}: this values file can't be read ({reason}); correct it.") from None


@functools.lru_cache(maxsize=64)
def _read(path: Path, text: str) -> ValuesFile:
    try:
        documents = kubeyaml.load_all(text)
    except kubeyaml.DuplicateKeyError as error:
        raise UserError(
            f"{path}:{error.line}: the key {error.key} is there twice, first in line {error.first_line}, and Helm "
            "would take the last without a word; keep one."
        ) from None
    except yaml.MarkedYAMLError as error:
        last = len(text.splitlines())  # a mark may stand behind it
        place = f"{path}:{min(error.problem_mark.line + 1, last)}" if error.problem_mark else str(path)
        raise UserError(f"{place}: not YAML, {error.problem}; correct it.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML, {' '.join(str(error).split())}; correct it.") from None
    if len(documents) > 1:
        raise UserError(f"{path}: {len(documents)} YAML documents, of which Helm would read one; make it one.")
    values = documents[0] if documents else {}
    if not isinstance(values, dict):
        raise UserError(f"{path}: no map of keys and values; write it like values.yaml.")
    return ValuesFile(path, values, kubeyaml.lines(text) if documents else {})


def coalesce(defaults: Mapping[str, Any], *layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values as Helm does: maps key by key, a later layer wins, null removes a key that has a default."""
    user: dict[str, Any] = {}
    for layer in layers:
        user = merge(user, layer)
    return _without_nulls(merge(defaults, user), defaults)


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two layers of values: maps key by key, `above` wins, its nulls stay."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        merged[key] = merge(below[key], value) if both else value
    return merged


def _without_nulls(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(value, defaults[key])
        if isinstance(value, dict) and isinstance(defaults.get(key), dict)
        else value
        for key, value in values.items()
        if value is not None or key not in defaults
    }


def place(files: Sequence[ValuesFile], keys: Keys) -> str:
    """Return where a key is set, as the start of a sentence: `prod.yaml:12: `, the last file that sets it.

    For a key that a list's entry lacks it is the entry. Where no file sets the key, the mistake is between keys: the
    only file there is, or nothing where there are more.
    """
    in_entry = keys[-2:-1] and keys[-2].isdigit()
    for wanted in (keys, keys[:-1]) if in_entry else (keys,):
        for file in reversed(files):
            if wanted in file.lines:
                return f"{file.path}:{file.lines[wanted]}: "
    return f"{files[0].path}: " if len(files) == 1 else ""
