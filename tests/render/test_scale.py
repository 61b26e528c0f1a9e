"""How many pods there are, how many may be away, and who watches them."""

from typing import Any

import pytest

from .view import RenderChart

STORE = {"external": {"host": "store"}}


def test_number_of_pods_is_the_values_or_the_autoscalers(chart: RenderChart) -> None:
    assert chart(valkey=STORE, replicaCount=3).the("Deployment")["spec"]["replicas"] == 3
    assert chart(replicaCount=0).the("Deployment")["spec"]["replicas"] == 0
    assert "replicas" not in chart(valkey=STORE, autoscaling={"enabled": True}).the("Deployment")["spec"]


def test_autoscaler_scales_the_deployment_and_takes_its_time_down(chart: RenderChart) -> None:
    spec = chart(valkey=STORE, autoscaling={"enabled": True}).the("HorizontalPodAutoscaler")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chatapp"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    (cpu,) = spec["metrics"]
    assert cpu["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 75}}
    down = spec["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 300
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 120}]


def test_metrics_of_ones_own_follow_cpu_and_memory(chart: RenderChart) -> None:
    own = {"type": "Pods", "pods": {"metric": {"name": "chatapp_open_sockets"}}}
    scaling = {"enabled": True, "targetMemoryUtilizationPercentage": 80, "metrics": [own]}
    metrics = chart(valkey=STORE, autoscaling=scaling).the("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert [each.get("resource", {}).get("name") for each in metrics] == ["cpu", "memory", None]
    assert metrics[-1] == own
    alone = scaling | {"targetCPUUtilizationPercentage": 0, "targetMemoryUtilizationPercentage": 0}
    assert chart(valkey=STORE, autoscaling=alone).the("HorizontalPodAutoscaler")["spec"]["metrics"] == [own]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, None),
        ({"replicaCount": 2}, {"maxUnavailable": 1}),
        ({"autoscaling": {"enabled": True}}, {"maxUnavailable": 1}),
        ({"autoscaling": {"enabled": True, "minReplicas": 1}}, None),
        ({"replicaCount": 3, "podDisruptionBudget": {"enabled": False}}, None),
        ({"replicaCount": 3, "podDisruptionBudget": {"maxUnavailable": "25%"}}, {"maxUnavailable": "25%"}),
        ({"replicaCount": 3, "podDisruptionBudget": {"minAvailable": 2}}, {"minAvailable": 2}),
    ],
)
def test_budget_is_there_where_there_are_always_several_pods(
    chart: RenderChart, values: dict[str, Any], fields: dict[str, Any] | None
) -> None:
    release = chart(valkey=STORE, **values)
    if fields is None:
        assert release.of_kind("PodDisruptionBudget") == []
    else:
        selector = release.the("Deployment")["spec"]["selector"]
        budget = release.the("PodDisruptionBudget")["spec"]
        assert budget == fields | {"selector": selector, "unhealthyPodEvictionPolicy": "AlwaysAllow"}


def test_monitor_reads_the_metrics_of_one_service(chart: RenderChart) -> None:
    settings = {"enabled": True, "labels": {"release": "prometheus"}}
    release = chart(serviceMonitor=settings, service={"debug": {"enabled": True}})
    monitor = release.the("ServiceMonitor")
    assert monitor["spec"]["endpoints"] == [{"port": "api", "path": "/metrics", "interval": "30s"}]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    chosen = [each for each in release.of_kind("Service") if wanted <= each["metadata"]["labels"].items()]
    assert [each["metadata"]["name"] for each in chosen] == ["chatapp"]
    assert chart().of_kind("ServiceMonitor") == []


def test_monitoring_may_read_the_metrics_and_nothing_else(chart: RenderChart) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    policy = chart(networkPolicy={"enabled": True, "monitoring": [peer]}).the("NetworkPolicy")["spec"]
    (rule,) = (each for each in policy["ingress"] if each["from"] == [peer])
    assert rule["ports"] == [{"port": 3001, "protocol": "TCP"}]
