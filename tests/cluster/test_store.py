"""The shared store on a real cluster: people on different pods are in one room, whatever pod goes away."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kr8s.objects import Pod
from websockets.sync.client import connect

from chatctl import certificates, process, up, workload
from chatctl.cluster import bootstrap
from chatctl.cluster.model import Cluster
from chatctl.paths import repository
from chatctl.release import Release

from ..app.people import Person
from ..app.server import free_ports
from ..conftest import Install
from .visitor import get

Kubectl = Callable[..., str]
PASSWORD = "correct horse, battery: staple/@?#"
TLS_STORE = """
apiVersion: v1
kind: Pod
metadata: {name: elsewhere, labels: {app: elsewhere}}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: valkey
      image: IMAGE
      # Debian's own: the pinned one in /usr/local/bin is built without TLS.
      command: [/usr/bin/valkey-server, --port, "0", --tls-port, "6380", --tls-auth-clients, "no", --save, ""]
      args: [--tls-cert-file, /tls/tls.crt, --tls-key-file, /tls/tls.key, --requirepass, sesame]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]
  volumes: [{name: tls, secret: {secretName: elsewhere-tls}}]
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {selector: {app: elsewhere}, ports: [{name: tls, port: 6380, targetPort: 6380}]}
"""


@dataclass(frozen=True)
class Chat:
    """A release with a store, and how its pods are asked."""

    release: Release
    kubectl: Kubectl
    url: str

    def pods(self, component: str = "app") -> list[str]:
        """The names of the release's ready pods."""
        selector = f"app.kubernetes.io/instance={self.release.name},app.kubernetes.io/component={component}"
        found = json.loads(self.kubectl("get", "pods", "-n", self.release.namespace, "-l", selector, "-o", "json"))
        return [each["metadata"]["name"] for each in found["items"] if is_ready(each)]

    @contextmanager
    def person_at(self, pod: str) -> Iterator[Person]:
        """Somebody whose socket ends at this very pod."""
        with self.forwarded(pod, 3002) as port, connect(f"ws://127.0.0.1:{port}/wss", proxy=None) as socket:
            yield Person(socket)

    @contextmanager
    def forwarded(self, pod: str, port: int) -> Iterator[int]:
        api = workload.connect(self.release.kubeconfig)
        found: Any = Pod.get(pod, namespace=self.release.namespace, api=api)
        # kr8s's own choice may be a number that a connection of this machine has by now.
        with found.portforward(remote_port=port, local_port=free_ports(1)[0]) as local:
            yield local

    def readiness(self, pod: str) -> str:
        """What the pod answers when it is asked whether people may be sent there."""
        path = f"/api/v1/namespaces/{self.release.namespace}/pods/{pod}:3002/proxy/healthz?ready=1"
        return self.kubectl("get", "--raw", path).strip()

    def delete(self, pod: str, *options: str) -> None:
        self.kubectl("delete", "pod", pod, "-n", self.release.namespace, *options)

    def wait_for_pods(self, count: int, component: str = "app") -> list[str]:
        process.wait_for(lambda: len(self.pods(component)) == count, f"there are not {count} ready pods")
        return self.pods(component)


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


@pytest.fixture(scope="module")
def namespace(store_image: None, kubectl: Kubectl) -> Iterator[str]:  # noqa: ARG001
    """A namespace that enforces the restricted standard, with Secrets made by hand; the node has the store's image."""
    name = f"store-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, *(f"{key}={value}" for key, value in up.RESTRICTED.items()))
    for secret, password in (("login", PASSWORD), ("wrong", "wrong"), ("elsewhere", "sesame")):
        kubectl("create", "secret", "generic", secret, "-n", name, f"--from-literal=password={password}")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def start(
    cluster: Cluster, helm: Path, kubectl: Kubectl, install: Install, namespace: str
) -> Callable[[str, dict[str, Any]], Chat]:
    def started(name: str, values: dict[str, Any]) -> Chat:
        installed = install(name, namespace, values)
        return Chat(Release(helm, cluster.kubeconfig, name, namespace), kubectl, installed.url)

    return started


@pytest.fixture(scope="module")
def chat(start: Callable[[str, dict[str, Any]], Chat]) -> Chat:
    """Three pods around the release's own store."""
    valkey = {"enabled": True, "auth": {"existingSecret": "login"}}
    return start("stored", {"replicaCount": 3, "valkey": valkey, "preStopSleepSeconds": 0})


@pytest.fixture
def room() -> str:
    return f"room-{secrets.token_hex(4)}"


def test_store_runs_the_version_that_its_image_names(chat: Chat) -> None:
    (pod,) = chat.pods("valkey")
    said = chat.kubectl("exec", "-n", chat.release.namespace, pod, "--", "valkey-cli", "info", "server")
    assert f"valkey_version:{bootstrap.default_image('valkey').rpartition(':')[2]}" in said
    for directive, value in (("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")):
        answer = chat.kubectl("exec", "-n", chat.release.namespace, pod, "--", "valkey-cli", "config", "get", directive)
        assert answer.split() == [directive, value]


def test_nobody_gets_into_the_store_without_the_password(chat: Chat) -> None:
    (pod,) = chat.pods("valkey")
    anonymous = ("exec", "-n", chat.release.namespace, pod, "--", "env", "-u", "REDISCLI_AUTH", "valkey-cli", "ping")
    assert "NOAUTH" in chat.kubectl(*anonymous)
    arguments = chat.kubectl("exec", "-n", chat.release.namespace, pod, "--", "cat", "/proc/1/cmdline")
    assert "valkey-server" in arguments
    assert "horse" not in arguments


def test_people_on_different_pods_talk(chat: Chat, room: str) -> None:
    one, two, three = chat.wait_for_pods(3)
    with chat.person_at(one) as ada, chat.person_at(two) as ben, chat.person_at(three) as cy:
        for person, name in ((ada, "Ada"), (ben, "Ben"), (cy, "Cy")):
            person.join(room, name)
        for person, text in ((ada, "one"), (ben, "two"), (cy, "three")):
            person.tell("send", text=text)
            said = [each.hear("message") for each in (ada, ben, cy)]
            assert {(each["id"], each["text"]) for each in said} == {(said[0]["id"], text)}


def test_helm_test_passes(chat: Chat) -> None:
    assert chat.release.helm_run("test", chat.release.name).returncode == 0


def test_history_survives_every_app_pod(chat: Chat, room: str) -> None:
    pods = chat.wait_for_pods(3)
    with chat.person_at(pods[0]) as ada:
        ada.join(room, "Ada")
        texts = [f"message {number}" for number in range(5)]
        assert [ada.say(text)["id"] for text in texts] == [1, 2, 3, 4, 5]
    for pod in pods:
        chat.delete(pod, "--grace-period=0", "--force")
    process.wait_for(lambda: not set(chat.pods()) & set(pods), "the old pods are there")
    with chat.person_at(chat.wait_for_pods(3)[0]) as ben:
        assert [each["text"] for each in ben.join(room, "Ben")["messages"]] == texts
        assert ben.say("and on")["id"] == 6


def test_sockets_and_history_survive_a_restart_of_the_store(chat: Chat, room: str) -> None:
    one, two, _ = chat.wait_for_pods(3)
    with chat.person_at(one) as ada, chat.person_at(two) as ben:
        ada.join(room, "Ada")
        ben.join(room, "Ben")
        assert ada.say("before")["id"] == 1
        assert ben.hear("message")["id"] == 1
        chat.delete(*chat.pods("valkey"))
        chat.wait_for_pods(1, "valkey")
        process.wait_for(lambda: {chat.readiness(pod) for pod in (one, two)} == {"ok"}, "they do not find it again")
        assert ada.say("after")["id"] == 2
        assert ben.hear("message")["text"] == "after"
        assert [each["id"] for each in ben.join(room, "Ben")["messages"]] == [1, 2]


def test_without_the_store_page_and_sockets_stay_and_readiness_says_why(chat: Chat, room: str) -> None:
    one, *_ = chat.wait_for_pods(3)
    scale = ("scale", "statefulset", "-n", chat.release.namespace, f"{chat.release.name}-chatapp-valkey")
    with chat.person_at(one) as ada:
        ada.join(room, "Ada")
        chat.kubectl(*scale, "--replicas=0")
        process.wait_for(lambda: chat.readiness(one) != "ok", "nobody notices")
        assert chat.readiness(one).startswith(f"ok, but valkey at {chat.release.name}-chatapp-valkey:6379: ")
        assert len(chat.readiness(one).splitlines()) == 1
        assert get(f"{chat.url}/").status_code == 200
        assert len(chat.pods()) == 3
        ada.tell("send", text="lost?", key="k-1")
        assert ada.hear("error")["retry"] is True
        ada.tell("ping")
        assert ada.hear("pong")
        chat.kubectl(*scale, "--replicas=1")
        process.wait_for(lambda: chat.readiness(one) == "ok", "it does not come back")
        assert ada.say("kept", key="k-1")["id"] == 1


@pytest.mark.parametrize(
    ("valkey", "why"),
    [
        ({"auth": {"existingSecret": "wrong"}}, "wrong password (WRONGPASS)"),
        ({"external": {"host": "nowhere"}}, "its host name cannot be resolved"),
    ],
    ids=["wrong-password", "unreachable-host"],
)
def test_a_rollout_that_can_not_reach_the_store_stops_and_says_why(
    start: Callable[[str, dict[str, Any]], Chat], chat: Chat, room: str, valkey: dict[str, Any], why: str
) -> None:
    external = {"host": f"{chat.release.name}-chatapp-valkey"}
    values = {"replicaCount": 2, "preStopSleepSeconds": 0, "ingress": {"hosts": ["guest.localhost"]}}
    guest = start("guest", values | {"valkey": {"external": external, "auth": {"existingSecret": "login"}}})
    before = guest.wait_for_pods(2)
    with guest.person_at(before[0]) as ada:
        ada.join(room, "Ada")
        changed = {"external": external, "auth": {"existingSecret": "login"}} | valkey
        target = guest.release
        chart = repository() / "chart"
        done = target.helm_run("upgrade", "guest", chart, "--values=-", stdin=json.dumps(values | {"valkey": changed}))
        assert done.returncode == 0, done.stderr
        new = new_pod(guest, before)
        guest.kubectl("wait", "-n", target.namespace, f"pod/{new}", "--for=jsonpath={.status.phase}=Running")
        process.wait_for(lambda: why in guest.kubectl("logs", "-n", target.namespace, new), "the log does not say why")
        assert guest.pods() == before
        assert get(f"{guest.url}/").status_code == 200
        assert ada.say("still here")["text"] == "still here"
        assert target.helm_run("rollback", "guest", "--wait", "--timeout=2m").returncode == 0
        assert ada.say("and now")["text"] == "and now"


def new_pod(chat: Chat, before: list[str]) -> str:
    """The name of the pod that an upgrade has started."""

    def others() -> list[str]:
        selector = f"app.kubernetes.io/instance={chat.release.name},app.kubernetes.io/component=app"
        names = chat.kubectl("get", "pods", "-n", chat.release.namespace, "-l", selector, "-o", "name").split()
        return [name.partition("/")[2] for name in names if name.partition("/")[2] not in before]

    process.wait_for(lambda: others() != [], "no pod was started")
    return others()[0]


@pytest.mark.parametrize("secret", ["password", "url"])
def test_store_elsewhere_over_tls(
    start: Callable[[str, dict[str, Any]], Chat], kubectl: Kubectl, namespace: str, room: str, secret: str
) -> None:
    """Two pods, a certificate of a private authority, the login from a Secret: its password, or the whole URL."""
    if not kubectl("get", "pod", "elsewhere", "-n", namespace, "--ignore-not-found"):
        certificate, key = certificates.self_signed(["elsewhere"])
        pair = {"tls.crt": certificate, "tls.key": key}
        for name, texts in (("elsewhere-tls", pair), ("elsewhere-ca", {"ca.crt": certificate})):
            made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts}
            kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(made))
        image = bootstrap.default_image("valkey")
        kubectl("apply", "-n", namespace, "-f", "-", stdin=TLS_STORE.replace("IMAGE", image))
        url = "--from-literal=url=rediss://:sesame@elsewhere:6380/0"
        kubectl("create", "secret", "generic", "elsewhere-url", "-n", namespace, url)
    external = {"host": "elsewhere", "port": 6380, "tls": {"enabled": True, "caSecret": "elsewhere-ca"}}
    auth = (
        {"existingSecret": "elsewhere"}
        if secret == "password"
        else {"existingSecret": "elsewhere-url", "urlKey": "url"}
    )
    far = start(f"far-{secret}", {"replicaCount": 2, "valkey": {"external": external, "auth": auth}})
    one, two = far.wait_for_pods(2)
    with far.person_at(one) as ada, far.person_at(two) as ben:
        ada.join(room, "Ada")
        ben.join(room, "Ben")
        assert ada.say("hello")["id"] == 1
        assert ben.hear("message")["text"] == "hello"


def test_a_new_release_of_the_same_name_finds_what_was_said(
    start: Callable[[str, dict[str, Any]], Chat], room: str
) -> None:
    values = {"valkey": {"enabled": True, "auth": {"existingSecret": "login"}}}
    first = start("kept", values)
    with first.person_at(first.wait_for_pods(1)[0]) as ada:
        ada.join(room, "Ada")
        ada.say("remember me")
    assert first.release.helm_run("uninstall", "kept", "--wait").returncode == 0
    second = start("kept", values)
    with second.person_at(second.wait_for_pods(1)[0]) as ben:
        assert [each["text"] for each in ben.join(room, "Ben")["messages"]] == ["remember me"]
