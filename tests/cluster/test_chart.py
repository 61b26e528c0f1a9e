"""The chart on a real cluster: installed by hand, tested by Helm, reached through both of Traefik's ways in."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatctl import certificates, release, up
from chatctl.cluster.model import Cluster
from chatctl.paths import repository
from chatctl.release import Release

from ..conftest import Install, Installed
from .visitor import get, tls_version


@pytest.fixture(scope="module")
def chat(install: Install) -> Installed:
    return install("chat", "cluster-chart", {})


@pytest.mark.parametrize(
    ("path", "said"), [("/", "<!doctype html>"), ("/api/info", '"chatapp"'), ("/config/runtime.js", '"/wss"')]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_one_host_reaches_page_api_and_configuration(
    cluster: Cluster, chat: Installed, scheme: str, path: str, said: str
) -> None:
    port = {"http": cluster.http_port, "https": cluster.https_port}[scheme]
    answer = get(f"{scheme}://{chat.host}:{port}{path}")
    assert answer.status_code == 200
    assert said in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/wssx", "/healthz/x"])
def test_what_no_route_leads_to_is_not_found(chat: Installed, path: str) -> None:
    assert get(f"{chat.url}{path}").status_code == 404


def test_metrics_are_not_published(chat: Installed) -> None:
    assert get(f"{chat.url}/metrics").status_code == 404


def test_a_certificate_of_ones_own_is_served(
    cluster: Cluster, install: Install, kubectl: Callable[..., str], chat: Installed
) -> None:
    host = "own-certificate.localhost"
    certificate, key = certificates.self_signed([host])
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "chat-tls", "namespace": chat.namespace},
        "stringData": {"tls.crt": certificate, "tls.key": key},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    secured = install("tls", chat.namespace, {"ingress": {"hosts": [host], "tls": [{"secretName": "chat-tls"}]}})
    assert secured.url == f"https://{host}:{cluster.https_port}"
    assert tls_version(host, cluster.https_port, certificate) == "TLSv1.3"


def test_helm_test_passes_and_shows_the_handshake(cluster: Cluster, helm: Path, chat: Installed) -> None:
    done = Release(helm, cluster.kubeconfig, chat.name, chat.namespace).helm_run("test", chat.name, "--logs")
    assert done.returncode == 0, done.stderr
    assert "101" in done.stdout
    assert "PASSED" in done.stdout


@pytest.mark.parametrize(
    ("name", "tests", "reason"),
    [
        ("lost", {"path": "/nowhere"}, "the server knows no /nowhere"),
        ("foreign", {"headers": {"Origin": "http://evil.test"}}, "the server refused with 403"),
    ],
)
def test_helm_test_fails_with_the_reason(
    cluster: Cluster, helm: Path, install: Install, name: str, tests: dict[str, Any], reason: str
) -> None:
    broken = install(name, "cluster-misled", {"tests": tests})
    done = Release(helm, cluster.kubeconfig, broken.name, broken.namespace).helm_run("test", broken.name, "--logs")
    assert done.returncode != 0
    assert reason in done.stdout


def test_test_pod_gets_no_traffic(kubectl: Callable[..., str], cluster: Cluster, helm: Path, chat: Installed) -> None:
    assert Release(helm, cluster.kubeconfig, chat.name, chat.namespace).helm_run("test", chat.name).returncode == 0
    namespaced = ("-n", chat.namespace, "-o", "json")
    slices = json.loads(
        kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={chat.name}-chatapp", *namespaced)
    )
    pods = {endpoint["targetRef"]["name"] for each in slices["items"] for endpoint in each["endpoints"]}
    app = json.loads(kubectl("get", "pods", "-l", "app.kubernetes.io/component=app", *namespaced))
    assert pods
    assert pods <= {pod["metadata"]["name"] for pod in app["items"]}


def test_helm_install_by_hand_works_beside_another(
    cluster: Cluster, helm: Path, chat: Installed, tmp_path: Path
) -> None:
    """`helm install other ./chart -n two --create-namespace`, with nothing but the printed KUBECONFIG."""
    argv = [str(helm), "install", "other", str(repository() / "chart"), "-n", "two", "--create-namespace", "--wait"]
    done = subprocess.run(
        argv,
        env={"KUBECONFIG": str(cluster.kubeconfig), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        assert done.returncode == 0, done.stderr
        assert "http://other-chatapp.localhost" in done.stdout
        up.handshake(f"http://other-chatapp.localhost:{cluster.http_port}", "/wss")
        up.handshake(chat.url, "/wss")
    finally:
        Release(helm, cluster.kubeconfig, "other", "two").helm_run("uninstall", "other", "--wait")


def test_gateway_api_leads_to_the_same_service(cluster: Cluster, kubectl: Callable[..., str], chat: Installed) -> None:
    host = "gateway.localhost"
    service = f"{chat.name}-chatapp"
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "by-hand", "namespace": chat.namespace},
        "spec": {
            "parentRefs": [{"name": "traefik", "namespace": "traefik"}],
            "hostnames": [host],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": path}}],
                    "backendRefs": [{"name": service, "port": port}],
                }
                for path, port in (("/", 3000), ("/api", 3001), ("/wss", 3002))
            ],
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(route))
    for scheme, port in (("http", cluster.http_port), ("https", cluster.https_port)):
        up.handshake(f"{scheme}://{host}:{port}", "/wss")
        assert get(f"{scheme}://{host}:{port}/api/info").json()["name"] == "chatapp"


def test_addresses_are_those_of_the_rendered_ingress() -> None:
    ingress = {
        "kind": "Ingress",
        "spec": {
            "tls": [{"hosts": ["b.test"]}],
            "rules": [
                {"host": host, "http": {"paths": [{"path": "/chat/wss"}, {"path": "/chat"}]}}
                for host in ("a.test", "b.test")
            ],
        },
    }
    assert release.addresses([ingress], None, 8443) == ["http://a.test/chat/", "https://b.test:8443/chat/"]


def test_addresses_of_a_gateway_are_those_of_its_hosts() -> None:
    def route(**parent: object) -> dict[str, object]:
        rules = [{"matches": [{"path": {"value": path}}]} for path in ("/chat/api", "/chat")]
        return {
            "kind": "HTTPRoute",
            "spec": {"parentRefs": [parent], "hostnames": ["a.test", "b.test"], "rules": rules},
        }

    assert release.addresses([route(name="web")], 8080, 8443) == [
        "http://a.test:8080/chat/",
        "http://b.test:8080/chat/",
    ]
    secure = ["https://a.test:8443/chat/", "https://b.test:8443/chat/"]
    assert release.addresses([route(name="web", sectionName="websecure")], 8080, 8443) == secure
    assert release.addresses([route(name="web", port=443)] * 2, 8080, 8443) == secure
