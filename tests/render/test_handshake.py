"""`helm test`: the pod, and its script run for real against servers on this machine."""

import base64
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from chatctl import packages
from chatctl.console import Steps

from .view import RenderChart, View

PASSED = "PASSED:   the WebSocket handshake through the Service works."


@pytest.fixture(autouse=True, scope="module")
def curl() -> None:
    packages.ensure({"curl": "curl"}, Steps())


@contextmanager
def server(**hooks: Any) -> Iterator[int]:
    """A WebSocket server on loopback that keeps its connections open; gives its port."""
    with serve(listen, "127.0.0.1", 0, **hooks) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield port_of(running)
        running.shutdown()
        thread.join()


def listen(connection: ServerConnection) -> None:
    for _ in connection:
        pass


def port_of(running: Server) -> int:
    port: int = running.socket.getsockname()[1]
    return port


def expanded(text: str, env: Mapping[str, str]) -> str:
    """Expand `$(NAME)` and `$$` as the kubelet does in commands and variables (kubernetes.io, "Container", API v1)."""
    return re.sub(r"\$(?:\$|\(([^)]*)\))", lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]), text)


def run(release: View, port: int, host: str = "127.0.0.1") -> subprocess.CompletedProcess[str]:
    """Run the test pod's container here, against another server than the Service."""
    (container,) = release.the("Pod")["spec"]["containers"]
    env = {each["name"]: expanded(each["value"], {}) for each in container["env"]} | {"HOST": host, "PORT": str(port)}
    argv = [expanded(word, env) for word in (*container["command"], *container["args"])]
    # Sooner than curl's own limit: after a 101 it must not wait for the server to end.
    return subprocess.run(
        argv, env=env | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=14, check=False
    )


def refusing(status: HTTPStatus) -> Callable[[ServerConnection, Request], Response]:
    return lambda connection, _request: connection.respond(status, "no\n")


def test_handshake_passes(chart: RenderChart) -> None:
    with server() as port:
        done = run(chart(), port)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"request:  GET http://127.0.0.1:{port}/wss"
    assert done.stdout.splitlines()[-1] == PASSED


def test_every_run_has_a_key_of_its_own(chart: RenderChart) -> None:
    keys: list[str] = []
    with server(process_request=lambda _connection, request: keys.append(request.headers["Sec-WebSocket-Key"])) as port:
        run(chart(), port)
        run(chart(), port)
    assert [len(base64.b64decode(key, validate=True)) for key in keys] == [16, 16]
    assert keys[0] != keys[1]


def test_request_is_what_the_values_say(chart: RenderChart) -> None:
    requests: list[Request] = []
    path = "/wss/?room=a&b=$x$$&$(HOST)[1-2]{a,b}"
    values = {"path": path, "headers": {"Cookie": "a=$$b; c=$(HOST)", "X-Quote": "\"'`"}}
    release = chart(websocket={"allowedOrigins": ["https://chat.example.com"]}, tests=values)
    with server(process_request=lambda _connection, request: requests.append(request)) as port:
        assert run(release, port).returncode == 0
    (request,) = requests
    assert request.path == path
    assert request.headers["Cookie"] == "a=$$b; c=$(HOST)"
    assert request.headers["X-Quote"] == "\"'`"
    assert request.headers["Origin"] == "https://chat.example.com"


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        (refusing(HTTPStatus.OK), "a page came back instead of 101: this port does not serve the WebSocket at /wss."),
        (refusing(HTTPStatus.FORBIDDEN), "the server refused with 403: it wants a login or another Origin; "),
        (refusing(HTTPStatus.NOT_FOUND), "the server knows no /wss: ingress.paths.ws and the server disagree, "),
        (refusing(HTTPStatus.UPGRADE_REQUIRED), "the server answered 426: it does not take this as a WebSocket "),
        (refusing(HTTPStatus.FOUND), "the server answered 302 where 101 Switching Protocols was due."),
    ],
)
def test_refusal_is_explained(
    chart: RenderChart, hook: Callable[[ServerConnection, Request], Response], sentence: str
) -> None:
    with server(process_request=hook) as port:
        done = run(chart(), port)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(f"FAILED:   {sentence}")


def test_wrong_accept_value_is_noticed(chart: RenderChart) -> None:
    def lie(_connection: ServerConnection, _request: Request, response: Response) -> None:
        del response.headers["Sec-WebSocket-Accept"]
        response.headers["Sec-WebSocket-Accept"] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    with server(process_response=lie) as port:
        done = run(chart(), port)
    assert done.returncode == 1
    assert "accept:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(": what answers does not speak WebSocket.")


def test_nobody_listening_is_noticed(chart: RenderChart) -> None:
    with server() as port:
        pass
    done = run(chart(), port)
    assert done.returncode == 1
    assert f"FAILED:   nothing accepts connections at 127.0.0.1:{port}: is a pod ready" in done.stdout


def test_missing_name_is_noticed(chart: RenderChart) -> None:
    done = run(chart(), 80, host="chatapp.invalid")
    assert done.returncode == 1
    assert "FAILED:   the name chatapp.invalid does not resolve: is the Service there" in done.stdout


def test_pod_asks_the_service(chart: RenderChart) -> None:
    release = chart(release="other", service={"ports": {"ws": 80}}, ingress={"paths": {"ws": "/socket"}})
    (container,) = release.the("Pod")["spec"]["containers"]
    assert {each["name"]: each["value"] for each in container["env"]} == {
        "HOST": release.the("Service")["metadata"]["name"],
        "PORT": "80",
        "REQUEST_PATH": "/socket",
    }
    assert container["args"] == ["--header", "Origin: http://other-chatapp"]


def test_pod_follows_the_routes_port(chart: RenderChart) -> None:
    release = chart(ports={"chat": 4000}, ingress={"routes": {"ws": {"port": "chat"}}})
    (container,) = release.the("Pod")["spec"]["containers"]
    assert {"name": "PORT", "value": "4000"} in container["env"]


def test_own_origin_takes_the_place_of_the_default(chart: RenderChart) -> None:
    release = chart(tests={"headers": {"origin": "https://a.example.com"}})
    assert release.the("Pod")["spec"]["containers"][0]["args"] == ["--header", "origin: https://a.example.com"]


def test_pod_is_a_test_hook_with_an_image_of_its_own(chart: RenderChart) -> None:
    pod = chart().the("Pod")
    assert pod["metadata"]["annotations"] == {
        "helm.sh/hook": "test",
        "helm.sh/hook-delete-policy": "before-hook-creation",
    }
    assert pod["spec"]["restartPolicy"] == "Never"
    assert re.fullmatch(r"docker\.io/curlimages/curl:\d+\.\d+\.\d+", pod["spec"]["containers"][0]["image"])


def test_no_websocket_no_test(chart: RenderChart) -> None:
    assert chart(ingress={"paths": {"ws": ""}}).of_kind("Pod") == []
    assert chart(ingress={"paths": {"ws": ""}}, tests={"path": "/wss"}).of_kind("Pod") != []
