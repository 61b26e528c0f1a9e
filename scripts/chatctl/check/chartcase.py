"""The chart as a whole: what each of its keys changes, and how it stands twice in one parent chart."""

import functools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatctl import valuesfile
from chatctl.check.cases import LONGEST, NAMESPACE, Bench
from chatctl.check.model import Release, release
from chatctl.check.reach import MUST
from chatctl.errors import ChatctlError
from chatctl.paths import repository
from chatctl.render import Rendered, Request, as_yaml

ALIASES = ("chat-for-everybody-in-the-east", "chat-for-everybody-in-the-west")
"""Long enough to be cut from names, and alike but for the end."""


VALUE_SETS = "ci/*-values.yaml"
STORE = {"valkey": {"enabled": True, "auth": {"password": "none"}}}
"""What brings the pods that are not there by default; keys that all pods must have are tried on top of it."""


@dataclass(frozen=True)
class Probe:
    """One key set to something else: what was rendered without and with it, None where the values are refused.

    Where they are refused without it, the key is used for certain, though nobody sees for what.
    """

    key: tuple[str, ...]
    value: object
    before: Rendered | None
    after: Rendered | None


class ChartCase:
    """The chart itself: its sources, its keys, and how it stands twice in one parent chart."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.chart = bench.chart
        self.defaults = bench.defaults

    @functools.cached_property
    def sources(self) -> Mapping[str, str]:
        """The templates' texts by path in the chart."""
        files = sorted(file for file in (self.chart / "templates").rglob("*") if file.is_file())
        return {str(file.relative_to(self.chart)): file.read_text() for file in files}

    @functools.cached_property
    def everything(self) -> Sequence[Mapping[str, Any]]:
        """The values that keys are tried beside: those of everything-values.yaml, then the other value sets.

        Not everything goes together; what the first can't hold is in one of the others.
        """
        files = list(self.chart.glob(VALUE_SETS)) or list((repository() / "chart").glob(VALUE_SETS))
        files.sort(key=lambda file: (not file.name.startswith("everything"), file.name))
        return [valuesfile.read(file).values for file in files]

    def start(self) -> None:
        """Begin rendering the probes and the parent charts."""
        probes = [values for setting in self._settings.items() for values in next(self._attempts(*setting))]
        parents = [self._umbrella_request(helm) for helm in (self._bench.helm, self._bench.helm3)]
        for request in (*map(self._probe_request, probes), *parents):
            self._bench.renderer.start(request)

    @functools.cached_property
    def probes(self) -> Sequence[Probe]:
        """One probe a key: set alone, or where that is refused or changes nothing, beside everything else."""
        return [self._probe(key, value) for key, value in self._settings.items()]

    def umbrella(self, helm: str) -> Release:
        """Return a parent chart with two aliases of the chart, rendered by Helm "3" or "4".

        Raises:
            ChatctlError: it does not render.
        """
        request = self._umbrella_request(self._bench.helm3 if helm == "3" else self._bench.helm)
        return release(self._bench.renderer(request), request.release, request.namespace, {})

    def _probe(self, key: tuple[str, ...], value: object) -> Probe:
        """Return the first attempt that changes something, else one that is refused without the key, else any."""
        tried = []
        for before, after in self._attempts(key, value):
            probe = Probe(key, value, *(self._try(self._probe_request(values)) for values in (before, after)))
            if probe.before and probe.after and probe.before != probe.after:
                return probe
            tried.append(probe)
        return min(tried, key=lambda probe: (probe.after is None, probe.before is not None))

    def _attempts(self, key: tuple[str, ...], value: object) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Yield values without and with a key: alone; beside everything that goes with it; with its siblings."""
        base = STORE if ".".join(key).startswith(MUST) else {}
        if not self._is_off(key):
            entries = [{name: entry} for name, entry in value.items()] if isinstance(value, dict) else []
            for setting in (value, *entries):
                yield base, valuesfile.merge(base, _nested(key, setting))
        first, *others = self.everything
        for everything in (first, *(each for each in others if _at(each, key))):
            without = _without(everything, key)
            yield without, valuesfile.merge(without, _nested(key, value))
        siblings: Any = next((each for values in self.everything if key[1:] for each in _at(values, key[:-1])), {})
        if siblings:
            together = valuesfile.merge(base, _nested(key[:-1], siblings))
            yield _without(together, key), together

    def _is_off(self, key: tuple[str, ...]) -> bool:
        """Return whether a key is part of something that is switched off, so that it can't show alone."""
        above = (_at(self.defaults, (*key[:length], "enabled")) for length in range(1, len(key)))
        return key[-1] != "enabled" and [False] in above

    @functools.cached_property
    def _settings(self) -> Mapping[tuple[str, ...], object]:
        """Another value for each key of values.yaml: that of an everything-values.yaml, or a switch turned."""
        settings: dict[tuple[str, ...], object] = {}
        for key in leaves(self.defaults):
            usual = _at(self.defaults, key)[0]
            given = [each for values in self.everything for each in _at(values, key) if each != usual]
            if given:
                settings[key] = given[0]
            elif isinstance(usual, bool):
                settings[key] = not usual
        return settings

    def _try(self, request: Request) -> Rendered | None:
        try:
            return self._bench.renderer(request)
        except ChatctlError:
            return None

    def _probe_request(self, values: Mapping[str, Any]) -> Request:
        return self._bench.request(overrides=as_yaml(values))

    def _umbrella_request(self, helm: Path) -> Request:
        return Request(helm, self._umbrella, release=LONGEST + "x", namespace=NAMESPACE)

    @functools.cached_property
    def _umbrella(self) -> Path:
        folder = self._bench.scratch / "parent"
        copy = shutil.copytree(self.chart, folder / "charts" / "chatapp")
        about = yaml.safe_load((copy / "Chart.yaml").read_text())
        twice = [{"name": about["name"], "version": about["version"], "alias": alias} for alias in ALIASES]
        parent = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": twice}
        (folder / "Chart.yaml").write_text(yaml.safe_dump(parent))
        return folder


def leaves(values: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the keys that hold no further keys: texts, numbers, lists, empty maps."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*before, key))
        else:
            yield (*before, key)


def _at(values: Mapping[str, Any], key: Sequence[str]) -> list[Any]:
    """Return the value at a key in a list, which is empty where there is none."""
    for name in key[:-1]:
        values = values.get(name) or {}
    return [values[key[-1]]] if key[-1] in values else []


def _nested(key: Sequence[str], value: object) -> dict[str, Any]:
    for name in reversed(key):
        value = {name: value}
    assert isinstance(value, dict)  # noqa: S101 - a key has one part at least
    return value


def _without(values: Mapping[str, Any], key: Sequence[str]) -> dict[str, Any]:
    first, *rest = key
    if rest:
        return {**values, first: _without(values.get(first, {}), rest)}
    return {name: value for name, value in values.items() if name != first}
