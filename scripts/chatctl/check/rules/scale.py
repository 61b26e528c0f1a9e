"""Services, scaling, monitoring and rollout: what is explicit, what excludes each other."""

from collections.abc import Iterator

from chatctl.check.model import Release
from chatctl.check.rule import Fault, invariant


@invariant(
    "service-explicit",
    "a node port or an outside policy on a ClusterIP is refused; externalIPs are deprecated since 1.36",
    "element-hq/ess-helm, tests/manifests; KEP-5707",
)
def service_explicit(release: Release) -> Iterator[Fault]:
    """Every Service says its type, and has no field of another type."""
    for service in release.of_kind("Service"):
        kind = service.spec.get("type")
        if not kind:
            yield Fault(service, "spec.type", "it is not set", "set it from service.type")
        outside = ["externalTrafficPolicy", "loadBalancerClass"] if kind == "ClusterIP" else []
        for field in [*outside, "externalIPs"]:
            if service.spec.get(field):
                yield Fault(service, f"spec.{field}", f"it has no place in a {kind} Service", "leave it out")
        for index, port in enumerate(service.spec.get("ports") or []):
            if port.get("nodePort") and kind == "ClusterIP":
                field = f"spec.ports[{index}].nodePort"
                yield Fault(service, field, "a ClusterIP Service has none", "leave it out")


@invariant(
    "replicas",
    "replicas beside an autoscaler make every GitOps sync scale down; without one they are what the user asked for",
    "grafana/pyroscope#3346, frappe/helm#256",
)
def replicas(release: Release) -> Iterator[Fault]:
    """A Deployment has replicas as the values say, and none where an autoscaler sets them."""
    scaled = {
        (each.spec.get("scaleTargetRef") or {}).get("name") for each in release.of_kind("HorizontalPodAutoscaler")
    }
    for each in release.of_kind("Deployment"):
        given = each.spec.get("replicas")
        if each.name in scaled and given is not None:
            wrong = f"{given}, while an autoscaler sets them too"
            yield Fault(each, "spec.replicas", wrong, "leave it out where autoscaling is on")
        elif each.name not in scaled and given != release.values["replicaCount"]:
            wrong = f"{given} is not replicaCount, {release.values['replicaCount']}"
            yield Fault(each, "spec.replicas", wrong, "render replicaCount, 0 included")


@invariant(
    "scale-target",
    "an autoscaler or disruption budget for a workload that is not there does nothing, without a word",
    "kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale",
)
def scale_target(release: Release) -> Iterator[Fault]:
    """Every autoscaler and disruption budget is for a workload of the release."""
    for each in release.of_kind("HorizontalPodAutoscaler"):
        target = each.spec.get("scaleTargetRef") or {}
        if release.find(str(target.get("kind")), str(target.get("name"))) is None:
            wrong = f"there is no {target.get('kind')} {target.get('name')} in the release"
            yield Fault(each, "spec.scaleTargetRef", wrong, "name the Deployment")
    for each in release.of_kind("PodDisruptionBudget"):
        chosen = release.selected_by((each.spec.get("selector") or {}).get("matchLabels"))
        if len([pod for pod in chosen if pod.serves]) != 1:
            yield Fault(each, "spec.selector", "it selects not exactly one workload", "use the Deployment's selector")
        least = each.spec.get("minAvailable")
        many = max([pod.owner.spec.get("replicas", 1) for pod in chosen if pod.serves], default=1)
        if least == "100%" or (isinstance(least, int) and least >= many):
            wrong = f"{least} of {many} must stay, so that no node can be drained"
            yield Fault(each, "spec.minAvailable", wrong, "use maxUnavailable: 1")


@invariant(
    "rollout",
    "a rollout that stops the old pod first is an outage of a single replica",
    "BasedHardware/omi#5518",
)
def rollout(release: Release) -> Iterator[Fault]:
    """A Deployment keeps its ready pods until new ones are ready."""
    for each in release.of_kind("Deployment"):
        strategy = each.spec.get("strategy") or {}
        if (strategy.get("rollingUpdate") or {}).get("maxUnavailable") != 0:
            yield Fault(each, "spec.strategy", "maxUnavailable is not 0", "use RollingUpdate with maxUnavailable 0")


@invariant(
    "scaling-as-asked",
    "an autoscaler or a disruption budget that says something else than the values surprises at night",
    "chart/README.md, Values",
)
def scaling_as_asked(release: Release) -> Iterator[Fault]:
    """Autoscaler and disruption budget are there where they were asked for, with the numbers of the values."""
    asked, budget = release.values["autoscaling"], release.values["podDisruptionBudget"]
    least = asked["minReplicas"] if asked["enabled"] else release.values["replicaCount"]
    targets = ("targetCPUUtilizationPercentage", "targetMemoryUtilizationPercentage")
    wanted = {
        "HorizontalPodAutoscaler": (
            asked["enabled"],
            "autoscaling.enabled",
            {
                "minReplicas": asked["minReplicas"],
                "maxReplicas": asked["maxReplicas"],
                "metrics": len([each for each in targets if asked[each]]) + len(asked["metrics"]),
                "behavior": asked["behavior"] or None,
            },
        ),
        "PodDisruptionBudget": (
            budget["enabled"] and least > 1,
            "podDisruptionBudget.enabled",
            {
                "minAvailable": budget["minAvailable"] or None,
                "maxUnavailable": None if budget["minAvailable"] else budget["maxUnavailable"],
                "unhealthyPodEvictionPolicy": budget["unhealthyPodEvictionPolicy"],
            },
        ),
    }
    for kind, (is_asked, key, fields) in wanted.items():
        found = release.of_kind(kind)
        if bool(found) != is_asked:
            wrong = f"there is {'a' if found else 'no'} {kind}"
            yield Fault(key, "", wrong, "render one where several pods may be, and only there")
        for each in found:
            for field, value in fields.items():
                given = each.spec.get(field)
                given = len(given or []) if field == "metrics" else given
                if given != value:
                    yield Fault(
                        each, f"spec.{field}", f"it is {given!r}, and {value!r} by the values", "take the values"
                    )


@invariant(
    "monitor-as-asked",
    "a ServiceMonitor that selects no Service, or another port, is a dashboard without a line, and nobody knows why",
    "prometheus-operator.dev/docs/developer/getting-started; chart/README.md, Values",
)
def monitor_as_asked(release: Release) -> Iterator[Fault]:
    """A ServiceMonitor is there where it was asked for, and leads to one Service's port with the metrics."""
    asked = release.values["serviceMonitor"]
    found = release.of_kind("ServiceMonitor")
    if bool(found) != asked["enabled"]:
        wrong = f"there is {'a' if found else 'no'} ServiceMonitor"
        yield Fault("serviceMonitor.enabled", "", wrong, "render one where it is true, and only there")
    for each in found:
        labels = (each.spec.get("selector") or {}).get("matchLabels") or {}
        chosen = [service for service in release.of_kind("Service") if labels.items() <= service.labels.items()]
        for index, endpoint in enumerate(each.spec.get("endpoints") or []):
            ports = [
                port["name"]
                for service in chosen
                for port in service.spec.get("ports") or []
                if port["name"] == endpoint.get("port")
            ]
            field = f"spec.endpoints[{index}]"
            if len(ports) != 1:
                wrong = f"port {endpoint.get('port')} is in {len(ports)} of the Services that it selects"
                yield Fault(each, f"{field}.port", wrong, "select the app's Service, and name its port")
            if (endpoint.get("port"), endpoint.get("path")) != (asked["port"], asked["path"]):
                yield Fault(each, field, "it is not serviceMonitor.port and path", "take the values")
