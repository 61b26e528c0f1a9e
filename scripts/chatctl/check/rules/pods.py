"""Pods: their health checks and their end."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatctl.check.model import Container, Pod, Release
from chatctl.check.rule import Fault, invariant

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
TIMING = ("periodSeconds", "timeoutSeconds", "failureThreshold")


@invariant(
    "probe-port",
    "a probe on a port that is not there kills every pod, one by number breaks when the port changes",
    "element-hq/ess-helm, tests/manifests",
)
def probe_port(release: Release) -> Iterator[Fault]:
    """Every probe asks a port of its own container, by name."""
    for pod, container in release.containers:
        names = [port.get("name") for port in container.ports]
        for probe, handler in _probes(container):
            asked = [handler[kind].get("port") for kind in ("httpGet", "tcpSocket", "grpc") if handler.get(kind)]
            for port in asked:
                if port not in names and port not in [each.get("containerPort") for each in container.ports]:
                    wrong = f"it asks port {port!r}; the container has {', '.join(map(str, names)) or 'none'}"
                    yield Fault(pod.owner, f"{container.path}.{probe}", wrong, "name one of the container's ports")
                elif not isinstance(port, str) and "grpc" not in handler:
                    wrong = f"it asks port {port} by number"
                    yield Fault(pod.owner, f"{container.path}.{probe}", wrong, "use the port's name")


@invariant(
    "probe-timing",
    "an unset threshold is Kubernetes' own, which nobody here chose; a delay is what startup probes are for",
    "element-hq/ess-helm, tests/manifests",
)
def probe_timing(release: Release) -> Iterator[Fault]:
    """Every probe says how often, how long and how many times, and none waits blindly."""
    for pod, container in release.containers:
        for probe, handler in _probes(container):
            for field in (field for field in TIMING if not handler.get(field)):
                yield Fault(pod.owner, f"{container.path}.{probe}.{field}", "it is not set", "set it from the values")
            if handler.get("initialDelaySeconds"):
                field = f"{container.path}.{probe}.initialDelaySeconds"
                yield Fault(pod.owner, field, "it waits blindly", "leave the waiting to the startup probe")


@invariant(
    "probes-as-asked",
    "a probe that is missing lets a dead pod get traffic; one in a hook or init container is refused or ends it",
    "element-hq/ess-helm, tests/manifests",
)
def probes_as_asked(release: Release) -> Iterator[Fault]:
    """The app's container has the probes that the values ask for; hooks and init containers have none."""
    asked = {f"{name}Probe" for name, settings in release.values["probes"].items() if settings["enabled"]}
    for pod, container in release.containers:
        has = {probe for probe, _ in _probes(container)}
        is_sidecar = container.spec.get("restartPolicy") == "Always"
        expected = (
            asked if _is_app(pod, container) else has if pod.serves and (not container.is_init or is_sidecar) else set()
        )
        for probe in sorted(expected ^ has):
            wrong = "it is not there, and the values ask for it" if probe in expected else "nobody asked for it"
            mend = "render it where probes.*.enabled is true"
            yield Fault(pod.owner, f"{container.path}.{probe}", wrong, mend)


@invariant(
    "drain-grace",
    "a pod that is killed while it drains cuts its sockets without a word",
    "kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, termination",
)
def drain_grace(release: Release) -> Iterator[Fault]:
    """The sleep before the stop and the drain together end before the pod is killed."""
    for pod in (pod for pod in release.pods if pod.is_app):
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        sleep = max((_sleep(container) for container in pod.containers), default=0)
        drain = release.values["websocket"]["drainSeconds"]
        if grace < sleep + drain:
            wrong = f"{grace} s end before the sleep of {sleep} s and the drain of {drain} s"
            yield Fault(pod.owner, pod.at("spec.terminationGracePeriodSeconds"), wrong, "make it their sum and 5")


@invariant(
    "sleep-as-asked",
    "without the sleep proxies send to a pod that listens no more; a sleep of 0 is refused before Kubernetes 1.34",
    "KEP-3960, KEP-4818",
)
def sleep_as_asked(release: Release) -> Iterator[Fault]:
    """The app's container sleeps before it stops as long as the values say, and has no hook for 0."""
    for pod, container in release.containers:
        asked = release.values["preStopSleepSeconds"] if _is_app(pod, container) else 0
        field = f"{container.path}.lifecycle.preStop"
        hook = ((container.spec.get("lifecycle") or {}).get("preStop") or {}).get("sleep")
        if hook and not hook.get("seconds"):
            yield Fault(pod.owner, field, "it sleeps 0 seconds", "omit the hook")
        elif _is_app(pod, container) and _sleep(container) != asked:
            yield Fault(pod.owner, field, f"it sleeps {_sleep(container)} s, not {asked}", "take preStopSleepSeconds")


def _is_app(pod: Pod, container: Container) -> bool:
    """Whether it is the container that serves the routes: the first of the Deployment's own."""
    return pod.owner.kind == "Deployment" and not container.is_init and container.path.endswith("containers[0]")


def _probes(container: Container) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for probe in PROBES:
        if container.spec.get(probe):
            yield probe, container.spec[probe]


def _sleep(container: Container) -> int:
    hook = (container.spec.get("lifecycle") or {}).get("preStop") or {}
    return int((hook.get("sleep") or {}).get("seconds") or 0)
