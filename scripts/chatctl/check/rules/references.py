"""What is given once, and what refers to something: volumes, mounts, ConfigMaps, Secrets, ServiceAccounts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatctl.check.model import Object, Pod, Release, strings
from chatctl.check.rule import Fault, invariant

DECLARING = frozenset({"name", "secretName", "existingSecret", "existingClaim", "caSecret", "claimName"})
"""Keys of values under which users name objects that exist already."""


@invariant(
    "env-once",
    "of two variables with one name the API server refuses both (server-side apply) or takes the last",
    "kubernetes.io/docs/reference/using-api/server-side-apply",
)
def env_once(release: Release) -> Iterator[Fault]:
    """No container has a variable twice."""
    for pod, container in release.containers:
        yield from _twice(pod.owner, f"{container.path}.env", [each.get("name") for each in container.env])


@invariant(
    "ports-once",
    "a port name or number that is there twice makes a Service take either, or is refused",
    "kubernetes.io/docs/concepts/services-networking/service, multi-port",
)
def ports_once(release: Release) -> Iterator[Fault]:
    """No pod and no Service has a port name or number twice, and every port has a name."""
    for pod in release.pods:
        ports = [port for container in pod.containers for port in container.ports]
        yield from _twice(pod.owner, pod.at("spec.containers[].ports"), [port.get("name") for port in ports])
        numbers = [(port.get("containerPort"), port.get("protocol", "TCP")) for port in ports]
        yield from _twice(pod.owner, pod.at("spec.containers[].ports"), numbers)
    for service in release.of_kind("Service"):
        ports = service.spec.get("ports") or []
        numbers = [(port.get("port"), port.get("protocol", "TCP")) for port in ports]
        yield from _twice(service, "spec.ports", [port.get("name") for port in ports])
        yield from _twice(service, "spec.ports", numbers)


@invariant(
    "mounts-once",
    "of two volumes on one path the API server refuses both",
    "kubernetes.io/docs/reference, Container.volumeMounts; element-hq/ess-helm, tests/manifests",
)
def mounts_once(release: Release) -> Iterator[Fault]:
    """No container mounts two volumes on one path, no pod has two volumes of one name."""
    for pod in release.pods:
        yield from _twice(pod.owner, pod.at("spec.volumes"), [volume.get("name") for volume in pod.volumes])
        for container in pod.containers:
            paths = [mount.get("mountPath") for mount in container.mounts]
            yield from _twice(pod.owner, f"{container.path}.volumeMounts", paths)


@invariant(
    "volumes-used",
    "a mount without its volume is refused; a volume that nobody mounts is a template's leftover",
    "element-hq/ess-helm, tests/manifests",
)
def volumes_used(release: Release) -> Iterator[Fault]:
    """Every mount has its volume, and every volume is mounted."""
    for pod in release.pods:
        names = [volume.get("name") for volume in pod.volumes]
        mounted = [mount.get("name") for container in pod.containers for mount in container.mounts]
        for container in pod.containers:
            for index, mount in enumerate(container.mounts):
                if mount.get("name") not in names:
                    field = f"{container.path}.volumeMounts[{index}]"
                    yield Fault(pod.owner, field, f"there is no volume {mount.get('name')}", "add it, or mend the name")
        for index, name in enumerate(names):
            if name not in mounted:
                yield Fault(pod.owner, pod.at(f"spec.volumes[{index}]"), f"nobody mounts {name}", "remove it")


@invariant(
    "references",
    "a pod that refers to an object that is not there never starts",
    "element-hq/ess-helm, tests/manifests",
)
def references(release: Release) -> Iterator[Fault]:
    """Every object that a pod refers to is in the release, with the key, or named in the values."""
    declared = set(_declared(release.values)) | {"default"}
    for pod in release.pods:
        for kind, source, field in _references(pod):
            name = source.get("name") or source.get("secretName") or source.get("claimName") or ""
            found = release.find(kind, name)
            if found is None and name not in declared and not source.get("optional"):
                wrong = f"there is no {kind} {name or '(none)'} in the release, and the values name none"
                yield Fault(pod.owner, field, wrong, "mend the name, or render the object")
            elif found is not None:
                wanted = [source["key"]] if "key" in source else [item["key"] for item in source.get("items") or []]
                for key in (key for key in wanted if key not in _keys(found)):
                    yield Fault(pod.owner, field, f"{found} has no key {key}", "mend the key")
    for binding in release.of_kind("RoleBinding"):
        for index, subject in enumerate(binding.data.get("subjects") or []):
            name = subject.get("name", "")
            if subject.get("kind") == "ServiceAccount" and not (
                release.find("ServiceAccount", name) or name in declared
            ):
                yield Fault(binding, f"subjects[{index}]", f"there is no ServiceAccount {name}", "mend the name")
    for pod in release.pods:
        for container in pod.containers:
            for index, mount in enumerate(container.mounts):
                config = _config_of(release, pod, mount.get("name"))
                if config is not None and mount.get("subPath") and mount["subPath"] not in _keys(config):
                    field = f"{container.path}.volumeMounts[{index}].subPath"
                    yield Fault(pod.owner, field, f"{config} has no key {mount['subPath']}", "mend the key")


@invariant(
    "config-used",
    "an object that no pod refers to is written for nobody",
    "element-hq/ess-helm, tests/manifests",
)
def config_used(release: Release) -> Iterator[Fault]:
    """Every ConfigMap, Secret and ServiceAccount of the release is used by a pod."""
    used = {(kind, name) for pod in release.pods for kind, source, _ in _references(pod) for name in strings(source)}
    for each in release.of_kind("ConfigMap", "Secret", "ServiceAccount"):
        if (each.kind, each.name) not in used and not each.is_hook:
            yield Fault(each, "metadata.name", "no pod uses it", "mend the name where it is used, or remove it")


@invariant(
    "tls-as-asked",
    "a certificate's Secret is named by the user, for hosts that are served",
    "element-hq/ess-helm, tests/manifests",
)
def tls_as_asked(release: Release) -> Iterator[Fault]:
    """Every TLS entry of an Ingress has hosts, and a Secret that the values name."""
    declared = set(_declared(release.values))
    for ingress in release.of_kind("Ingress"):
        given = ingress.spec.get("tls") or []
        if len(given) != len(release.values["ingress"]["tls"]):
            yield Fault(ingress, "spec.tls", f"{len(given)} entries are not those of ingress.tls", "render each entry")
        for index, entry in enumerate(given):
            if entry.get("secretName") and entry["secretName"] not in declared:
                wrong = f"the values name no Secret {entry['secretName']}"
                yield Fault(ingress, f"spec.tls[{index}].secretName", wrong, "take it from ingress.tls")
            if not entry.get("hosts"):
                yield Fault(ingress, f"spec.tls[{index}].hosts", "there are none", "take ingress.hosts")


def _twice(each: Object, field: str, values: Sequence[object]) -> Iterator[Fault]:
    for value in dict.fromkeys(value for value in values if values.count(value) > 1 or not value):
        yield Fault(each, field, f"{value} is there twice" if value else "a name is empty", "give each its own")


def _references(pod: Pod) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield (kind, the reference, its field) for all that a pod refers to by name."""
    if account := pod.spec.get("serviceAccountName"):
        yield "ServiceAccount", {"name": account}, pod.at("spec.serviceAccountName")
    for index, secret in enumerate(pod.spec.get("imagePullSecrets") or []):
        yield "Secret", secret, pod.at(f"spec.imagePullSecrets[{index}]")
    kinds = {"configMap": "ConfigMap", "secret": "Secret", "persistentVolumeClaim": "PersistentVolumeClaim"}
    for index, volume in enumerate(pod.volumes):
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            for key in kinds.keys() & source.keys():
                yield kinds[key], source[key] or {}, pod.at(f"spec.volumes[{index}].{key}")
    keys = {
        "configMapKeyRef": "ConfigMap",
        "secretKeyRef": "Secret",
        "configMapRef": "ConfigMap",
        "secretRef": "Secret",
    }
    for container in pod.containers:
        for field in ("env", "envFrom"):
            for index, each in enumerate(container.spec.get(field) or []):
                source = each.get("valueFrom") or each
                for key in keys.keys() & source.keys():
                    yield keys[key], source[key] or {}, f"{container.path}.{field}[{index}].{key}"


def _keys(each: Object) -> set[str]:
    return {key for field in ("data", "stringData", "binaryData") for key in each.data.get(field) or {}}


def _config_of(release: Release, pod: Pod, name: object) -> Object | None:
    """Return the release's ConfigMap or Secret behind a volume."""
    for volume in (volume for volume in pod.volumes if volume.get("name") == name):
        for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            source = volume.get(key) or {}
            if source:
                return release.find(kind, source.get("name") or source.get("secretName") or "")
    return None


def _declared(values: object) -> Iterator[str]:
    """Yield the names of objects that the values speak of."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            if key in DECLARING and isinstance(value, str):
                yield value
            yield from _declared(value)
    elif isinstance(values, Sequence) and not isinstance(values, str):
        for each in values:
            yield from _declared(each)
