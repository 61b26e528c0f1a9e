"""The output as text: nothing empty, nothing left over, everything readable."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from chatctl import imagename
from chatctl.check.model import Release, strings
from chatctl.check.rule import Fault, invariant

MEANT = re.compile(r"(emptyDir|[sS]elector|(ingress|egress|from|to)\[\d+\])$")
"""Fields whose emptiness says something: all pods, any peer."""

RESIDUE = re.compile(r"\{\{|\}\}|<no value>|%!\w?\(|\.Values\.|map\[")


@invariant(
    "no-null",
    "an empty field (`ingressClassName:`) is null: refused, or a default nobody chose",
    "stefanprodan/podinfo renders ingressClassName and metrics so",
)
def no_null(release: Release) -> Iterator[Fault]:
    """No field is null or an empty map."""
    for each in release.objects:
        for path, value in _nodes(each.data, ""):
            if value is None or (isinstance(value, Mapping | list) and not value and not MEANT.search(path)):
                yield Fault(
                    each,
                    path,
                    "it is empty",
                    "leave the key out where there is no value, or indent what belongs below it",
                )


@invariant(
    "no-residue", "what a template left over reaches the cluster as text", "element-hq/ess-helm, tests/manifests"
)
def no_residue(release: Release) -> Iterator[Fault]:
    """No text has a template, a Go value or a failed format in it, outside of what the user wrote."""
    written = set(strings(release.values))
    for each in release.objects:
        for path, value in _nodes(each.data, ""):
            if not isinstance(value, str) or "\n" in value or value in written:
                continue
            if found := RESIDUE.search(value):
                yield Fault(each, path, f"{found[0]!r} stands in {value!r}", "mend the template")
            elif value.startswith("[") and value.endswith("]") and not _is_json(value):
                yield Fault(each, path, f"{value!r} is a list as Go prints it", "join it, or use toJson")


@invariant(
    "config-readable",
    "a file that is empty or broken is found out by the program that reads it, at night",
    "element-hq/ess-helm, tests/manifests",
)
def config_readable(release: Release) -> Iterator[Fault]:
    """Every ConfigMap has data; its JSON is JSON, and a file of several lines ends with one."""
    for each in release.of_kind("ConfigMap"):
        if not each.data.get("data"):
            yield Fault(each, "data", "there is none", "render no ConfigMap then")
        if each.data.get("immutable"):
            yield Fault(each, "immutable", "no upgrade could change it", "leave it out")
        for name, text in (each.data.get("data") or {}).items():
            if name.endswith(".json") and not _is_json(text):
                yield Fault(each, f"data.{name}", "it is not JSON", "write it with toPrettyJson")
            if name.endswith(".js") and re.search("[\u2028\u2029]|</", text):
                wrong = "it has a text in it that ends a script or a line of JavaScript"
                yield Fault(each, f"data.{name}", wrong, "escape it with toPrettyJson, not toRawJson")
            if "\n" in text and not text.endswith("\n"):
                yield Fault(each, f"data.{name}", "its last line has no end", "keep the newline")
    for each in release.of_kind("Secret"):
        if not each.data.get("type"):
            yield Fault(each, "type", "it is not set", "set it to Opaque")


@invariant(
    "image",
    "an image without tag is `latest`, a policy that is unset depends on the tag",
    "element-hq/ess-helm, tests/manifests",
)
def image(release: Release) -> Iterator[Fault]:
    """Every image has a valid name with tag or digest, and a pull policy."""
    for pod, container in release.containers:
        name = str(container.spec.get("image") or "")
        parts = imagename.parse(name)
        if parts is None or not (parts["tag"] or parts["digest"]):
            wrong = f"{name!r} is no image with a tag or a digest"
            yield Fault(pod.owner, f"{container.path}.image", wrong, "use chatapp.image")
        if not container.spec.get("imagePullPolicy"):
            field = f"{container.path}.imagePullPolicy"
            yield Fault(pod.owner, field, "it is not set", "set it from the image's pullPolicy")


@invariant(
    "test-hook",
    "Helm drops an object with a hook it does not know; a test pod that restarts or stays fails the next `helm test`",
    "helm.sh/docs/topics/charts_hooks; element-hq/ess-helm, tests/manifests",
)
def test_hook(release: Release) -> Iterator[Fault]:
    """Where there is a WebSocket route, `helm test` has its pod, which is replaced each time and does not restart."""
    hooks = [pod for pod in release.pods if pod.owner.is_hook]
    ports, paths = release.values["ports"], release.values["ingress"]["paths"]
    name = release.port_of("ws")
    if ports.get(name) and (paths.get("ws") or release.values["tests"]["path"]) and not hooks:
        mend = "render one with the annotation helm.sh/hook: test, and no other event that Helm does not know"
        yield Fault("templates/tests", "", "there is a WebSocket route and no test pod", mend)
    for pod in hooks:
        if "helm.sh/hook-delete-policy" not in pod.owner.annotations:
            field = "metadata.annotations.helm.sh/hook-delete-policy"
            yield Fault(pod.owner, field, "it is not set", "set it to before-hook-creation")
        if pod.spec.get("restartPolicy") != "Never":
            yield Fault(pod.owner, pod.at("spec.restartPolicy"), "it is not Never", "set it to Never")
        for container in pod.containers:
            asked = {each.get("name"): str(each.get("value")) for each in container.env}
            service = release.find("Service", asked.get("HOST", ""))
            numbers = [str(port.get("port")) for port in service.spec.get("ports") or []] if service else []
            path = release.values["tests"]["path"] or paths.get("ws")
            if asked.get("REQUEST_PATH", "").replace("$$", "$") != path:
                wrong = f"REQUEST_PATH is {asked.get('REQUEST_PATH')!r}, and route ws {path!r}"
                yield Fault(pod.owner, f"{container.path}.env", wrong, "take chatapp.tests.target")
            if asked.get("PORT") not in numbers:
                wrong = f"{asked.get('HOST')}:{asked.get('PORT')} is no Service and port of the release"
                yield Fault(pod.owner, f"{container.path}.env", wrong, "take chatapp.tests.target")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _nodes(value: object, path: str) -> Iterator[tuple[str, object]]:
    yield path, value
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _nodes(child, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, child in enumerate(value):
            yield from _nodes(child, f"{path}[{index}]")
