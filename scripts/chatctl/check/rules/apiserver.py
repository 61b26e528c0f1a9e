"""What the API server or Helm refuses although it fits the schema: words, exclusive fields, texts that decode."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from chatctl.check.model import Object, Release
from chatctl.check.rule import Fault, invariant

API = "kubernetes.io/docs/reference/kubernetes-api"
PROTOCOLS = ("TCP", "UDP", "SCTP")
POLICIES = ("Always", "IfNotPresent", "Never")
FLOAT = re.compile(r"^\s*(?:- )?([\w.]+): (-?\d(?:\.\d+)?e\+\d+)$", re.MULTILINE)
DELETE_POLICIES = frozenset(["before-hook-creation", "hook-succeeded", "hook-failed"])
HELM = frozenset(f"helm.sh/{name}" for name in ("hook", "hook-weight", "hook-delete-policy", "hook-output-log-policy"))


@invariant("enumerations", "a word that Kubernetes does not know is refused; the schemas take any text", API)
def enumerations(release: Release) -> Iterator[Fault]:
    """Protocols, policies and types are words that Kubernetes knows."""
    for service in release.of_kind("Service"):
        if service.spec.get("type") not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName", None):
            yield Fault(service, "spec.type", f"{service.spec['type']!r} is no type", "take service.type")
        for index, port in enumerate(service.spec.get("ports") or []):
            if port.get("protocol", "TCP") not in PROTOCOLS:
                yield _unknown(service, f"spec.ports[{index}].protocol", port["protocol"], PROTOCOLS)
    for pod, container in release.containers:
        for index, port in enumerate(container.ports):
            if port.get("protocol", "TCP") not in PROTOCOLS:
                yield _unknown(pod.owner, f"{container.path}.ports[{index}].protocol", port["protocol"], PROTOCOLS)
        if (policy := container.spec.get("imagePullPolicy")) not in (None, *POLICIES):
            yield _unknown(pod.owner, f"{container.path}.imagePullPolicy", policy, POLICIES)
    for pod in release.pods:
        policies = ("Always",) if pod.serves else ("Never", "OnFailure")
        if (policy := pod.spec.get("restartPolicy", policies[0])) not in policies:
            yield _unknown(pod.owner, pod.at("spec.restartPolicy"), policy, policies)


@invariant("exclusive", "fields that exclude each other are refused together, each of them fits its schema", API)
def exclusive(release: Release) -> Iterator[Fault]:
    """No object has fields that Kubernetes takes only without each other."""
    for each in release.of_kind("Deployment"):
        strategy = each.spec.get("strategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        if rolling and strategy.get("type", "RollingUpdate") != "RollingUpdate":
            yield Fault(each, "spec.strategy.rollingUpdate", f"type is {strategy['type']}", "keep type RollingUpdate")
        if str(rolling.get("maxSurge", 1)) in ("0", "0%") and str(rolling.get("maxUnavailable", 1)) in ("0", "0%"):
            yield Fault(
                each, "spec.strategy.rollingUpdate", "neither a surge nor an absence is allowed", "let one surge"
            )
    for pod, container in release.containers:
        for probe in ("startupProbe", "livenessProbe"):
            if (container.spec.get(probe) or {}).get("successThreshold", 1) != 1:
                field = f"{container.path}.{probe}.successThreshold"
                yield Fault(pod.owner, field, "it can only be 1", "leave it out; readiness may have another")
        for index, each_env in enumerate(container.env):
            if "value" in each_env and "valueFrom" in each_env:
                field = f"{container.path}.env[{index}]"
                yield Fault(pod.owner, field, "it has both value and valueFrom", "keep one")


@invariant(
    "numbers",
    "Helm prints a large number as 1.00064e+09 where a template prints it bare: no integer for Kubernetes",
    API,
)
def numbers(release: Release) -> Iterator[Fault]:
    """No number is printed with an exponent."""
    for each in release.objects:
        for key, number in FLOAT.findall(each.text):
            yield Fault(each, key, f"it is printed as {number}", "print it with toYaml, or | int64")


@invariant("base64", "data that does not decode is refused", API)
def decodes(release: Release) -> Iterator[Fault]:
    """The data of Secrets is base64."""
    for each in release.of_kind("Secret", "ConfigMap"):
        field = "data" if each.kind == "Secret" else "binaryData"
        for key, text in (each.data.get(field) or {}).items():
            try:
                base64.b64decode(str(text), validate=True)
            except binascii.Error:
                yield Fault(each, f"{field}.{key}", "it is not base64", "use b64enc, or stringData")


@invariant(
    "hooks-known",
    "Helm drops an object whose hook it does not know, and keeps one whose annotation is misspelt: neither is a hook",
    "helm.sh/docs/topics/charts_hooks",
)
def hooks_known(release: Release) -> Iterator[Fault]:
    """Hooks have annotations and policies that Helm knows; a bare Pod is a hook, what the app uses is none."""
    for each in release.objects:
        for name in each.annotations:
            if name.startswith("helm.sh/") and name not in HELM | {"helm.sh/resource-policy"}:
                known = ", ".join(sorted(HELM))
                yield Fault(
                    each, f"metadata.annotations.{name}", "Helm knows no such annotation", f"use one of {known}"
                )
        if each.kind == "Pod" and not each.is_hook:
            yield Fault(each, "metadata.annotations", "a bare Pod that is no hook is never replaced", "make it a hook")
        policies = str(each.annotations.get("helm.sh/hook-delete-policy") or "before-hook-creation").split(",")
        for policy in {policy.strip() for policy in policies} - DELETE_POLICIES:
            field = "metadata.annotations.helm.sh/hook-delete-policy"
            yield _unknown(each, field, policy, sorted(DELETE_POLICIES))
    used = {name for pod in release.pods if not pod.owner.is_hook for name in pod.names}
    for each in release.of_kind("ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"):
        if each.is_hook and each.name in used:
            field = "metadata.annotations.helm.sh/hook"
            yield Fault(each, field, "the app uses it, and Helm neither upgrades nor deletes a hook", "make it none")


def _unknown(each: Object, field: str, word: object, known: Sequence[str]) -> Fault:
    return Fault(each, field, f"{word!r} is none that is known", f"use one of {', '.join(known)}")
