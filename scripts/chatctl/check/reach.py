"""What each key of values.yaml may change: one row a key, to be added with the key."""

EVERY = "every kind"
REACH = {
    "image": "Deployment",
    "imagePullSecrets": "Deployment Pod StatefulSet",
    "replicaCount": "Deployment PodDisruptionBudget",
    "ports": "Deployment Service Pod HTTPRoute NetworkPolicy",
    "portEnv": "Deployment",
    "service": "Service",
    "service.ports": "Service Pod HTTPRoute",
    "ingress": "Ingress",
    "ingress.hosts": "Ingress HTTPRoute",
    "ingress.controller": "Ingress Service",
    "ingress.paths": "Ingress HTTPRoute NetworkPolicy ConfigMap Deployment Pod",
    "ingress.routes": "Ingress HTTPRoute NetworkPolicy Pod",
    "httpRoute": "HTTPRoute",
    # With a controller these bring its annotations on the Service.
    "httpRoute.controller": "HTTPRoute Service",
    "httpRoute.enabled": "HTTPRoute Service",
    "httpRoute.parentRefs": "HTTPRoute Service",
    "networkPolicy": "NetworkPolicy",
    "websocket": "Deployment",
    "websocket.idleTimeout": "Ingress HTTPRoute Service",
    "websocket.allowedOrigins": "Deployment Pod",
    "preStopSleepSeconds": "Deployment",
    "terminationGracePeriodSeconds": "Deployment",
    "valkey": "StatefulSet",
    "valkey.enabled": "Deployment NetworkPolicy PersistentVolumeClaim Secret Service StatefulSet",
    # Of the release's own Secret, or where there is none, the variables.
    "valkey.external": "Deployment Secret",
    "valkey.auth": "Deployment Secret StatefulSet",
    "valkey.auth.urlKey": "Deployment",
    "valkey.env": "Deployment",
    "valkey.persistence": "PersistentVolumeClaim",
    "valkey.persistence.enabled": "PersistentVolumeClaim StatefulSet",
    "valkey.persistence.existingClaim": "PersistentVolumeClaim StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "autoscaling.enabled": "Deployment HorizontalPodAutoscaler PodDisruptionBudget",
    "podDisruptionBudget": "PodDisruptionBudget",
    "serviceMonitor": "ServiceMonitor",
    "serviceMonitor.port": "ServiceMonitor NetworkPolicy",
    "runtimeConfig": "ConfigMap Deployment",
    "probes": "Deployment",
    "resources": "Deployment",
    "podSecurityContext": "Deployment Pod StatefulSet",
    "securityContext": "Deployment Pod StatefulSet",
    "serviceAccount": "ServiceAccount",
    "serviceAccount.create": "ServiceAccount Deployment",
    "serviceAccount.name": "ServiceAccount Deployment",
    "extraEnv": "Deployment",
    "envFrom": "Deployment",
    "extraVolumes": "Deployment",
    "extraVolumeMounts": "Deployment",
    "initContainers": "Deployment",
    "sidecars": "Deployment",
    "nodeSelector": "Deployment",
    "affinity": "Deployment",
    "tolerations": "Deployment",
    "topologySpreadConstraints": "Deployment",
    "extraPodSpec": "Deployment",
    "podAnnotations": "Deployment",
    "podLabels": "Deployment",
    "tests": "Pod",
    "extraObjects": "Secret",  # what everything-values.yaml makes of it
    "commonLabels": EVERY,
    "nameOverride": EVERY,
    "fullnameOverride": EVERY,
    "global": "",
    "enabled": "",
}
"""The kinds of objects that a key may change; the longest prefix counts. `Pod` is the pod of `helm test`."""

MUST = (
    "imagePullSecrets",
    "podSecurityContext",
    "runtimeConfig.extra",
    "securityContext",
    "serviceAccount.create",
    "serviceAccount.name",
)
"""Keys that must change all kinds of objects that they may change."""


def reach(key: tuple[str, ...]) -> str | None:
    """Return the kinds that a key may change, None where nobody said."""
    prefixes = (".".join(key[:length]) for length in range(len(key), 0, -1))
    return next((REACH[prefix] for prefix in prefixes if prefix in REACH), None)
