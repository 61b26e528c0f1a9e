"""The chain host and path -> Service -> port name -> container port: every link is there, and inside the release."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatctl.check.model import Object, Release, Route
from chatctl.check.rule import Fault, invariant


@invariant(
    "backend-service",
    "a route to a Service that is not there answers 503; the story's Ingress named the Deployment",
    "kubernetes.io/docs/concepts/services-networking/ingress",
)
def backend_service(release: Release) -> Iterator[Fault]:
    """Every route leads to a Service of this release."""
    services = ", ".join(each.name for each in release.of_kind("Service")) or "none"
    for route in release.routes:
        if release.find("Service", route.service) is None or route.namespace != release.namespace:
            wrong = f"{url(route)} leads to Service {route.service or '(none)'!r}, which this release does not have"
            yield Fault(route.owner, route.field, wrong, f"name a Service of the release: {services}")


@invariant(
    "backend-port",
    "a route to a port that its Service lacks answers 503",
    "gateway-api.sigs.k8s.io/reference/spec#backendref",
)
def backend_port(release: Release) -> Iterator[Fault]:
    """Every route names a port that its Service has."""
    for route in release.routes:
        service = release.find("Service", route.service)
        if service is not None and service_port(service, route.port) is None:
            has = ", ".join(f"{port.get('name')} ({port.get('port')})" for port in _ports(service))
            wrong = f"{url(route)} leads to port {route.port or '(none)'!r} of {service}, which has {has or 'none'}"
            yield Fault(route.owner, route.field, wrong, "name one of the Service's ports")


@invariant(
    "target-port",
    "a Service port that no container listens on refuses every connection; the story's went to 5001",
    "kubernetes.io/docs/concepts/services-networking/service",
)
def target_port(release: Release) -> Iterator[Fault]:
    """Every port of a Service ends at a container port of the pods it selects."""
    for service in release.of_kind("Service"):
        for index, port in enumerate(_ports(service)):
            target = port.get("targetPort", port.get("port"))
            for pod in (pod for pod in release.selected_by(service.spec.get("selector")) if not pod.owner.is_hook):
                if target not in pod.ports and target not in pod.ports.values():
                    has = ", ".join(f"{name} ({number})" for name, number in pod.ports.items())
                    wrong = f"targetPort {target!r} is no port of {pod.owner}, whose containers have {has or 'none'}"
                    yield Fault(service, f"spec.ports[{index}].targetPort", wrong, "use a container port's name")


@invariant(
    "same-port",
    "a port's name is one and the same in Service and container, so that web never reaches api",
    "chart/README.md, ports",
)
def same_port(release: Release) -> Iterator[Fault]:
    """A Service's port leads to the container port of the same name."""
    for service in release.of_kind("Service"):
        for index, port in enumerate(_ports(service)):
            for pod in (pod for pod in release.selected_by(service.spec.get("selector")) if not pod.owner.is_hook):
                target = port.get("targetPort", port.get("port"))
                name = target if target in pod.ports else _name_of(target, pod.ports)
                if name and name != port.get("name"):
                    wrong = f"port {port.get('name')} leads to the container's port {name}"
                    yield Fault(service, f"spec.ports[{index}]", wrong, "use the same name in both")


@invariant(
    "service-selects",
    "a Service without pods answers 503, one with pods of two kinds answers by chance",
    "kubernetes.io/docs/concepts/services-networking/service",
)
def service_selects(release: Release) -> Iterator[Fault]:
    """Every Service selects the pods of one workload."""
    for service in release.of_kind("Service"):
        if service.spec.get("type") == "ExternalName":
            continue
        owners = [pod.owner for pod in release.selected_by(service.spec.get("selector")) if pod.serves]
        if len(owners) != 1:
            found = ", ".join(map(str, owners)) or "no workload of this release"
            wrong = f"the selector {service.spec.get('selector')} selects {found}"
            yield Fault(service, "spec.selector", wrong, "use the labels that the workload's selector uses")


@invariant(
    "test-not-selected",
    "a test pod that a Service selects gets real traffic, and fails now and then",
    "helm/helm#2227",
)
def test_not_selected(release: Release) -> Iterator[Fault]:
    """No Service selects a hook's pod."""
    for service in release.of_kind("Service"):
        for pod in release.selected_by(service.spec.get("selector")):
            if pod.owner.is_hook:
                yield Fault(
                    pod.owner,
                    pod.at("metadata.labels"),
                    f"{service} selects this pod, which only tests",
                    "give it another app.kubernetes.io/component",
                )


def service_port(service: Object, port: str | int) -> Mapping[str, Any] | None:
    """Return the port of a Service by name or number."""
    return next((each for each in _ports(service) if port in (each.get("name"), each.get("port"))), None)


def url(route: Route) -> str:
    """Return what a route serves, as people write it."""
    return f"{route.host}{route.path}"


def _ports(service: Object) -> list[Mapping[str, Any]]:
    return service.spec.get("ports") or []


def _name_of(number: object, ports: Mapping[str, int]) -> str:
    return next((name for name, each in ports.items() if each == number), "")
