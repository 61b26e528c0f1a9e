"""What NetworkPolicies mean, case by case (kubernetes.io/docs/concepts/services-networking/network-policies)."""

from typing import Any

import pytest

from chatctl.check.model import Object, Pod
from chatctl.check.policies import Someone, matches, may, someone

OWNER = Object({"kind": "Deployment", "metadata": {"name": "app", "namespace": "talk"}})
CONTAINER = {"name": "app", "ports": [{"name": "ws", "containerPort": 3002}]}
POD = Pod(OWNER, "spec.template", {"metadata": {"labels": {"app": "chat"}}, "spec": {"containers": [CONTAINER]}})
NEIGHBOUR = Someone({"kubernetes.io/metadata.name": "talk"}, {"app": "test"})
STRANGER = Someone({"kubernetes.io/metadata.name": "web", "tier": "edge"}, {"app": "proxy"})

EDGE = {"matchLabels": {"tier": "edge"}}


def policy(namespace: str = "talk", **spec: Any) -> Object:
    return Object({"kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": namespace}, "spec": spec})


@pytest.mark.parametrize(
    ("policies", "neighbour", "stranger"),
    [
        ([], True, True),
        ([policy(podSelector={})], False, False),
        ([policy(podSelector={"matchLabels": {"app": "other"}})], True, True),
        ([policy("elsewhere", podSelector={})], True, True),
        ([policy(podSelector={}, policyTypes=["Egress"])], True, True),
        ([policy(podSelector={}, ingress=[{}])], True, True),
        ([policy(podSelector={}, ingress=[{"from": [{"podSelector": {}}]}])], True, False),
        ([policy(podSelector={}, ingress=[{"from": [{"namespaceSelector": {}}]}])], True, True),
        (
            [policy(podSelector={}, ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"tier": "edge"}}}]}])],
            False,
            True,
        ),
        (
            [
                policy(
                    podSelector={},
                    ingress=[{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "test"}}}]}],
                )
            ],
            True,
            False,
        ),
        ([policy(podSelector={}, ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])], False, False),
        ([policy(podSelector={}, ingress=[{"ports": [{"port": 3001}]}])], False, False),
        ([policy(podSelector={}, ingress=[{"ports": [{"port": "ws"}]}])], True, True),
        ([policy(podSelector={}, ingress=[{"ports": [{"port": 3002, "protocol": "UDP"}]}])], False, False),
        ([policy(podSelector={}), policy(podSelector={}, ingress=[{"ports": [{"protocol": "TCP"}]}])], True, True),
    ],
)
def test_who_gets_in(policies: list[Object], neighbour: bool, stranger: bool) -> None:
    assert may(policies, "ingress", POD, NEIGHBOUR, 3002) is neighbour
    assert may(policies, "ingress", POD, STRANGER, 3002) is stranger


def test_who_is_reached() -> None:
    policies = [policy(podSelector={}, policyTypes=["Egress"], egress=[{"to": [{"podSelector": {}}]}])]
    assert may(policies, "egress", POD, NEIGHBOUR, 53, "UDP")
    assert not may(policies, "egress", POD, STRANGER, 53, "UDP")
    assert may(policies, "ingress", POD, STRANGER, 3002)


@pytest.mark.parametrize(
    ("operator", "values", "with_label", "without"),
    [
        ("In", ["a", "b"], True, False),
        ("In", ["c"], False, False),
        ("NotIn", ["a"], False, True),
        ("Exists", None, True, False),
        ("DoesNotExist", None, False, True),
    ],
)
def test_expressions(operator: str, values: list[str] | None, with_label: bool, without: bool) -> None:
    selector = {"matchExpressions": [{"key": "tier", "operator": operator, **({"values": values} if values else {})}]}
    assert matches(selector, {"tier": "a"}) is with_label
    assert matches(selector, {}) is without


def test_peer_stands_for_somebody_whom_it_matches() -> None:
    peer = {
        "namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["edge"]}]},
        "podSelector": {"matchLabels": {"app": "proxy"}},
    }
    assert someone(peer, "talk") == Someone({"tier": "edge"}, {"app": "proxy"})
    assert someone({"podSelector": {}}, "talk") == Someone({"kubernetes.io/metadata.name": "talk"}, {})
    assert someone({"ipBlock": {"cidr": "10.0.0.0/8"}}, "talk") is None
