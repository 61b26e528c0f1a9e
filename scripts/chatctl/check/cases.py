"""What is checked: value sets, each rendered in several ways, and the chart as a whole."""

import functools
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from chatctl import valuesfile
from chatctl.check.model import Release, release
from chatctl.check.renderer import Renderer
from chatctl.errors import ChatctlError, UserError
from chatctl.paths import repository
from chatctl.render import Rendered, Request, as_yaml

NAMESPACE = "talk"
LONGEST = "r" + "-longest" * 6 + "-ab"
"""A release name of 52 characters; one more is the most that Helm takes."""

OFFERED = (
    "autoscaling/v2beta2",
    "cert-manager.io/v1",
    "cert-manager.io/v1/Certificate",
    "gateway.networking.k8s.io/v1",
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "monitoring.coreos.com/v1",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "networking.k8s.io/v1beta1/Ingress",
    "policy/v1beta1",
    "route.openshift.io/v1/Route",
    "security.openshift.io/v1",
    "traefik.io/v1alpha1/IngressRoute",
)
"""What a cluster may offer besides Kubernetes' own; the output must not depend on it."""


@dataclass(frozen=True)
class ValueSet:
    """Values that are checked together: their files in Helm's order, under one name."""

    name: str
    files: tuple[Path, ...]


def chart_folder(given: Path | None) -> Path:
    """Return the chart's folder: the one that is given, else the repository's own.

    Raises:
        UserError: there is no chart in it.
    """
    folder = given or repository() / "chart"
    if not (folder / "Chart.yaml").is_file():
        raise UserError(f"{folder}: there is no chart here (no Chart.yaml); name a chart's folder with --chart.")
    return folder


def value_set(files: Sequence[Path]) -> ValueSet:
    """Return a user's files as one value set; a later file wins."""
    return ValueSet(" + ".join(map(str, files)), tuple(files))


def value_sets(chart: Path) -> list[ValueSet]:
    """Return the chart's own value sets, the repository's where it has none, and the repository's environments."""
    own = sorted(chart.glob("ci/*-values.yaml")) or sorted((repository() / "chart/ci").glob("*-values.yaml"))
    environments = sorted((repository() / "environments").glob("*.yaml"))
    return [ValueSet(f"{file.parent.name}/{file.name}", (file,)) for file in (*own, *environments)]


@dataclass(frozen=True)
class Bench:
    """The chart under test, both Helms, and a folder for copies."""

    chart: Path
    helm: Path
    helm3: Path
    scratch: Path
    renderer: Renderer
    _models: dict[tuple[Request, int], Release] = field(default_factory=dict)

    @functools.cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The chart's values.yaml."""
        return valuesfile.read(self.chart / "values.yaml").values

    @functools.cached_property
    def bumped(self) -> Path:
        """A copy of the chart of another version."""
        copy = shutil.copytree(self.chart, self.scratch / "bumped")
        about = copy / "Chart.yaml"
        about.write_text(re.sub(r"^version:.*", "version: 99.9.9", about.read_text(), flags=re.MULTILINE))
        return copy

    def request(self, **settings: Any) -> Request:
        """Return a request for the chart with Helm 4."""
        return replace(Request(self.helm, self.chart, release="chatapp", namespace=NAMESPACE), **settings)

    def model(self, request: Request, again: int = 0) -> Release:
        """Return the release of a request.

        Raises:
            ChatctlError: it does not render to objects.
        """
        if (request, again) not in self._models:
            layers = [valuesfile.read(file).values for file in request.values]
            layers += [json.loads(request.overrides)] if request.overrides else []
            values = valuesfile.coalesce(self.defaults, *layers)
            rendered = self.renderer(request, again)
            self._models[request, again] = release(rendered, request.release, request.namespace, values)
        return self._models[request, again]


class Case:
    """One value set, and its renders by name."""

    def __init__(self, bench: Bench, values: ValueSet) -> None:
        self._bench = bench
        self.values = values

    def request(self, name: str) -> Request:
        """Return the request behind a name."""
        bench, base = self._bench, self._bench.request(values=self.values.files)
        match name:
            case "helm3":
                return replace(base, helm=bench.helm3)
            case "offered":
                return replace(base, kube_version="1.30.0", api_versions=OFFERED)
            case "bumped":
                return replace(base, chart=bench.bumped)
            case "long":
                return replace(base, release=LONGEST + "x")
            case "long-twin":
                return replace(base, release=LONGEST + "y")
            case "reconfigured":
                return replace(base, overrides=as_yaml({"runtimeConfig": {"extra": {"chatctl-check": "changed"}}}))
            case "defaults":
                return bench.request(overrides="{}")
            case _:  # base, again
                return base

    def __getitem__(self, name: str) -> Release:
        """Return the release of one of its renders.

        Raises:
            ChatctlError: it does not render to objects.
        """
        return self._bench.model(self.request(name), int(name == "again"))

    @property
    def base(self) -> Release:
        """The release of the value set as it is, rendered by Helm 4."""
        return self["base"]

    def start(self, names: Sequence[str]) -> None:
        """Begin rendering."""
        for name in names:
            self._bench.renderer.start(self.request(name), int(name == "again"))


@dataclass(frozen=True)
class Probe:
    """One key set to something else: what was rendered without and with it, None where the values are refused."""

    key: tuple[str, ...]
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
    def everything(self) -> Mapping[str, Any]:
        """The value set that sets every key to something else than its default."""
        name = "ci/everything-values.yaml"
        here = self.chart / name
        return valuesfile.read(here if here.is_file() else repository() / "chart" / name).values

    def start(self) -> None:
        """Begin rendering the probes and the parent charts."""
        single = [self._probe_request(_nested(key, value)) for key, value in self._settings.items()]
        parents = [self._umbrella_request(helm) for helm in (self._bench.helm, self._bench.helm3)]
        for request in (self._probe_request({}), *single, *parents):
            self._bench.renderer.start(request)

    @functools.cached_property
    def probes(self) -> Sequence[Probe]:
        """One probe a key: set alone, or where that is refused or changes nothing, left out of everything alone."""
        return [self._probe(key, value) for key, value in self._settings.items()]

    def umbrella(self, helm: str) -> Release:
        """Return a parent chart with two aliases of the chart, rendered by Helm "3" or "4".

        Raises:
            ChatctlError: it does not render.
        """
        request = self._umbrella_request(self._bench.helm3 if helm == "3" else self._bench.helm)
        return release(self._bench.renderer(request), request.release, request.namespace, {})

    def _probe(self, key: tuple[str, ...], value: object) -> Probe:
        entries = [{name: entry} for name, entry in value.items()] if isinstance(value, dict) else []
        usual = self._try(self._probe_request({}))
        for setting in (value, *entries):
            if (after := self._try(self._probe_request(_nested(key, setting)))) and usual != after:
                return Probe(key, usual, after)
        rest, everything = (self._probe_request(each) for each in (_without(self.everything, key), self.everything))
        if (before := self._try(rest)) and (after := self._try(everything)):
            return Probe(key, before, after)
        # A key that goes only with its siblings: all of them at once.
        siblings = _at(self.everything, key[:-1]) if len(key) > 1 else []
        return Probe(key, usual, self._try(self._probe_request(_nested(key[:-1], siblings[0]))) if siblings else None)

    @functools.cached_property
    def _settings(self) -> Mapping[tuple[str, ...], object]:
        """Another value for each key of values.yaml: that of everything-values.yaml, or a switch turned."""
        settings: dict[tuple[str, ...], object] = {}
        for key in leaves(self.defaults):
            usual, given = _at(self.defaults, key)[0], _at(self.everything, key)
            if given and given[0] != usual:
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
        twice = [{"name": about["name"], "version": about["version"], "alias": alias} for alias in ("east", "west")]
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
