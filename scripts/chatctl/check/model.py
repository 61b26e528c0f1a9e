"""A rendered release as its parts: objects, pods, containers, Services, routes.

Everything keeps the object it came from and its place in it, so that what is wrong can be shown where it stands.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatctl.render import Rendered

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
TEST_HOOK = "helm.sh/hook"


@dataclass(frozen=True)
class Object:
    """One object, the template that made it (`templates/service.yaml`), and the text as it was printed."""

    data: Mapping[str, Any]
    template: str = ""
    text: str = ""

    @property
    def kind(self) -> str:
        """Its kind, such as Service."""
        return str(self.data.get("kind", ""))

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return str(self.metadata.get("name", ""))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata."""
        return self.data.get("metadata") or {}

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.metadata.get("labels") or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return self.metadata.get("annotations") or {}

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec."""
        return self.data.get("spec") or {}

    @property
    def is_hook(self) -> bool:
        """Whether Helm runs it at some event (`helm test` among them) instead of keeping it in the release."""
        return TEST_HOOK in self.annotations

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Container:
    """A container of a pod, and the path of its field in the object."""

    spec: Mapping[str, Any]
    path: str
    is_init: bool

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.spec.get("name", ""))

    @property
    def ports(self) -> Sequence[Mapping[str, Any]]:
        """Its declared ports."""
        return self.spec.get("ports") or []

    @property
    def env(self) -> Sequence[Mapping[str, Any]]:
        """Its variables."""
        return self.spec.get("env") or []

    @property
    def mounts(self) -> Sequence[Mapping[str, Any]]:
        """Its volume mounts."""
        return self.spec.get("volumeMounts") or []


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of a workload's pods; `path` leads to its metadata and spec, empty for a pod itself."""

    owner: Object
    path: str
    data: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return (self.data.get("metadata") or {}).get("labels") or {}

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec."""
        return self.data.get("spec") or {}

    @property
    def serves(self) -> bool:
        """Whether it runs on, rather than to an end as a job or a test does."""
        return self.owner.kind in ("Deployment", "StatefulSet", "DaemonSet")

    @property
    def is_store(self) -> bool:
        """Whether it is the release's own store: the one thing here that must never run twice."""
        return self.owner.kind == "StatefulSet"

    @property
    def is_app(self) -> bool:
        """Whether it is what the routes lead to."""
        return self.serves and not self.is_store

    @property
    def containers(self) -> Sequence[Container]:
        """Its containers, init containers first."""
        return [
            Container(spec, f"{self.at('spec')}.{field}[{index}]", field == "initContainers")
            for field in ("initContainers", "containers")
            for index, spec in enumerate(self.spec.get(field) or [])
        ]

    @property
    def ports(self) -> Mapping[str, int]:
        """The named container ports."""
        return {port.get("name", ""): port.get("containerPort", 0) for each in self.containers for port in each.ports}

    @property
    def volumes(self) -> Sequence[Mapping[str, Any]]:
        """Its volumes."""
        return self.spec.get("volumes") or []

    @property
    def names(self) -> set[str]:
        """All names that stand in it: of what it refers to, and its own."""
        return set(strings(self.spec))

    def at(self, field: str) -> str:
        """Return the path of one of its fields in the object."""
        return f"{self.path}.{field}" if self.path else field


@dataclass(frozen=True)
class Route:
    """One path on one host, from an Ingress or an HTTPRoute, to one port of a Service; `port` is a name or a number.

    `path_type` is Prefix or Exact in both, else the object's own word. `host` is empty where any host matches.
    """

    owner: Object
    field: str
    host: str
    path: str
    path_type: str
    service: str
    port: str | int
    namespace: str


@dataclass(frozen=True)
class Release:
    """What one set of values renders to, and those values with the chart's defaults."""

    name: str
    namespace: str
    values: Mapping[str, Any]
    objects: Sequence[Object]

    def of_kind(self, *kinds: str) -> list[Object]:
        """Return the objects of some kinds."""
        return [each for each in self.objects if each.kind in kinds]

    def find(self, kind: str, name: str) -> Object | None:
        """Return the object of a kind and name."""
        return next((each for each in self.of_kind(kind) if each.name == name), None)

    def port_of(self, route: str) -> str:
        """Return the name of the port where a route ends by the values: the route's own unless they say another."""
        return str(self.values["ingress"]["routes"].get(route, {}).get("port", route))

    @functools.cached_property
    def pods(self) -> Sequence[Pod]:
        """All pods and pod templates, hooks included."""
        return [pod for each in self.objects for pod in _pods(each)]

    @functools.cached_property
    def routes(self) -> Sequence[Route]:
        """All routes, in the order of their objects."""
        routes = [route for each in self.of_kind("Ingress") for route in _ingress_routes(each)]
        return routes + [route for each in self.of_kind("HTTPRoute") for route in _http_routes(each)]

    @property
    def containers(self) -> Iterator[tuple[Pod, Container]]:
        """Every container with its pod, hooks and init containers included."""
        return ((pod, container) for pod in self.pods for container in pod.containers)

    def selected_by(self, selector: Mapping[str, str] | None) -> list[Pod]:
        """Return the pods that a Service's selector matches; none without one."""
        return [pod for pod in self.pods if selector and selector.items() <= pod.labels.items()]


def release(rendered: Rendered, name: str, namespace: str, values: Mapping[str, Any]) -> Release:
    """Return the model of what was rendered.

    Raises:
        ChartError: a document is not YAML, or has a key twice.
    """
    objects = [
        Object(data, document.template.partition("/")[2], document.text)
        for document in rendered.documents
        if (data := document.load()) is not None
    ]
    return Release(name, namespace, values, objects)


def strings(value: object) -> Iterator[str]:
    """Yield all strings in a value, keys aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from strings(each)


def _pods(owner: Object) -> Iterator[Pod]:
    if owner.kind == "Pod":
        yield Pod(owner, "", owner.data)
    elif owner.kind == "CronJob":
        template = ((owner.spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
        yield Pod(owner, "spec.jobTemplate.spec.template", template)
    elif owner.kind in WORKLOADS:
        yield Pod(owner, "spec.template", owner.spec.get("template") or {})


def _ingress_routes(owner: Object) -> Iterator[Route]:
    for index, rule in enumerate(owner.spec.get("rules") or []):
        for number, path in enumerate((rule.get("http") or {}).get("paths") or []):
            backend = (path.get("backend") or {}).get("service") or {}
            port = backend.get("port") or {}
            yield Route(
                owner,
                f"spec.rules[{index}].http.paths[{number}]",
                rule.get("host") or "",
                path.get("path") or "",
                path.get("pathType") or "",
                backend.get("name") or "",
                port.get("name") or port.get("number") or "",
                owner.metadata.get("namespace") or "",
            )


def _http_routes(owner: Object) -> Iterator[Route]:
    """An HTTPRoute serves each of its rules on each of its hostnames."""
    own = owner.metadata.get("namespace") or ""
    for index, rule in enumerate(owner.spec.get("rules") or []):
        for match in rule.get("matches") or [{}]:
            path = match.get("path") or {"type": "PathPrefix", "value": "/"}
            kind = path.get("type") or "PathPrefix"
            for number, backend in enumerate(rule.get("backendRefs") or []):
                for host in owner.spec.get("hostnames") or [""]:
                    yield Route(
                        owner,
                        f"spec.rules[{index}].backendRefs[{number}]",
                        host,
                        path.get("value") or "/",
                        "Prefix" if kind == "PathPrefix" else kind,
                        backend.get("name") or "",
                        backend.get("port") or "",
                        backend.get("namespace") or own,
                    )
