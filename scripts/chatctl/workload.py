"""Follow a Deployment until its new pods serve, or say in one sentence why they can't."""

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import kr8s
import yaml
from kr8s import Api

from chatctl.errors import ToolError, UserError

ROLLOUT_SECONDS = 180
RESTARTS = 3
"""A container that ended this often while it was waited for is not going to stay; fewer may be a matter of order."""
REVISION = "deployment.kubernetes.io/revision"
IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ErrImageInspect"}


def connect(kubeconfig: Path) -> kr8s.Api:
    """Return a client for the cluster of `kubeconfig`, whatever its version: only stable APIs are asked.

    Raises:
        ToolError: the file is no kubeconfig, or its cluster does not answer.
    """
    warnings.filterwarnings("ignore", message="Kubernetes version .* is not supported", module="kr8s")
    try:
        return kr8s.api(kubeconfig=str(kubeconfig))
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError, httpx.HTTPError, kr8s.ServerError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ToolError(f"the cluster of {kubeconfig} can't be asked: {reason}; is it running?") from error


def wait_until_available(api: Api, namespace: str, name: str, note: Callable[[str], None]) -> None:
    """Wait until every replica of the Deployment's newest revision is available.

    Raises:
        UserError: a pod's image can't be had, its configuration is wrong, or its program ends at once.
        ToolError: none of these, and still not available after `ROLLOUT_SECONDS`.
    """
    deadline = time.monotonic() + ROLLOUT_SECONDS
    said = "no pod yet"
    pods: list[Any] = []
    while time.monotonic() < deadline:
        deployments: list[Any] = list(api.get("deployments", namespace=namespace))
        deployment = next((each.raw for each in deployments if each.name == name), None)
        if deployment is None:
            raise ToolError(f"deployment {name} was deleted while it was waited for; run this again.")
        if _available(deployment):
            return
        pods = _newest_pods(api, namespace, deployment)
        for pod in pods:
            said = _explain(pod)
        note(said)
        time.sleep(0.5)
    raise ToolError(
        f"deployment {name} was not available after {ROLLOUT_SECONDS} s ({said}{_unready(pods)}); "
        f"look with `kubectl -n {namespace} describe pods`."
    )


def _available(deployment: Any) -> bool:
    spec, status = deployment["spec"], deployment.get("status", {})
    wanted = spec["replicas"]
    return (
        bool(status.get("observedGeneration", 0) >= deployment["metadata"]["generation"])
        and status.get("updatedReplicas", 0) == status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def _newest_pods(api: Api, namespace: str, deployment: Any) -> list[Any]:
    """Return the pods of the newest ReplicaSet; older ones may be broken for reasons that are history."""
    revision = deployment["metadata"].get("annotations", {}).get(REVISION)
    selector = deployment["spec"]["selector"]["matchLabels"]
    sets: list[Any] = list(api.get("replicasets", namespace=namespace, label_selector=selector))
    newest = {each.name for each in sets if each.annotations.get(REVISION) == revision}
    pods: list[Any] = list(api.get("pods", namespace=namespace, label_selector=selector))
    return [pod for pod in pods if {owner["name"] for owner in pod.metadata.get("ownerReferences", [])} & newest]


def _explain(pod: Any) -> str:
    """Return what a pod waits for.

    Raises:
        UserError: it waits in vain.
    """
    status = pod.raw.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        if reason in IMAGE_TROUBLE:
            raise UserError(
                f"the image {container['image']} can't be had by the cluster ({reason}: {_short(message)}); "
                "push it where the nodes can pull it, or mend its name."
            )
        if reason == "CreateContainerConfigError":
            raise UserError(f"container {container['name']} can't be made: {_short(message)}; mend the values.")
        if reason == "CrashLoopBackOff" and container["restartCount"] >= RESTARTS:
            raise UserError(
                f"container {container['name']} of {pod.name} ends again and again; its last words: "
                f"{_last_words(pod, container['name'])}; mend the image or the values it is started with."
            )
        if reason:
            return f"{pod.name}: {reason}"
    conditions = {each["type"]: each for each in status.get("conditions", [])}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"{pod.name}: {_short(scheduled.get('message', 'not scheduled'))}"
    return f"{pod.name}: {status.get('phase', 'Unknown')}, not ready"


def _unready(pods: Sequence[Any]) -> str:
    """Return what the first container says that runs and is not ready, if there is one."""
    for pod in pods:
        for each in pod.raw.get("status", {}).get("containerStatuses", []):
            if "running" in each["state"] and not each["ready"]:
                words = _last_words(pod, each["name"], ended=False)
                return f"; the last words of container {each['name']}: {words}"
    return ""


def _last_words(pod: Any, container: str, *, ended: bool = True) -> str:
    """Return the last line of a container's log: of the one that has ended, or of the one that runs."""
    try:
        return "".join(pod.logs(container=container, tail_lines=1, previous=ended)).strip() or "none"
    except kr8s.ServerError:
        return "not kept"


def _short(message: str) -> str:
    return message.strip().splitlines()[0][:200] if message.strip() else "no reason given"
