"""What the values say of the app's container, its image, its Service and its account is what is rendered."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatctl.check.model import Object, Release
from chatctl.check.rule import Fault, invariant

PASSED_ON = "chart/README.md, Values"


@invariant("ports-as-asked", "a container that listens elsewhere than its variables say answers nobody", PASSED_ON)
def ports_as_asked(release: Release) -> Iterator[Fault]:
    """The app's container has the ports of the values, and is told their numbers."""
    ports = _ports(release.values)
    for pod in (pod for pod in release.pods if pod.owner.kind == "Deployment"):
        app = next(container for container in pod.containers if not container.is_init)
        given = {str(port.get("name")): port.get("containerPort") for port in app.ports}
        for name in sorted(ports.keys() | given.keys()):
            if ports.get(name) != given.get(name):
                wrong = f"port {name} is {given.get(name)}, and {ports.get(name)} in the values"
                yield Fault(pod.owner, f"{app.path}.ports", wrong, "take chatapp.ports")
        told = {each.get("name"): each.get("value") for each in app.env}
        for variable, value in _variables(release.values).items():
            if told.get(variable) != value:
                wrong = f"variable {variable} is {told.get(variable)!r}, and should be {value!r}"
                yield Fault(pod.owner, f"{app.path}.env", wrong, "take chatapp.env")


@invariant("service-as-asked", "a Service that says something else than the values is nobody's decision", PASSED_ON)
def service_as_asked(release: Release) -> Iterator[Fault]:
    """The Service has the type, the annotations, the numbers and the protocols that the values give."""
    asked = release.values["service"]
    debug = [each for each in release.of_kind("Service") if each.name.endswith("-debug")]
    if asked["debug"]["enabled"] != bool(debug):
        yield Fault("service.debug.enabled", "", f"debug Services are {len(debug)}", "render one where it is true")
    controlled = release.values["ingress"]["controller"] or release.values["httpRoute"]["controller"]
    stores = [each for each in release.of_kind("Service") if _leads_to_store(release, each)]
    for service in (each for each in release.of_kind("Service") if each not in [*debug, *stores]):
        if service.spec.get("type") != asked["type"]:
            yield Fault(service, "spec.type", f"it is not service.type, {asked['type']}", "take service.type")
        exact = service.annotations == asked["annotations"]
        if not exact and not (controlled and asked["annotations"].items() <= service.annotations.items()):
            yield Fault(service, "metadata.annotations", "they are not service.annotations", "take service.annotations")
        ports = {name: asked["ports"].get(name) or number for name, number in _ports(release.values).items()}
        for index, port in enumerate(service.spec.get("ports") or []):
            name = port.get("name")
            protocol = asked["appProtocol"].get(name) or None
            if name in ports and port.get("port") != ports[name]:
                wrong = f"port {name} is {port.get('port')}, and {ports[name]} in the values"
                yield Fault(service, f"spec.ports[{index}].port", wrong, "take chatapp.service.ports")
            if port.get("appProtocol") != protocol:
                wrong = f"it is {port.get('appProtocol')}, and {protocol} in service.appProtocol"
                yield Fault(service, f"spec.ports[{index}].appProtocol", wrong, "take service.appProtocol")


@invariant("image-as-asked", "another image than the one that was named is another program", PASSED_ON)
def image_as_asked(release: Release) -> Iterator[Fault]:
    """The containers of the app, of the store and of the test have the image and the pull policy of the values."""
    for pod, container in release.containers:
        if container.is_init or not container.path.endswith("containers[0]"):
            continue
        of = (
            release.values["tests"]
            if pod.owner.is_hook
            else release.values["valkey"]
            if pod.is_store
            else release.values
        )
        image = of["image"]
        name = "/".join(filter(None, [image["registry"], image["repository"]]))
        given = str(container.spec.get("image"))
        usual = given.removeprefix(f"{name}:")
        end = f"@{image['digest']}" if image["digest"] else f":{image['tag'] or usual}"
        if given != name + end or (usual == "latest" and not image["tag"]):
            wrong = f"{given!r} is not the image of the values, {name + end}"
            yield Fault(pod.owner, f"{container.path}.image", wrong, "use chatapp.image; without a tag, the appVersion")
        if container.spec.get("imagePullPolicy") != image["pullPolicy"]:
            wrong = f"it is not {image['pullPolicy']}, as the values say"
            yield Fault(pod.owner, f"{container.path}.imagePullPolicy", wrong, "take the image's pullPolicy")


@invariant("account-as-asked", "a pod with another account, or without its pull secrets, may never start", PASSED_ON)
def account_as_asked(release: Release) -> Iterator[Fault]:
    """The app runs as the ServiceAccount of the values, and every pod has their pull secrets."""
    account = release.values["serviceAccount"]
    created = [each.name for each in release.of_kind("ServiceAccount")]
    if bool(created) != account["create"]:
        yield Fault("serviceAccount.create", "", f"ServiceAccounts are {created}", "render one where it is true")
    expected = account["name"] or (created[0] if created and account["create"] else "default")
    for pod in release.pods:
        if pod.spec.get("imagePullSecrets", []) != release.values["imagePullSecrets"]:
            field = pod.at("spec.imagePullSecrets")
            yield Fault(pod.owner, field, "they are not imagePullSecrets of the values", "render those")
        if pod.is_app and pod.spec.get("serviceAccountName") != expected:
            wrong = f"it is {pod.spec.get('serviceAccountName')!r}, and should be {expected!r}"
            yield Fault(pod.owner, pod.at("spec.serviceAccountName"), wrong, "use chatapp.serviceAccountName")


def _leads_to_store(release: Release, service: Object) -> bool:
    return any(pod.is_store for pod in release.selected_by(service.spec.get("selector")))


def _ports(values: Mapping[str, Any]) -> dict[str, int]:
    return {name: number for name, number in values["ports"].items() if number}


def _variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables for ports and WebSocket settings, as the container should get them."""
    websocket = values["websocket"]
    told: dict[str, str] = {values["portEnv"].get(name, ""): str(number) for name, number in _ports(values).items()}
    told[websocket["env"]["pingInterval"]] = str(websocket["pingInterval"])
    told[websocket["env"]["drainSeconds"]] = str(websocket["drainSeconds"])
    if websocket["allowedOrigins"]:
        told[websocket["env"]["allowedOrigins"]] = ",".join(websocket["allowedOrigins"])
    return {variable: value for variable, value in told.items() if variable}
