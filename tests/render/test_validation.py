"""Values that are right one by one and wrong together: refused by name, with reason and way out, all at once."""

from pathlib import Path
from typing import Any

import pytest

from chatctl.errors import UserError

from .view import RenderChart

NO_PROBES = {probe: {"enabled": False} for probe in ("startup", "readiness", "liveness")}

NOTHING_LEFT = dict.fromkeys(("web", "api", "ws"), 0), dict.fromkeys(("web", "api", "ws"), "")

VARIABLES = "portEnv, websocket.env, runtimeConfig.env, valkey.env, extraEnv: "

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"ingress": {"paths": {"ws": "/api"}}},
        "ingress.paths: api and ws are both /api; give each its own.",
    ),
    (
        {"ingress": {"paths": {"auth": "/auth"}}},
        "ingress.paths.auth: there is no port auth; add ports.auth, name another in ingress.routes.auth.port, "
        'or remove the route with "".',
    ),
    (
        {"ports": {"api": 0}},
        "ingress.paths.api: there is no port api; add ports.api, name another in ingress.routes.api.port, "
        'or remove the route with "".',
    ),
    (
        {"ingress": {"routes": {"ws": {"port": "chat"}}}},
        "ingress.paths.ws: there is no port chat; add ports.chat, name another in ingress.routes.ws.port, "
        'or remove the route with "".',
    ),
    (
        {"ingress": {"routes": {"chat": {"port": "ws"}}}},
        "ingress.routes.chat: there is no route chat; the routes are api, web, ws.",
    ),
    (
        {"ingress": {"paths": {"web": "", "api": "", "ws": ""}}},
        "ingress.paths: no route is left; keep one, or set ingress.enabled and httpRoute.enabled to false.",
    ),
    (
        {"ingress": {"paths": {"ws": "/config"}}},
        "ingress.paths.ws: /config covers /config/, where the web port serves the runtime configuration; "
        "choose another path.",
    ),
    (
        {"ingress": {"paths": {"web": "/chat", "api": "/chat/config/runtime.js"}}},
        "ingress.paths.api: /chat/config/runtime.js covers /chat/config/, where the web port serves the runtime "
        "configuration; choose another path.",
    ),
    (
        {"ingress": {"hosts": ["https://chat.example.com"]}},
        'ingress.hosts: "https://chat.example.com" is no host name; write a name alone and in lower case, without '
        "scheme, port, path or IP address.",
    ),
    (
        {"ingress": {"hosts": ["{{ .Release.Name }}:8080"]}},
        'ingress.hosts: "chatapp:8080" is no host name; write a name alone and in lower case, without scheme, port, '
        "path or IP address.",
    ),
    (
        {"ingress": {"tls": [{"hosts": ["10.0.0.1"]}]}},
        'ingress.tls: "10.0.0.1" is no host name; write a name alone and in lower case, without scheme, port, path or '
        "IP address.",
    ),
    (
        {"ingress": {"hosts": ["chatapp.example.com", "{{ .Release.Name }}.example.com"]}},
        "ingress.hosts: chatapp.example.com, chatapp.example.com has one name twice; keep it once.",
    ),
    (
        {"ports": {"api": 3000}, "service": {"ports": {"api": 3001}}},
        "ports: api and web are both 3000; give each its own.",
    ),
    (
        {"service": {"ports": {"web": 80, "api": 80}}},
        "service.ports: api and web are both 80; give each its own.",
    ),
    (
        {"service": {"ports": {"web": 3001}}},
        "service.ports: api and web are both 3001; give each its own.",
    ),
    (
        {"ports": {"a-port-of-sixteen": 1}},
        "ports.a-port-of-sixteen: a port's name has 15 characters at most; shorten it.",
    ),
    (
        {"ports": NOTHING_LEFT[0], "ingress": {"enabled": False, "paths": NOTHING_LEFT[1]}},
        "ports: all of them are removed; keep one at least.",
    ),
    (
        {"service": {"ports": {"wss": 80}}},
        "service.ports.wss: there is no port wss; the ports are api, web, ws.",
    ),
    (
        {"service": {"appProtocol": {"wss": "kubernetes.io/ws"}}},
        "service.appProtocol.wss: there is no port wss; the ports are api, web, ws.",
    ),
    (
        {"portEnv": {"wss": "WSS_PORT"}},
        "portEnv.wss: there is no port wss; the ports are api, web, ws.",
    ),
    (
        {"httpRoute": {"enabled": True}},
        "httpRoute.parentRefs: an HTTPRoute that no Gateway serves reaches nothing; name one, such as [{name: web}].",
    ),
    (
        {"httpRoute": {"timeouts": {"wss": {"request": "1s"}}}},
        "httpRoute.timeouts.wss: there is no route wss; the routes are api, web, ws.",
    ),
    (
        {"httpRoute": {"filters": {"web": [{"type": "URLRewrite"}]}}},
        "httpRoute.filters.web: URLRewrite changes the path, which the container and the page get whole; leave it out.",
    ),
    (
        {"httpRoute": {"hostnames": ["chat.example.com:443"]}},
        'httpRoute.hostnames: "chat.example.com:443" is no host name; write a name alone and in lower case, without '
        "scheme, port, path or IP address.",
    ),
    (
        {"httpRoute": {"hostnames": ["chatapp.example.com", "{{ .Release.Name }}.example.com"]}},
        "httpRoute.hostnames: chatapp.example.com, chatapp.example.com has one name twice; keep it once.",
    ),
    (
        {"service": {"nodePorts": {"web": 30080}}},
        "service.nodePorts: a Service of type ClusterIP has none; set service.type to NodePort or LoadBalancer, or "
        "leave it out.",
    ),
    (
        {"service": {"type": "NodePort", "nodePorts": {"wss": 30080}}},
        "service.nodePorts.wss: there is no port wss; the ports are api, web, ws.",
    ),
    (
        {"service": {"type": "NodePort", "nodePorts": {"ws": 30000}, "debug": {"enabled": True}}},
        "service.nodePorts: service.debug and ws are both 30000; give each its own.",
    ),
    (
        {"service": {"type": "NodePort", "loadBalancerClass": "example.com/a"}},
        "service.loadBalancerClass: a Service of type NodePort has none; set service.type to LoadBalancer, or leave it "
        "out.",
    ),
    (
        {"extraPodSpec": {"securityContext": {}}},
        "extraPodSpec.securityContext: the chart sets it itself; use the value that is for it.",
    ),
    (
        {"extraVolumes": [{"name": "runtime", "emptyDir": {}}]},
        "extraVolumes: name runtime is taken; choose another.",
    ),
    (
        {"extraVolumeMounts": [{"name": "runtime", "mountPath": "/app/web/config/runtime.js"}]},
        "extraVolumeMounts: mountPath /app/web/config/runtime.js is taken; choose another.",
    ),
    (
        {"extraVolumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]},  # noqa: S108
        "extraVolumeMounts: there is no volume tmp; add it to extraVolumes.",
    ),
    (
        {"sidecars": [{"name": "chatapp", "image": "a:1"}]},
        "initContainers, sidecars: name chatapp is taken; choose another.",
    ),
    (
        {"probes": {"startup": {"port": "http"}}},
        "probes.startup.port: there is no port http; name one of api, web, ws, or set enabled to false.",
    ),
    (
        {"runtimeConfig": {"env": {"SOCKET_URL": "wss"}}},
        "runtimeConfig.env.SOCKET_URL: there is no route wss; the routes are api, web, ws.",
    ),
    (
        {"runtimeConfig": {"endpoints": {"wss": "wss://chat.example.com"}}},
        "runtimeConfig.endpoints.wss: there is no route wss; the routes are api, web, ws.",
    ),
    (
        {"runtimeConfig": {"files": {"json": "/app/web/config/runtime.js"}}},
        "runtimeConfig.files: js and json are both /app/web/config/runtime.js; give each its own.",
    ),
    (
        {"extraEnv": [{"name": "WS_PORT", "value": "1"}]},
        VARIABLES + 'WS_PORT is set twice among them; rename one, or leave it out ("").',
    ),
    (
        {"runtimeConfig": {"env": {"WEB_PORT": "web"}}},
        VARIABLES + 'WEB_PORT is set twice among them; rename one, or leave it out ("").',
    ),
    (
        {"extraEnv": [{"name": "IP", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
        "extraEnv: IP has both value and valueFrom; keep one.",
    ),
    (
        {"replicaCount": 2},
        "replicaCount: 2 pods would not hear each other's messages without a shared store; set valkey.enabled to true "
        "and valkey.auth.existingSecret, name yours in valkey.external.host, or set 1.",
    ),
    (
        {"autoscaling": {"enabled": True}},
        "autoscaling.maxReplicas: 6 pods would not hear each other's messages without a shared store; set "
        "valkey.enabled to true and valkey.auth.existingSecret, name yours in valkey.external.host, or set 1.",
    ),
    (
        {"valkey": {"external": {"host": "x"}}, "autoscaling": {"enabled": True, "minReplicas": 7}},
        "autoscaling.maxReplicas: 6 is less than minReplicas, 7; set 7 or more.",
    ),
    (
        {
            "valkey": {"external": {"host": "x"}},
            "autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0},
        },
        "autoscaling: there is no metric to scale by; set targetCPUUtilizationPercentage, or name one in metrics.",
    ),
    (
        {
            "valkey": {"external": {"host": "x"}},
            "autoscaling": {"enabled": True},
            "resources": {"requests": {"cpu": None}},
        },
        "autoscaling.targetCPUUtilizationPercentage: it is a percentage of resources.requests.cpu, which is not set; "
        "set it, or the target to 0.",
    ),
    (
        {"valkey": {"enabled": True}},
        "valkey.auth: the release's own store has no password, and the chart makes none up; name a Secret that has one "
        "in existingSecret, or set password.",
    ),
    (
        {"valkey": {"enabled": True, "external": {"host": "store"}, "auth": {"password": "x"}}},
        "valkey.external.host: store is a second store beside the release's own; set valkey.enabled to false, or the "
        'host to "".',
    ),
    (
        {"valkey": {"external": {"host": "store"}, "auth": {"urlKey": "url"}}},
        "valkey.auth.urlKey: there is no Secret to look in; name it in valkey.auth.existingSecret, or set the key to "
        '"".',
    ),
    (
        {"valkey": {"external": {"host": "store", "tls": {"caSecret": "ca"}}}},
        "valkey.external.tls.caSecret: nobody asks for a certificate; set valkey.external.tls.enabled to true, or "
        "leave it out.",
    ),
    (
        {"valkey": {"config": {"appendfsync": "no"}}},
        "valkey.config.appendfsync: the chart sets it itself; leave it out.",
    ),
    (
        {"valkey": {"extraPodSpec": {"containers": []}}},
        "valkey.extraPodSpec.containers: the chart sets it itself; leave it out.",
    ),
    (
        {"serviceMonitor": {"enabled": True, "port": "metrics"}},
        "serviceMonitor.port: there is no port metrics; name one of api, web, ws.",
    ),
    (
        {"terminationGracePeriodSeconds": 24},
        "terminationGracePeriodSeconds: 24 ends before preStopSleepSeconds + websocket.drainSeconds = 25; "
        "set 25 or more, or 0.",
    ),
    (
        {"commonLabels": {"app.kubernetes.io/name": "talk"}},
        "commonLabels: app.kubernetes.io/name tells which pods are the release's own; leave it out.",
    ),
    (
        {"podLabels": {"app.kubernetes.io/component": "front"}},
        "podLabels: app.kubernetes.io/component tells which pods are the release's own; leave it out.",
    ),
    (
        {"ports": {"ws": 0}, "ingress": {"paths": {"ws": ""}}, "tests": {"path": "/x"}},
        'tests.path: there is no port ws to ask; add ports.ws, or set tests.path to "".',
    ),
    (
        {
            "ingress": {"enabled": False, "paths": {"ws": ""}, "routes": {"ws": {"port": "chat"}}},
            "tests": {"path": "/x"},
        },
        'tests.path: there is no port chat to ask; add ports.chat, or set tests.path to "".',
    ),
    (
        {"ingress": {"paths": {"the-longest-of-names": "/x"}}},
        "ingress.paths.the-longest-of-names: there is no port the-longest-of-names; name another in "
        'ingress.routes.the-longest-of-names.port, or remove the route with "".',
    ),
    (
        {"ingress": {"className": "nginx", "annotations": {"kubernetes.io/ingress.class": "nginx"}}},
        "ingress.className: the annotation kubernetes.io/ingress.class names a class too, and an Ingress takes one; "
        "remove the annotation.",
    ),
    (
        {"ingress": {"routes": {"web": {"pathType": "Exact"}}}},
        "ingress.routes.web.pathType: Exact keeps /config/ out, where the web port serves the runtime configuration; "
        "leave it at Prefix.",
    ),
    (
        {"securityContext": {"runAsUser": 0}},
        "podSecurityContext, securityContext: runAsUser 0 is root, which runAsNonRoot forbids; set another user, or "
        "runAsNonRoot to false.",
    ),
    (
        {"runtimeConfig": {"files": {"js": "/srv/config", "json": "/srv/config/runtime.json"}}},
        "runtimeConfig.files.json: /srv/config/runtime.json lies below /srv/config, which is the file of js; choose "
        "another path.",
    ),
    (
        {"image": {"registry": "registry.example.com", "repository": "ghcr.io/team/chat"}},
        "image.registry: ghcr.io/team/chat begins with a registry already; take it off there, or set image.registry to "
        '"".',
    ),
    (
        {"tests": {"image": {"repository": "mirror:5000/curl"}}},
        "tests.image.registry: mirror:5000/curl begins with a registry already; take it off there, or set "
        'tests.image.registry to "".',
    ),
    (
        {"extraEnv": [{"name": "WS_PORT"}, {"name": "WS_PORT"}]},
        VARIABLES + 'WS_PORT is set twice among them; rename one, or leave it out ("").',
    ),
]


@pytest.mark.parametrize(("values", "sentence"), REFUSED, ids=[sentence.partition(":")[0] for _, sentence in REFUSED])
def test_refused(chart: RenderChart, values: dict[str, Any], sentence: str) -> None:
    probes = {"probes": NO_PROBES} if "ports" in values else {}
    with pytest.raises(UserError) as refusal:
        chart(**probes | values)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("release", ["1st", "my.app"])
def test_name_that_no_service_can_have_is_refused(chart: RenderChart, release: str) -> None:
    with pytest.raises(UserError) as refusal:
        chart(release=release)
    assert str(refusal.value) == (
        f"fullnameOverride: {release}-chatapp cannot name a Service, which begins with a letter and has letters, "
        'digits and "-" only; set a name that does.'
    )


def test_all_mistakes_are_told_at_once(chart: RenderChart) -> None:
    with pytest.raises(UserError) as refusal:
        chart(
            replicaCount=3, portEnv={"wss": "X"}, runtimeConfig={"env": {"A": "b"}}, ingress={"paths": {"ws": "/api"}}
        )
    heading, *mistakes = str(refusal.value).splitlines()
    assert heading == "4 values are refused:"
    assert [mistake.split(":")[0].strip() for mistake in mistakes] == [
        "portEnv.wss",
        "ingress.paths",
        "runtimeConfig.env.A",
        "replicaCount",
    ]


@pytest.mark.parametrize("template", ["templates/zz.yaml", "templates/tests/zz.yaml", "templates/NOTES.txt"])
def test_validation_comes_before_any_other_template(chart: RenderChart, chart_copy: Path, template: str) -> None:
    (chart_copy / template).write_text('{{ fail "too late" }}')
    with pytest.raises(UserError, match=r"^replicaCount: "):
        chart(folder=chart_copy, replicaCount=2)


@pytest.mark.parametrize(
    "values",
    [
        {"ingress": {"paths": {"config": "/config"}, "routes": {"config": {"port": "web"}}}},
        {"ingress": {"paths": {"ws": "/config"}}, "runtimeConfig": {"files": {"js": "/srv/env.js", "json": ""}}},
        {"ingress": {"paths": {"ws": "/config"}}, "runtimeConfig": {"enabled": False}},
        {"ingress": {"paths": {"ws": "/configuration"}}},
        {"ingress": {"paths": {"api": "/config"}, "routes": {"api": {"pathType": "Exact"}}}},
        {"ingress": {"paths": {"c": "/config"}, "routes": {"c": {"port": "web"}, "web": {"pathType": "Exact"}}}},
        {"podSecurityContext": {"runAsUser": 0}, "securityContext": {"runAsNonRoot": False}},
        {"image": {"repository": "ghcr.io/team/chat"}},
        {"ingress": {"enabled": False, "paths": {"web": "", "api": "", "ws": ""}}},
        {"portEnv": {"web": "", "api": "WEB_PORT"}},
        {"ports": {"web": None}, "ingress": {"paths": {"web": None}}},
        {"terminationGracePeriodSeconds": 25},
    ],
    ids=str,
)
def test_nearby_values_are_fine(chart: RenderChart, values: dict[str, Any]) -> None:
    assert chart(**values).the("Deployment")
