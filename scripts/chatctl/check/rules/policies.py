"""NetworkPolicies, by what they mean: the way in, the test and DNS are open, and nobody else gets in."""

from collections.abc import Iterator

from chatctl.check.model import Release
from chatctl.check.policies import Someone, matches, may, someone
from chatctl.check.rule import Fault, invariant

SOURCE = "kubernetes.io/docs/concepts/services-networking/network-policies"
STRANGER = Someone({"kubernetes.io/metadata.name": "chatctl-stranger"}, {"app": "chatctl-stranger"})


@invariant(
    "policy-as-asked",
    "a policy that is rendered unasked cuts people off, one that is missing protects nobody",
    SOURCE,
)
def policy_as_asked(release: Release) -> Iterator[Fault]:
    """There is a NetworkPolicy where networkPolicy.enabled is true, and only there."""
    found = release.of_kind("NetworkPolicy")
    if release.values["networkPolicy"]["enabled"] != bool(found):
        wrong = f"there is {'a' if found else 'no'} NetworkPolicy"
        yield Fault("networkPolicy.enabled", "", wrong, "render one where it is true, and only there")


@invariant(
    "policy-lets-in",
    "a policy that forgets the ingress controller's namespace, or counts the Service's ports, is a dead site",
    "nextcloud/all-in-one#5024; " + SOURCE,
)
def policy_lets_in(release: Release) -> Iterator[Fault]:
    """The ingress controller reaches every route's port, and `helm test` the port that it asks."""
    policies = release.of_kind("NetworkPolicy")
    for pod in (pod for pod in release.pods if pod.is_app) if policies else ():
        served = [release.port_of(route) for route, path in release.values["ingress"]["paths"].items() if path]
        ports = {pod.ports[name] for name in served if name in pod.ports}
        for index, peer in enumerate(release.values["networkPolicy"]["ingressController"]):
            controller = someone(peer, release.namespace)
            for port in sorted(ports):
                if controller is not None and not may(policies, "ingress", pod, controller, port):
                    wrong = f"networkPolicy.ingressController[{index}] does not reach container port {port}"
                    yield Fault(policies[0], "spec.ingress", wrong, "let it in, to the containers' ports")
        for test in (test for test in release.pods if test.owner.is_hook):
            visitor = Someone({"kubernetes.io/metadata.name": release.namespace}, test.labels)
            asked = pod.ports.get(release.port_of("ws"))
            if asked and not may(policies, "ingress", pod, visitor, asked):
                wrong = f"{test.owner} does not reach container port {asked}"
                yield Fault(policies[0], "spec.ingress", wrong, "let the pod of helm test in")


@invariant("policy-keeps-out", "a policy that lets everybody in is a false comfort", SOURCE)
def policy_keeps_out(release: Release) -> Iterator[Fault]:
    """A stranger in another namespace reaches no port, unless the values let everybody in."""
    policies = release.of_kind("NetworkPolicy")
    asked = release.values["networkPolicy"]
    peers = [
        *asked["ingressController"],
        *(peer for rule in asked["extraIngress"] for peer in rule.get("from") or [{}]),
    ]
    invited = any(
        "ipBlock" not in peer
        and matches(peer.get("namespaceSelector") or {}, STRANGER.namespace)
        and matches(peer.get("podSelector") or {}, STRANGER.labels)
        for peer in peers
        if "namespaceSelector" in peer or not peer
    )
    for pod in (pod for pod in release.pods if pod.serves) if policies and not invited else ():
        for port in pod.ports.values():
            if may(policies, "ingress", pod, STRANGER, port):
                wrong = f"anybody reaches container port {port} of {pod.owner}"
                yield Fault(policies[0], "spec.ingress", wrong, "name the peers in each rule")


@invariant("policy-dns", "a pod without DNS finds nothing, its store least of all", SOURCE)
def policy_dns(release: Release) -> Iterator[Fault]:
    """The app's pods may ask the cluster's DNS, over UDP and TCP."""
    policies = release.of_kind("NetworkPolicy")
    for pod in (pod for pod in release.pods if pod.is_app) if policies else ():
        for peer in release.values["networkPolicy"]["dns"]:
            server = someone(peer, release.namespace)
            for protocol in ("UDP", "TCP"):
                if server is not None and not may(policies, "egress", pod, server, 53, protocol):
                    wrong = f"DNS is out of reach over {protocol}"
                    yield Fault(policies[0], "spec.egress", wrong, "let the pods ask port 53")
