"""The shared store: there where it was asked for, told to the app alone, with nothing lost."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from chatctl.check.model import Object, Pod, Release
from chatctl.check.policies import Someone, may
from chatctl.check.rule import Fault, invariant

VALUES = "chart/README.md, Values"
PERSISTENCE = "valkey.io/topics/persistence"


@invariant("store-as-asked", "pods without the store that they were promised do not hear each other", VALUES)
def store_as_asked(release: Release) -> Iterator[Fault]:
    """The release brings one store of its own where valkey.enabled is true, and only there."""
    stores = [pod for pod in release.pods if pod.is_store]
    if len(stores) != int(release.values["valkey"]["enabled"]):
        wrong = f"there are {len(stores)} StatefulSets for a store"
        yield Fault("valkey.enabled", "", wrong, "render one where it is true, and only there")
    for pod in stores:
        if pod.owner.spec.get("replicas") != 1:
            wrong = f"{pod.owner.spec.get('replicas')} would share one volume"
            yield Fault(pod.owner, "spec.replicas", wrong, "set 1")


@invariant("store-told", "an app that is told another store than there is keeps its people apart", VALUES)
def store_told(release: Release) -> Iterator[Fault]:
    """The app is told the URL that the values give, from a Secret or around a password that comes from one."""
    valkey = release.values["valkey"]
    expected = _expected(release)
    for pod in (pod for pod in release.pods if pod.is_app):
        (app, *_) = [container for container in pod.containers if not container.is_init]
        env = {each["name"]: each for each in app.env}
        field = pod.at("spec.containers[0].env")
        told = env.get(valkey["env"]["url"])
        if expected is None or told is None:
            if (expected is None) != (told is None) and told not in release.values["extraEnv"]:
                wrong = f"{valkey['env']['url']} is {'not there' if told is None else 'there without a store'}"
                yield Fault(pod.owner, field, wrong, "render it where there is a store, and only there")
            continue
        for name, given, asked in _differences(release, told, expected):
            wrong = f"the {name} in {told['name']} is {given!r}, and {asked!r} by the values"
            yield Fault(pod.owner, field, wrong, "use chatapp.store.url")
        ca = _ca(valkey)
        if ca and not _has_file(pod, env.get(valkey["env"]["caFile"]), ca):
            wrong = f"{valkey['env']['caFile']} names no file of the Secret {ca}"
            yield Fault(pod.owner, field, wrong, "mount the Secret, and name its file")


@invariant(
    "store-durable",
    "the page cache outlives a killed process and not a node: `everysec` loses messages that people have seen",
    PERSISTENCE,
)
def store_durable(release: Release) -> Iterator[Fault]:
    """The release's own store has each message on a volume that outlives the release before anybody sees it."""
    persistence = release.values["valkey"]["persistence"]
    for pod in (pod for pod in release.pods if pod.is_store):
        (container,) = pod.containers
        said = " ".join([*(container.spec.get("command") or []), *(container.spec.get("args") or [])])
        for directive, value in (("appendonly", "yes"), ("appendfsync", "always")):
            if re.findall(rf"--{directive} (\S+)", said) != [value]:
                wrong = f"{directive} is not {value}, or more than once there"
                yield Fault(pod.owner, f"{container.path}.command", wrong, f"start it with --{directive} {value}")
        folder = (re.findall(r"--dir (\S+)", said) or [""])[-1]
        names = [mount["name"] for mount in container.mounts if mount["mountPath"] == folder]
        claims = [each.get("persistentVolumeClaim") for each in pod.volumes if each["name"] in names]
        if not claims or bool(claims[0]) != persistence["enabled"]:
            wrong = f"{folder or 'its folder'} is {'no claim' if persistence['enabled'] else 'no passing volume'}"
            yield Fault(pod.owner, pod.at("spec.volumes"), wrong, "mount a claim where persistence is on")
    for claim in release.of_kind("PersistentVolumeClaim"):
        if claim.annotations.get("helm.sh/resource-policy") != "keep":
            wrong = "what people said goes with the release"
            yield Fault(claim, "metadata.annotations", wrong, "set helm.sh/resource-policy: keep")


@invariant(
    "store-reached",
    "a policy that forgets the store cuts the app off from it",
    "kubernetes.io/docs/concepts/services-networking/network-policies",
)
def store_reached(release: Release) -> Iterator[Fault]:
    """With a NetworkPolicy the app reaches the release's own store, in both of their policies."""
    policies = release.of_kind("NetworkPolicy")
    own = {"kubernetes.io/metadata.name": release.namespace}
    for store in (pod for pod in release.pods if pod.is_store) if policies else ():
        for app in (pod for pod in release.pods if pod.is_app):
            for port in store.ports.values():
                if not may(policies, "egress", app, Someone(own, store.labels), port):
                    yield Fault(policies[0], "spec.egress", f"{app.owner} may not ask {store.owner}", "let it out")
                if not may(policies, "ingress", store, Someone(own, app.labels), port):
                    wrong = f"{store.owner} lets {app.owner} not in"
                    yield Fault(policies[0], "spec.ingress", wrong, "let it in, to the container's port")


@invariant(
    "pods-share",
    "people on different pods do not hear each other without a store",
    "mattermost/mattermost-operator#277, frappe/helm#229",
)
def pods_share(release: Release) -> Iterator[Fault]:
    """Where there may be several pods they are told a store."""
    name = release.values["valkey"]["env"]["url"]
    scaled = {
        (each.spec.get("scaleTargetRef") or {}).get("name"): each.spec.get("maxReplicas", 1)
        for each in release.of_kind("HorizontalPodAutoscaler")
    }
    for pod in (pod for pod in release.pods if pod.is_app):
        most = max(scaled.get(pod.owner.name, 1), pod.owner.spec.get("replicas") or 0)
        if most > 1 and name not in [each.get("name") for container in pod.containers for each in container.env]:
            yield Fault(
                pod.owner, "spec.replicas", f"{most} pods have no store", "refuse it in chatapp.validation.scale"
            )


def _expected(release: Release) -> Mapping[str, Any] | None:
    """Return the parts of the URL that the values give, None without a store."""
    valkey = release.values["valkey"]
    external, auth = valkey["external"], valkey["auth"]
    if not (valkey["enabled"] or external["host"]):
        return None
    password = f"$({valkey['env']['password']})" if auth["existingSecret"] else auth["password"]
    if valkey["enabled"]:
        stores = [
            (service.name, port["port"])
            for service in release.of_kind("Service")
            if any(pod.is_store for pod in release.selected_by(service.spec.get("selector")))
            for port in service.spec["ports"]
        ]
        host, port = stores[0] if stores else ("", 0)
        return {"scheme": "redis", "user": "", "password": password, "host": host, "port": port, "path": "/0"}
    return {
        "scheme": "rediss" if external["tls"]["enabled"] else "redis",
        "user": external["username"],
        "password": password,
        "host": external["host"].strip("[]").lower(),
        "port": external["port"],
        "path": f"/{external['database']}",
    }


def _differences(
    release: Release, told: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[tuple[str, object, object]]:
    """Yield (part, as it is, as the values say); the whole of a Secret that only the user has can't be seen."""
    auth = release.values["valkey"]["auth"]
    source = (told.get("valueFrom") or {}).get("secretKeyRef")
    if source and auth["urlKey"]:
        if (source["name"], source["key"]) != (auth["existingSecret"], auth["urlKey"]):
            yield "Secret", source, auth
        return
    if bool(source) == bool(auth["existingSecret"]):
        yield "source", "a Secret" if source else "a text", "a text" if source else "a Secret"
        return
    text = _secret_text(release.find("Secret", source["name"]), source["key"]) if source else told["value"]
    given = _parts(urlsplit(text))
    yield from ((part, given[part], expected[part]) for part in expected if given[part] != expected[part])


def _parts(url: SplitResult) -> Mapping[str, Any]:
    return {
        "scheme": url.scheme,
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "host": url.hostname or "",
        "port": url.port,
        "path": url.path,
    }


def _secret_text(secret: Object | None, key: str) -> str:
    return base64.b64decode(((secret.data if secret else {}).get("data") or {}).get(key, "")).decode()


def _ca(valkey: Mapping[str, Any]) -> str:
    tls = valkey["external"]["tls"]
    return str(tls["caSecret"]) if tls["enabled"] and not valkey["enabled"] else ""


def _has_file(pod: Pod, variable: Mapping[str, Any] | None, secret: str) -> bool:
    """Return whether a variable names a file that a mount of this Secret brings."""
    names = [each["name"] for each in pod.volumes if (each.get("secret") or {}).get("secretName") == secret]
    folders = [mount["mountPath"] for each in pod.containers for mount in each.mounts if mount["name"] in names]
    return any(str((variable or {}).get("value")).startswith(f"{folder}/") for folder in folders)
