"""The routes: in order, in form, and exactly those of the one map, on the hosts that were asked for."""

import itertools
import re
from collections.abc import Iterator

from chatctl.check.model import Object, Release, Route
from chatctl.check.rule import Fault, invariant
from chatctl.check.rules.chain import service_port, url

REWRITES = re.compile(r"rewrite|use-regex|strip-?prefix|path-prefix|transforms\.|app-root", re.IGNORECASE)
PATH_TYPES = ("Prefix", "Exact", "ImplementationSpecific")


@invariant(
    "path-order",
    "some controllers (ALB) take the first path that matches: with / first, nothing else is ever reached",
    "goharbor/harbor-helm#946, kubernetes-sigs/aws-load-balancer-controller#450",
)
def path_order(release: Release) -> Iterator[Fault]:
    """Longer paths come first."""
    for owner in release.of_kind("Ingress", "HTTPRoute"):
        for host in _hosts(release, owner):
            routes = _routes(release, owner, host)
            for before, route in itertools.pairwise(routes):
                if len(route.path) > len(before.path):
                    wrong = f"{route.path} comes after {before.path}, which is shorter"
                    yield Fault(owner, route.field, wrong, "sort the paths, the longest first")


@invariant(
    "path-form",
    "a trailing slash, a wildcard or a regular expression means something else in each controller",
    "mastodon/chart#36; chart/README.md, ingress.paths",
)
def path_form(release: Release) -> Iterator[Fault]:
    """A path starts with a slash, ends without one, and is matched literally."""
    for route in release.routes:
        if not re.fullmatch(r"/|(/[A-Za-z0-9_.~-]+)+", route.path):
            yield Fault(route.owner, route.field, f"the path {route.path!r} is no plain path", "write it like /api")
        if route.path_type not in PATH_TYPES:
            yield Fault(route.owner, route.field, f"the path type {route.path_type!r} is unknown", "use Prefix")


@invariant(
    "path-once",
    "of two rules for one path a controller takes either",
    "gateway-api.sigs.k8s.io/reference/spec#httprouterule",
)
def path_once(release: Release) -> Iterator[Fault]:
    """No object has a path twice on one host."""
    for owner in release.of_kind("Ingress", "HTTPRoute"):
        seen: set[tuple[str, str, str]] = set()
        for route in (route for route in release.routes if route.owner is owner):
            key = (route.host, route.path, route.path_type)
            if key in seen:
                yield Fault(owner, route.field, f"{url(route)} is there twice", "keep one")
            seen.add(key)


@invariant(
    "no-rewrite",
    "the container gets each path whole: a rewrite makes routes and the front end's endpoints differ",
    "README.md, What it solves",
)
def no_rewrite(release: Release) -> Iterator[Fault]:
    """No annotation or filter rewrites a path."""
    for owner in release.of_kind("Ingress", "HTTPRoute"):
        for name in owner.annotations:
            if REWRITES.search(name):
                yield Fault(owner, f"metadata.annotations.{name}", "it rewrites paths", "remove it")
        for index, rule in enumerate(owner.spec.get("rules") or []):
            for number, each in enumerate(rule.get("filters") or []):
                if each.get("type") in ("URLRewrite", "RequestRedirect"):
                    field = f"spec.rules[{index}].filters[{number}]"
                    yield Fault(owner, field, f"{each['type']} changes the path", "remove the filter")


@invariant(
    "route-map",
    "ingress.paths is the only source of routes; what it says is what is served, on every host",
    "README.md, What it solves",
)
def route_map(release: Release) -> Iterator[Fault]:
    """Ingress and HTTPRoute serve exactly the routes of ingress.paths, on each host."""
    expected = expected_routes(release)
    for key, kind in (("ingress", "Ingress"), ("httpRoute", "HTTPRoute")):
        if release.values[key]["enabled"] != bool(release.of_kind(kind)):
            found = f"there is {'an' if release.of_kind(kind) else 'no'} {kind}"
            yield Fault(f"{key}.enabled", "", found, f"render one where {key}.enabled is true, and only there")
    by_path = {path: (route, path_type, port) for (path, path_type, port), route in expected.items()}
    for owner in release.of_kind("Ingress", "HTTPRoute"):
        for host in _hosts(release, owner):
            routes = _routes(release, owner, host)
            for path in sorted(by_path.keys() - {route.path for route in routes}):
                wrong = f"route {by_path[path][0]} ({path}) is missing{_on(host)}"
                yield Fault(owner, "spec.rules", wrong, "take every route of ingress.paths")
            for served in routes:
                _, path_type, port = by_path.get(served.path, ("", "", ""))
                name = _port_name(release, served)
                if not path_type:
                    wrong = f"{served.path} is no path of ingress.paths{_on(host)}"
                    yield Fault(owner, served.field, wrong, "take the paths from the map")
                elif name and name != port:
                    wrong = f"{served.path} leads to port {name}, and to {port} by ingress.paths and routes{_on(host)}"
                    yield Fault(owner, served.field, wrong, "take the port from the map")
                elif served.path_type != _type_in(owner, path_type):
                    wrong = f"{served.path} has the type {served.path_type or '(none)'}, and {path_type} by the values"
                    yield Fault(owner, served.field, wrong, "take the type from the map")
        if owner.kind == "HTTPRoute" and not owner.spec.get("parentRefs"):
            yield Fault(owner, "spec.parentRefs", "no Gateway serves it", "name the Gateway")


@invariant(
    "host-asked",
    "a host that nobody named may be another team's: a rule without host takes them all",
    "chart/README.md, ingress.hosts",
)
def host_asked(release: Release) -> Iterator[Fault]:
    """No host is claimed that the values do not name; without any, it is <fullname>.localhost."""
    for owner in release.of_kind("Ingress", "HTTPRoute"):
        own = release.values["httpRoute"]["hostnames"] if owner.kind == "HTTPRoute" else []
        given = own or release.values["ingress"]["hosts"]
        asked = {host for host in given if "{{" not in host}
        templated = len(given) > len(asked)
        hosts = _hosts(release, owner)
        for host in hosts:
            named = host in asked or (templated and host) or (not given and host == f"{owner.name}.localhost")
            if not named:
                wrong = f"host {host or '(any)'} is claimed, which ingress.hosts does not name"
                yield Fault(owner, "spec.rules", wrong, "take the hosts from ingress.hosts")
        for host in sorted(asked - set(hosts)):
            yield Fault(owner, "spec.rules", f"host {host} of ingress.hosts is not served", "serve every host")
        if len(hosts) < len(given):
            wrong = f"{len(given)} hosts are asked for, {len(hosts)} served"
            yield Fault(owner, "spec.rules", wrong, "serve every host, templates filled in")


@invariant(
    "ingress-as-asked",
    "an annotation or a class that nobody asked for is right for one controller and wrong for the next",
    "element-hq/ess-helm, tests/manifests",
)
def ingress_as_asked(release: Release) -> Iterator[Fault]:
    """An Ingress has the class and the annotations that the values give, and no others unless a controller is named."""
    asked = release.values["ingress"]
    for ingress in release.of_kind("Ingress"):
        if ingress.spec.get("ingressClassName", "") != asked["className"]:
            wrong = f"{ingress.spec.get('ingressClassName')!r} is not ingress.className, {asked['className']!r}"
            yield Fault(ingress, "spec.ingressClassName", wrong, "render it where it is set")
        for name in sorted(ingress.annotations.keys() ^ asked["annotations"].keys()):
            if asked["controller"] and name not in asked["annotations"]:
                continue  # of files/controllers.yaml
            wrong = "it is missing" if name in asked["annotations"] else "nobody asked for it"
            yield Fault(ingress, f"metadata.annotations.{name}", wrong, "take ingress.annotations")


def expected_routes(release: Release) -> dict[tuple[str, str, str], str]:
    """Return what the map says: (path, path type, port name) -> route."""
    details = release.values["ingress"]["routes"]
    return {
        (path, details.get(route, {}).get("pathType", "Prefix"), release.port_of(route)): route
        for route, path in release.values["ingress"]["paths"].items()
        if path
    }


def _hosts(release: Release, owner: Object) -> list[str]:
    return list(dict.fromkeys(route.host for route in release.routes if route.owner is owner))


def _routes(release: Release, owner: Object, host: str) -> list[Route]:
    return [route for route in release.routes if route.owner is owner and route.host == host]


def _port_name(release: Release, route: Route) -> str:
    service = release.find("Service", route.service)
    port = service_port(service, route.port) if service else None
    return str(port.get("name")) if port else ""


def _on(host: str) -> str:
    return f", on host {host}" if host else ", on any host"


def _type_in(owner: Object, path_type: str) -> str:
    """Return a path type as an object says it: an HTTPRoute knows no ImplementationSpecific, a prefix is nearest."""
    return "Prefix" if (owner.kind, path_type) == ("HTTPRoute", "ImplementationSpecific") else path_type
