"""Run-time configuration: what the front end and the container are told is what the routes serve."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chatctl.check.model import Object, Pod, Release
from chatctl.check.rule import Fault, invariant

FILES = {"runtime.js": "js", "runtime.json": "json", "runtime.env": "env"}


@invariant(
    "runtime-endpoints",
    "a front end that is told another path than the Ingress serves is a dead chat",
    "README.md, What it solves",
)
def runtime_endpoints(release: Release) -> Iterator[Fault]:
    """The endpoints in each runtime file are the routes of ingress.paths, character for character."""
    endpoints = expected_endpoints(release.values)
    variables = {
        name: endpoints[route]
        for name, route in release.values["runtimeConfig"]["env"].items()
        if name and route in endpoints
    }
    expected = {"endpoints": endpoints, "env": variables, "extra": release.values["runtimeConfig"]["extra"]}
    for each, file, text in runtime_files(release):
        settings, _ = parse(file, text)
        for key in ("env",) if file == "runtime.env" else expected:
            if not settings:
                yield Fault(each, f"data.{file}", "there are no settings in it", "write them into it as JSON")
                break
            if settings.get(key) != expected[key]:
                wrong = f"{key} is {settings.get(key)}, and should be {expected[key]}"
                yield Fault(each, f"data.{file}", wrong, "make it of ingress.paths and runtimeConfig alone, as JSON")


@invariant(
    "container-endpoints",
    "the container is told the same paths as the Ingress and the page",
    "README.md, What it solves",
)
def container_endpoints(release: Release) -> Iterator[Fault]:
    """The container's variables for routes hold the paths of ingress.paths."""
    runtime, paths = release.values["runtimeConfig"], release.values["ingress"]["paths"]
    expected = {name: paths[route] for name, route in runtime["env"].items() if name and paths.get(route)}
    for pod in (pod for pod in release.pods if pod.is_app):
        given = {each["name"]: each.get("value") for container in pod.containers for each in container.env}
        for name, path in expected.items():
            told = given.get(name)
            if runtime["enabled"] and told != path:
                wrong = f"variable {name} is {told!r} where its route is {path!r}"
                yield Fault(pod.owner, pod.at("spec.containers[0].env"), wrong, "take it from ingress.paths")


@invariant(
    "runtime-relative",
    "a scheme or host that stands in the image's configuration is wrong on the next domain",
    "README.md, What it solves",
)
def runtime_relative(release: Release) -> Iterator[Fault]:
    """What comes from the map has no scheme and no host."""
    runtime = release.values["runtimeConfig"]
    elsewhere = {route for route, url in runtime["endpoints"].items() if url}
    elsewhere |= {name for name, route in runtime["env"].items() if route in elsewhere}
    hosts = {route.host for route in release.routes if route.host}
    for each, file, text in runtime_files(release):
        settings, frame = parse(file, text)
        for name, endpoint in {**settings.get("endpoints", {}), **settings.get("env", {})}.items():
            if name not in elsewhere and not str(endpoint).startswith("/"):
                wrong = f"{name} is {endpoint!r}, which is no path{': it names a scheme or a host' if endpoint else ''}"
                yield Fault(each, f"data.{file}", wrong, "leave it the path; the browser completes it")
        for host in sorted(host for host in hosts if host in frame):
            yield Fault(each, f"data.{file}", f"the host {host} stands in it", "leave hosts out")


@invariant(
    "runtime-mounted",
    "many static servers answer 404 for the symlinks of a directory mount, which also hides the image's files",
    "kubernetes.io/docs/concepts/configuration/configmap; vercel/serve answers 404 for symlinks",
)
def runtime_mounted(release: Release) -> Iterator[Fault]:
    """Each runtime file is mounted read-only on its own path, as a regular file."""
    runtime = release.values["runtimeConfig"]
    expected = {runtime["files"][key]: file for file, key in FILES.items() if runtime["enabled"]}
    expected.pop("", None)
    for pod in (pod for pod in release.pods if pod.is_app):
        mounted = _mounts(release, pod)
        for path, file in expected.items():
            found = mounted.get(path)
            if found is None or found[1].get("subPath") != file or found[1].get("readOnly") is not True:
                field = found[0] if found else pod.at("spec.containers[0].volumeMounts")
                wrong = f"{file} is not mounted at {path} with subPath {file}, read-only"
                yield Fault(pod.owner, field, wrong, "mount each file on its own path")
        for path, (field, _) in mounted.items():
            if path not in expected:
                wrong = f"{path} is no path of runtimeConfig.files"
                yield Fault(pod.owner, field, wrong, "mount the files that are named there")


@invariant(
    "runtime-reachable",
    "the page loads its configuration from <paths.web>/config/: a route over it answers with something else",
    "README.md, Your own image",
)
def runtime_reachable(release: Release) -> Iterator[Fault]:
    """A request for the runtime files under the page's path reaches the web port."""
    web = release.values["ingress"]["paths"].get("web")
    runtime = release.values["runtimeConfig"]
    port = release.port_of("web")
    served = [path for key in ("js", "json") if "/config/" in (path := runtime["files"][key])]
    if not web or not runtime["enabled"] or not served:
        return
    asked = f"{web.rstrip('/')}/config/{served[0].rpartition('/')[2]}"
    for owner in release.of_kind("Ingress", "HTTPRoute"):
        for host in {route.host for route in release.routes if route.owner is owner}:
            matching = [
                route
                for route in release.routes
                if route.owner is owner and route.host == host and _matches(route.path, route.path_type, asked)
            ]
            hit = max(matching, default=None, key=lambda route: len(route.path))
            if hit is None or hit.port not in (port, _number(release, hit.service, port)):
                wrong = f"{host}{asked} reaches {f'port {hit.port}' if hit else 'nothing'} instead of port {port}"
                yield Fault(owner, hit.field if hit else "spec.rules", wrong, "keep other routes off that folder")


def runtime_files(release: Release) -> Iterator[tuple[Object, str, str]]:
    """Yield each runtime file with the ConfigMap that holds it."""
    for each in release.of_kind("ConfigMap"):
        for file, text in (each.data.get("data") or {}).items():
            if file in FILES:
                yield each, file, str(text)


def expected_endpoints(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the endpoint of each route: its path, or what runtimeConfig.endpoints says."""
    own = values["runtimeConfig"]["endpoints"]
    endpoints = {route: own.get(route) or path for route, path in values["ingress"]["paths"].items()}
    return {route: endpoint for route, endpoint in endpoints.items() if endpoint}


def parse(file: str, text: str) -> tuple[dict[str, Any], str]:
    """Return the settings in a runtime file, empty where they are no JSON, and the text around them.

    runtime.js ends with a call, whose argument they are; runtime.env has the variables alone.
    """
    if file == "runtime.env":
        return {"env": dict(line.partition("=")[::2] for line in text.splitlines())}, ""
    start = text.rfind("\n}(") + 3 if file == "runtime.js" else 0
    try:
        settings, length = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return {}, text
    return (settings if isinstance(settings, dict) else {}), text[:start] + text[start + length :]


def _mounts(release: Release, pod: Pod) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the mounts of the ConfigMaps with runtime files: path in the container -> its field, itself."""
    own = {each.name for each, _, _ in runtime_files(release)}
    volumes = {volume.get("name") for volume in pod.volumes if (volume.get("configMap") or {}).get("name") in own}
    return {
        mount.get("mountPath", ""): (f"{container.path}.volumeMounts[{index}]", mount)
        for container in pod.containers
        for index, mount in enumerate(container.mounts)
        if mount.get("name") in volumes
    }


def _matches(path: str, path_type: str, asked: str) -> bool:
    return path == asked or (path_type != "Exact" and asked.startswith(path.rstrip("/") + "/"))


def _number(release: Release, service: str, port: str) -> int | None:
    found = release.find("Service", service)
    ports = found.spec.get("ports") or [] if found else []
    return next((each.get("port") for each in ports if each.get("name") == port), None)
