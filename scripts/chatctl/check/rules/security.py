"""Security: the restricted Pod Security Standard in every pod, no token, no secret in plain sight."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chatctl.check.model import Container, Release
from chatctl.check.rule import Fault, invariant

RESTRICTED = "kubernetes.io/docs/concepts/security/pod-security-standards, restricted"
VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_?KEY|API_?KEY|CREDENTIALS?)$", re.IGNORECASE)
SECRET_KEY = re.compile(r"(password|passwd|(?<!existing)secret|private_?key|credentials?)$", re.IGNORECASE)
SECRET_TEXT = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]*:[^/\s:@$]+@")


@invariant("pod-restricted", "a namespace that enforces the restricted standard refuses the pod otherwise", RESTRICTED)
def pod_restricted(release: Release) -> Iterator[Fault]:
    """Every pod, hooks included, keeps to the restricted standard outside its containers."""
    mend = "leave it out"
    for pod in release.pods:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(field):
                yield Fault(pod.owner, pod.at(f"spec.{field}"), "it shares the node's", mend)
        for index, volume in enumerate(pod.volumes):
            for kind in volume.keys() - VOLUMES - {"name"}:
                yield Fault(pod.owner, pod.at(f"spec.volumes[{index}]"), f"{kind} is forbidden", mend)
        context = pod.spec.get("securityContext") or {}
        if context.get("sysctls"):
            yield Fault(pod.owner, pod.at("spec.securityContext.sysctls"), "they are forbidden", mend)


@invariant("container-restricted", "one container that asks for more is enough to have the pod refused", RESTRICTED)
def container_restricted(release: Release) -> Iterator[Fault]:
    """Every container, hooks and init containers included, keeps to the restricted standard."""
    for pod, container in release.containers:
        own = container.spec.get("securityContext") or {}
        both = {**(pod.spec.get("securityContext") or {}), **own}
        capabilities = own.get("capabilities") or {}
        checks = {
            "privileged": (not own.get("privileged"), "it is privileged"),
            "allowPrivilegeEscalation": (own.get("allowPrivilegeEscalation") is False, "it is not false"),
            "capabilities.drop": ("ALL" in (capabilities.get("drop") or []), "ALL is not among them"),
            "capabilities.add": (set(capabilities.get("add") or []) <= {"NET_BIND_SERVICE"}, "some are forbidden"),
            "procMount": (own.get("procMount", "Default") == "Default", "it is not Default"),
            "runAsNonRoot": (both.get("runAsNonRoot") is True, "neither pod nor container sets it to true"),
            "runAsUser": (both.get("runAsUser") != 0, "0 is root"),
            "seccompProfile": (
                (both.get("seccompProfile") or {}).get("type") in ("RuntimeDefault", "Localhost"),
                "neither pod nor container sets RuntimeDefault",
            ),
        }
        for field, (is_fine, wrong) in checks.items():
            if not is_fine:
                mend = "take podSecurityContext and securityContext from the values"
                yield Fault(pod.owner, f"{container.path}.securityContext.{field}", wrong, mend)
        for index, port in enumerate(container.ports):
            if port.get("hostPort"):
                yield Fault(pod.owner, f"{container.path}.ports[{index}].hostPort", "it is forbidden", "leave it out")
        for field, handler in _handlers(container):
            if handler.get("host"):
                field = f"{container.path}.{field}.host"
                yield Fault(pod.owner, field, "it is forbidden since Kubernetes 1.34", "leave it out")


@invariant(
    "security-as-asked",
    "a hook or a sidecar of the chart's own without the values' security context is refused where the app is not",
    "element-hq/ess-helm, tests/manifests",
)
def security_as_asked(release: Release) -> Iterator[Fault]:
    """Every pod and container of the chart's own has the security context that the values give."""
    users = {each["name"] for key in ("initContainers", "sidecars") for each in release.values[key]}
    for pod in release.pods:
        if (pod.spec.get("securityContext") or {}) != release.values["podSecurityContext"]:
            field = pod.at("spec.securityContext")
            yield Fault(pod.owner, field, "it is not podSecurityContext of the values", "render that")
    for pod, container in release.containers:
        if container.name not in users and container.spec.get("securityContext") != release.values["securityContext"]:
            field = f"{container.path}.securityContext"
            yield Fault(pod.owner, field, "it is not securityContext of the values", "render that")


@invariant(
    "no-token",
    "a token that nothing uses is a door for whoever gets into the pod",
    "kubernetes.io/docs/tasks/configure-pod-container/configure-service-account",
)
def no_token(release: Release) -> Iterator[Fault]:
    """No pod and no ServiceAccount mounts a token."""
    for pod in release.pods:
        if pod.spec.get("automountServiceAccountToken") is not False:
            field = pod.at("spec.automountServiceAccountToken")
            yield Fault(pod.owner, field, "it is not false", "set it to false")
    for account in release.of_kind("ServiceAccount"):
        if account.data.get("automountServiceAccountToken") is not False:
            yield Fault(account, "automountServiceAccountToken", "it is not false", "set it to false")


@invariant(
    "no-service-links",
    "a Service named chatapp would set CHATAPP_PORT=tcp://... in every pod",
    "kubernetes.io/docs/tutorials/services/connect-applications-service",
)
def no_service_links(release: Release) -> Iterator[Fault]:
    """No pod gets variables of the namespace's Services."""
    for pod in release.pods:
        if pod.spec.get("enableServiceLinks") is not False:
            yield Fault(pod.owner, pod.at("spec.enableServiceLinks"), "it is not false", "set it to false")


@invariant(
    "secret-in-env",
    "who may read pods reads their plain variables and arguments",
    "kubernetes.io/docs/concepts/configuration/secret",
)
def secret_in_env(release: Release) -> Iterator[Fault]:
    """No variable or argument has a password, a token or a key in plain."""
    passwords = {text for key, text in _leaves(release.values) if SECRET_KEY.search(key) and text}
    for pod, container in release.containers:
        for index, each in enumerate(container.env):
            value = str(each.get("value") or "")
            if value and (SECRET_NAME.search(str(each.get("name"))) or SECRET_TEXT.search(value) or value in passwords):
                field = f"{container.path}.env[{index}].value"
                wrong = f"{each.get('name')} is given in plain"
                yield Fault(pod.owner, field, wrong, "put it into a Secret, and refer to it with valueFrom")
        for field in ("command", "args"):
            for text in container.spec.get(field) or []:
                if SECRET_TEXT.search(str(text)) or text in passwords:
                    yield Fault(pod.owner, f"{container.path}.{field}", "a secret stands in it", "use a Secret")


@invariant(
    "secret-in-config",
    "a ConfigMap is readable for many, and the page's configuration for everybody",
    "kubernetes.io/docs/concepts/configuration/configmap",
)
def secret_in_config(release: Release) -> Iterator[Fault]:
    """No ConfigMap has a password or a private key."""
    passwords = {text for key, text in _leaves(release.values) if SECRET_KEY.search(key) and text}
    for each in release.of_kind("ConfigMap"):
        for name, text in (each.data.get("data") or {}).items():
            if SECRET_TEXT.search(str(text)) or any(password in str(text) for password in passwords):
                wrong = "a password or private key stands in it"
                yield Fault(each, f"data.{name}", wrong, "put it into a Secret; the page must do without it")


def _handlers(container: Container) -> Iterator[tuple[str, Mapping[str, Any]]]:
    places = {probe: container.spec.get(probe) for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    lifecycle = container.spec.get("lifecycle") or {}
    places |= {f"lifecycle.{hook}": lifecycle.get(hook) for hook in ("postStart", "preStop")}
    for place, handler in places.items():
        for kind in ("httpGet", "tcpSocket"):
            if handler and handler.get(kind):
                yield f"{place}.{kind}", handler[kind]


def _leaves(values: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (its key, text) for every text in the values."""
    if isinstance(values, str):
        yield key, values
    elif isinstance(values, Mapping):
        for name, value in values.items():
            yield from _leaves(value, str(name))
    elif isinstance(values, list):
        for value in values:
            yield from _leaves(value, key)
