"""What NetworkPolicies mean: who may reach which port of a pod, by the rules of networking.k8s.io/v1.

A pod that no policy selects for a direction is open in it; else one rule of one policy must let the traffic through.
Addresses (ipBlock) never match here, where everybody is a pod.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chatctl.check.model import Object, Pod

Selector = Mapping[str, Any]


@dataclass(frozen=True)
class Someone:
    """A pod somewhere, by the labels of its namespace and its own."""

    namespace: Mapping[str, str]
    labels: Mapping[str, str]


def may(
    policies: Sequence[Object],
    direction: Literal["ingress", "egress"],
    pod: Pod,
    other: Someone,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Return whether `other` may reach `port` of `pod` (ingress), or `pod` that port of `other` (egress)."""
    chosen = [policy for policy in policies if _applies(policy, direction) and _selects(policy, pod)]
    if not chosen:
        return True
    return any(
        _peer(policy, rule.get("from" if direction == "ingress" else "to"), other)
        and _port(rule.get("ports"), pod if direction == "ingress" else None, port, protocol)
        for policy in chosen
        for rule in policy.spec.get(direction) or []
    )


def someone(peer: Mapping[str, Any], own_namespace: str) -> Someone | None:
    """Return a pod that a peer of a policy means, None for an address."""
    if "ipBlock" in peer:
        return None
    given = dict(_wanted(peer.get("namespaceSelector") or {}))
    namespace = given if "namespaceSelector" in peer else {"kubernetes.io/metadata.name": own_namespace}
    return Someone(namespace, dict(_wanted(peer.get("podSelector") or {})))


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector matches; an empty one matches everything."""
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    for each in selector.get("matchExpressions") or []:
        value, values = labels.get(each["key"]), each.get("values") or []
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds[each["operator"]]:
            return False
    return True


def _wanted(selector: Selector) -> Iterator[tuple[str, str]]:
    """Yield labels that satisfy a selector."""
    yield from (selector.get("matchLabels") or {}).items()
    for each in selector.get("matchExpressions") or []:
        if each["operator"] in ("In", "Exists"):
            yield each["key"], (each.get("values") or ["any"])[0]


def _applies(policy: Object, direction: str) -> bool:
    return direction.capitalize() in (policy.spec.get("policyTypes") or ["Ingress"])


def _selects(policy: Object, pod: Pod) -> bool:
    same = policy.metadata.get("namespace") == pod.owner.metadata.get("namespace")
    return same and matches(policy.spec.get("podSelector") or {}, pod.labels)


def _peer(policy: Object, peers: Sequence[Mapping[str, Any]] | None, other: Someone) -> bool:
    if not peers:
        return True  # no peers: anybody
    own = {"kubernetes.io/metadata.name": policy.metadata.get("namespace")}
    return any(
        "ipBlock" not in peer
        and matches(peer.get("namespaceSelector", {"matchLabels": own}), other.namespace)
        and matches(peer.get("podSelector") or {}, other.labels)
        for peer in peers
    )


def _port(ports: Sequence[Mapping[str, Any]] | None, pod: Pod | None, number: int, protocol: str) -> bool:
    if not ports:
        return True  # no ports: every port
    names = pod.ports if pod else {}
    return any(
        each.get("protocol", "TCP") == protocol and names.get(each.get("port", ""), each.get("port", number)) == number
        for each in ports
    )
