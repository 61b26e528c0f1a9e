"""Read YAML as Kubernetes does: scalars as sigs.k8s.io/yaml (Helm, kubectl) takes them, duplicate keys refused.

PyYAML alone differs on scalars such as `1e3`, `0o14`, `12:30`, `y` or a date, and lets the last of two equal keys win.
"""

import re
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"
_TRUE = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
_FALSE = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
_INT = r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|0[0-7_]*|[1-9][0-9_]*)"
_FLOAT = (
    r"[-+]?(?:\._*\d[\d_]*|\d[\d_]*(?:\.[\d_]*)?)(?:[eE][-+]?\d+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


Keys = tuple[str, ...]
"""Where something stands in a document: the keys that lead there; the third entry of a list has the key "2"."""


class DuplicateKeyError(yaml.constructor.ConstructorError):
    """A mapping has a key twice; lines count from 1."""

    def __init__(self, key: str, mark: yaml.Mark, first: yaml.Mark) -> None:
        super().__init__(None, None, f"duplicate key {key!r}", mark)
        self.key, self.line, self.first_line = key, mark.line + 1, first.line + 1


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own shape; filled below


def load_all(text: str) -> list[Any]:
    """Return the documents of a YAML stream, without the empty ones.

    Raises:
        yaml.YAMLError: it is not YAML, or a mapping has a key twice (DuplicateKeyError).
    """
    return [document for document in yaml.load_all(text, _Loader) if document is not None]


def lines(text: str) -> dict[Keys, int]:
    """Return the line, from 1, of every key and list entry in the first document of a stream that loads."""
    found: dict[Keys, int] = {}
    if (root := yaml.compose(text, _Loader)) is not None:
        _note_lines(root, (), found)
    return found


def _note_lines(node: yaml.Node, keys: Keys, found: dict[Keys, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found[(*keys, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*keys, key.value), found)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found[(*keys, str(index))] = value.start_mark.line + 1
            _note_lines(value, (*keys, str(index)), found)


def _bool(_loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> bool:
    return node.value in _TRUE


def _null(_loader: yaml.CSafeLoader, _node: yaml.ScalarNode) -> None:
    return None


def _int(_loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> int:
    digits = node.value.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    return sign * int(digits, 8 if re.match("0[0-7]+$", digits) else 0)


def _float(_loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> float:
    number = float(re.sub(r"_|\.(?=inf|nan)", "", node.value.lower()))
    return int(number) if abs(number) < 2**53 and number == int(number) else number


def _map(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
    marks: dict[str, yaml.Mark] = {}
    for key_node, _ in node.value:
        key = _key(loader, key_node)
        if key in marks:
            raise DuplicateKeyError(key, key_node.start_mark, marks[key])
        marks[key] = key_node.start_mark
    loader.flatten_mapping(node)
    return {_key(loader, key): loader.construct_object(value, deep=True) for key, value in node.value}


def _key(loader: yaml.CSafeLoader, node: yaml.Node) -> str:
    """JSON has string keys only, so YAML's other scalars become their spelling."""
    if node.tag == _MERGE:
        return "<<"
    value = loader.construct_object(node, deep=True)
    if value is None:
        raise yaml.constructor.ConstructorError(None, None, "a key is null", node.start_mark)
    return str(value).lower() if isinstance(value, bool) else str(value)


_SCALARS = (
    ("bool", "|".join(_TRUE + _FALSE), "yYtToOnNfF", _bool),
    ("null", "~|null|Null|NULL|", ("~", "n", "N", ""), _null),
    ("int", _INT, "+-0123456789", _int),
    ("float", _FLOAT, "+-0123456789.", _float),
)
for _tag, _pattern, _first, _construct in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct)
_Loader.add_implicit_resolver(_MERGE, re.compile("^<<$"), ["<"])
_Loader.add_constructor("tag:yaml.org,2002:map", _map)
