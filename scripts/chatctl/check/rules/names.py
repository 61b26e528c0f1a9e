"""Names, labels and selectors: valid, of this release, never in each other's way."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chatctl.check.model import Object, Pod, Release
from chatctl.check.rule import Fault, invariant

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
PORT = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
QUALIFIED = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
CLUSTER_WIDE = re.compile(
    r"^(Cluster|Namespace|Node|PersistentVolume$|StorageClass|IngressClass|PriorityClass|.*Webhook)"
)
STABLE = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component")}
STANDARD = STABLE | {f"app.kubernetes.io/{name}" for name in ("version", "part-of", "managed-by")} | {"helm.sh/chart"}
NAMES = "kubernetes.io/docs/concepts/overview/working-with-objects/names"
LABELS = "kubernetes.io/docs/concepts/overview/working-with-objects/labels"


@invariant("name-valid", "an invalid name is refused by the API server, which no schema shows", NAMES)
def name_valid(release: Release) -> Iterator[Fault]:
    """Every name is valid: objects, containers, volumes, ports, variables."""
    for each in release.objects:
        rule = SERVICE if each.kind == "Service" else LABEL
        limit = 52 if each.kind in ("StatefulSet", "CronJob") else 63
        if not rule.fullmatch(each.name) or len(each.name) > limit:
            wrong = (
                f"{each.name!r} cannot name a {each.kind}, which takes {limit} lower-case letters, digits and dashes"
            )
            yield Fault(each, "metadata.name", wrong, "use chatapp.fullname or chatapp.fullname.with")
    for service in release.of_kind("Service"):
        for index, port in enumerate(service.spec.get("ports") or []):
            if port.get("name") and not LABEL.fullmatch(str(port["name"])):
                yield _bad(service, f"spec.ports[{index}].name", port["name"], "port")
    for pod in release.pods:
        yield from _pod_names(pod)


@invariant(
    "name-own",
    "an object that is not named after its release meets those of another release",
    "element-hq/ess-helm, tests/manifests; Helm's `helm create` fullname rule",
)
def name_own(release: Release) -> Iterator[Fault]:
    """Every object's name starts with the release's name, unless the values give it."""
    given = [release.values["fullnameOverride"], release.values["serviceAccount"]["name"]]
    starts = [re.sub("[^-a-z0-9]", "-", name)[:40] for name in (release.name, *given) if name]
    for each in release.objects:
        if not each.name.startswith(tuple(starts)):
            wrong = f"{each.name!r} is not named after release {release.name}"
            yield Fault(each, "metadata.name", wrong, "use chatapp.fullname or chatapp.fullname.with")


@invariant("namespace", "an object without a namespace goes where the user's context points (kubectl apply)", NAMES)
def namespace(release: Release) -> Iterator[Fault]:
    """Every object is in the release's namespace, and none belongs to the whole cluster."""
    for each in release.objects:
        if CLUSTER_WIDE.match(each.kind):
            yield Fault(each, "kind", "it belongs to the whole cluster", "leave it to the cluster's owner")
        elif each.metadata.get("namespace") != release.namespace:
            own = each.metadata.get("namespace")
            wrong = f"{own!r} is not the release's, {release.namespace!r}" if own else "it has none"
            yield Fault(each, "metadata.namespace", wrong, "set it to .Release.Namespace")


@invariant("object-once", "of two objects with one name the second overwrites the first", NAMES)
def object_once(release: Release) -> Iterator[Fault]:
    """No two objects have the same kind and name."""
    seen: set[tuple[str, str]] = set()
    for each in release.objects:
        if (each.kind, each.name) in seen:
            yield Fault(each, "metadata.name", "another object has this kind and name", "use chatapp.fullname.with")
        seen.add((each.kind, each.name))


@invariant("labels-standard", "tools find a release's objects by these labels", LABELS)
def labels_standard(release: Release) -> Iterator[Fault]:
    """Every object has the standard labels, with the release's name as instance."""
    for each in release.objects:
        for label in sorted(STANDARD - each.labels.keys()):
            yield Fault(each, f"metadata.labels.{label}", "it is missing", "include chatapp.labels")
        instance = each.labels.get("app.kubernetes.io/instance", release.name)
        if instance != release.name:
            field = "metadata.labels.app.kubernetes.io/instance"
            yield Fault(each, field, f"{instance!r} is not the release {release.name!r}", "use .Release.Name")


@invariant(
    "label-valid", "an invalid label or annotation key is refused by the API server, which no schema shows", LABELS
)
def label_valid(release: Release) -> Iterator[Fault]:
    """Every label is valid, and so is every annotation's key."""
    for each in release.objects:
        yield from _metadata(each, "metadata", each.metadata)
    for pod in (pod for pod in release.pods if pod.path):
        yield from _metadata(pod.owner, pod.at("metadata"), pod.data.get("metadata") or {})


@invariant(
    "pod-labels",
    "the chart's version on a pod restarts every pod with each new chart",
    "helm/helm#9660, akuity/kargo#7191, bitnami/charts#4455",
)
def pod_labels(release: Release) -> Iterator[Fault]:
    """A workload's pods have its labels but the chart's version."""
    for pod in (pod for pod in release.pods if pod.path):
        if "helm.sh/chart" in pod.labels:
            field = pod.at("metadata.labels.helm.sh/chart")
            yield Fault(pod.owner, field, "it is the chart's version", "include chatapp.labels.pod")
        for label, value in pod.owner.labels.items():
            if label != "helm.sh/chart" and label not in pod.labels:
                yield Fault(pod.owner, pod.at(f"metadata.labels.{label}"), f"{value!r} is missing", "include it")


@invariant(
    "selector",
    "a selector can't be changed later, and one that is too wide takes other releases' pods",
    "nextcloud/helm#144, jupyterhub/zero-to-jupyterhub-k8s#711",
)
def selector(release: Release) -> Iterator[Fault]:
    """Every selector is name, instance and component, as the pods have them."""
    for each in release.of_kind("Service", "Deployment", "StatefulSet", "DaemonSet", "PodDisruptionBudget"):
        given = each.spec.get("selector") or {}
        field = "spec.selector" if each.kind == "Service" else "spec.selector.matchLabels"
        labels: Mapping[str, Any] = given if each.kind == "Service" else given.get("matchLabels") or {}
        if labels.keys() != STABLE:
            wrong = f"it selects by {', '.join(labels) or 'nothing'}"
            yield Fault(each, field, wrong, "include chatapp.labels.selector, which is name, instance and component")
        for pod in (pod for pod in release.pods if pod.owner is each and pod.serves):
            for label, value in labels.items():
                if pod.labels.get(label) != value:
                    wrong = f"{label}={value} is not on its own pods, which have {pod.labels.get(label)!r}"
                    yield Fault(each, field, wrong, "use the same helper for both")


@invariant(
    "selectors-match",
    "a constraint or a policy that counts pods by a label none has does nothing, without a word",
    "kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints",
)
def selectors_match(release: Release) -> Iterator[Fault]:
    """Every spread constraint and every NetworkPolicy selects pods of the release."""
    for pod in release.pods:
        for index, constraint in enumerate(pod.spec.get("topologySpreadConstraints") or []):
            labels = (constraint.get("labelSelector") or {}).get("matchLabels") or {}
            if not labels.items() <= pod.labels.items() or not labels:
                field = pod.at(f"spec.topologySpreadConstraints[{index}].labelSelector")
                yield Fault(pod.owner, field, f"{dict(labels)} is not on its own pods", "use chatapp.labels.selector")
    for policy in release.of_kind("NetworkPolicy"):
        labels = (policy.spec.get("podSelector") or {}).get("matchLabels") or {}
        if not release.selected_by(labels):
            wrong = f"{dict(labels)} selects no pod of the release"
            yield Fault(policy, "spec.podSelector", wrong, "use chatapp.labels.selector")


def _pod_names(pod: Pod) -> Iterator[Fault]:
    for container in pod.containers:
        if not LABEL.fullmatch(container.name):
            yield _bad(pod.owner, f"{container.path}.name", container.name, "container")
        for index, port in enumerate(container.ports):
            if not PORT.fullmatch(str(port.get("name") or "")):
                yield _bad(pod.owner, f"{container.path}.ports[{index}].name", port.get("name"), "port")
        for index, variable in enumerate(container.env):
            if not VARIABLE.fullmatch(str(variable.get("name") or "")):
                yield _bad(pod.owner, f"{container.path}.env[{index}].name", variable.get("name"), "variable")
    for index, volume in enumerate(pod.volumes):
        if not LABEL.fullmatch(str(volume.get("name") or "")):
            yield _bad(pod.owner, pod.at(f"spec.volumes[{index}].name"), volume.get("name"), "volume")
    names = [container.name for container in pod.containers]
    for name in {name for name in names if names.count(name) > 1}:
        yield Fault(pod.owner, pod.at("spec.containers"), f"two containers are named {name}", "rename one")


def _metadata(each: Object, path: str, metadata: Mapping[str, Any]) -> Iterator[Fault]:
    for field in ("labels", "annotations"):
        for key, value in (metadata.get(field) or {}).items():
            prefix, _, name = key.rpartition("/")
            if not QUALIFIED.fullmatch(name) or (prefix and not SUBDOMAIN.fullmatch(prefix)):
                yield Fault(each, f"{path}.{field}.{key}", "the key is not valid", "write it like example.com/name")
            if field == "labels" and not LABEL_VALUE.fullmatch(str(value)):
                wrong = f"{value!r} is no valid value: 63 letters, digits, '-', '_', '.' at most"
                yield Fault(each, f"{path}.{field}.{key}", wrong, "cut it, or replace what does not belong")


def _bad(each: Object, field: str, name: object, kind: str) -> Fault:
    return Fault(each, field, f"{name!r} cannot name a {kind}", "use lower-case letters, digits and dashes")
