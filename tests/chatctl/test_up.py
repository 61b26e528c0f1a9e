"""What `chatctl up` looks at before and after the cluster: the machine, the kubeconfig, the handshake."""

import platform
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from chatctl import up, workload
from chatctl.cluster.model import Cluster
from chatctl.console import Steps
from chatctl.errors import ToolError, UserError


@pytest.fixture
def port() -> int:
    """A port of the loopback interface on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Where a test puts servers, which end with it."""
    with ExitStack() as stack:
        yield stack


def test_local_cluster_on_another_machine_than_x86_64_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(UserError, match="runs on Linux on x86-64 only; name an existing one with --kubeconfig"):
        up.up_local(Cluster(), "chatapp", "chatapp", "", [], Steps())


def test_handshake_is_tried_until_the_route_is_there(port: int, servers: ExitStack) -> None:
    origins: list[str | None] = []

    def remember(connection: ServerConnection) -> None:
        assert connection.request is not None
        origins.append(connection.request.headers["Origin"])

    def publish(reason: str) -> None:
        assert "refused" in reason
        server = servers.enter_context(serve(remember, "127.0.0.1", port))
        threading.Thread(target=server.serve_forever).start()
        servers.callback(server.shutdown)

    up.handshake(f"http://chat.localhost:{port}/", "/wss", publish)
    servers.close()
    assert origins == [f"http://chat.localhost:{port}"]


def test_handshake_that_nobody_answers_is_given_up_with_the_reason(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(up, "HANDSHAKE_SECONDS", 0)
    with pytest.raises(ToolError, match=rf"no WebSocket at https://localhost:{port}/, path /wss: .*refused"):
        up.handshake(f"https://localhost:{port}/", "/wss")


CLOSED = """
apiVersion: v1
kind: Config
current-context: closed
contexts: [{{name: closed, context: {{cluster: closed, user: nobody}}}}]
clusters: [{{name: closed, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: nobody, user: {{}}}}]
"""


@pytest.mark.parametrize("content", ["", "not: [yaml", "apiVersion: v1\nkind: Config\n", CLOSED])
def test_cluster_that_cannot_be_asked_is_named_by_its_kubeconfig(tmp_path: Path, port: int, content: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(content.format(port=port))
    with pytest.raises(ToolError, match=f"the cluster of {kubeconfig} can't be asked: .+; is it running"):
        workload.connect(kubeconfig)
