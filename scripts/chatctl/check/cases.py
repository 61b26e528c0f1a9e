"""What is checked: value sets, each rendered in several ways."""

import functools
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chatctl import valuesfile
from chatctl.check.model import Release, release
from chatctl.check.renderer import Renderer
from chatctl.errors import UserError
from chatctl.paths import repository
from chatctl.render import Request, as_yaml

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

    @property
    def are_defaults(self) -> bool:
        """Whether they are the chart's defaults, unchanged."""
        try:
            return not any(valuesfile.read(file).values for file in self.files)
        except UserError:
            return False


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
                return replace(base, kube_version="v1.30.0-gke.100", api_versions=OFFERED)
            case "bumped":
                return replace(base, chart=bench.bumped)
            case "long":
                return replace(base, release=LONGEST + "x")
            case "long-twin":
                return replace(base, release=LONGEST + "y")
            case "reconfigured":
                return replace(base, overrides=as_yaml({"runtimeConfig": {"extra": {"chatctl-check": "changed"}}}))
            case "rerouted":
                return replace(base, overrides=as_yaml({"ingress": self._another_route()}))
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

    def _another_route(self) -> dict[str, Any]:
        """Return a route more, to any port that there is: it changes the runtime files and no variable."""
        values = valuesfile.coalesce(
            self._bench.defaults, *(valuesfile.read(file).values for file in self.values.files)
        )
        port = next(name for name, number in values["ports"].items() if number)
        base = str(values["ingress"]["paths"].get("web") or "").rstrip("/")
        return {"paths": {"chatctl-check": f"{base}/chatctl-check"}, "routes": {"chatctl-check": {"port": port}}}

    def start(self, names: Sequence[str]) -> None:
        """Begin rendering."""
        for name in names:
            self._bench.renderer.start(self.request(name), int(name == "again"))
