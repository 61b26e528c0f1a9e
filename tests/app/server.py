"""A chat server for a test: started on free ports of the loopback interface, asked over HTTP."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

PATIENCE = 15.0
# Below the range from which the kernel takes the ports of outgoing connections.
PORTS = range(20000, 30000)
# One for all: making a client takes longer than most tests. Each request has a connection of its own.
CLIENT = httpx.Client(trust_env=False, timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0))


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; `what` names it when it does not come true within PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in {PATIENCE:g} s this did not happen: {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Answer:
    """Status and text of an HTTP response, and its headers by lower-case name."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass(frozen=True)
class ChatServer:
    """A running server and its three ports."""

    process: subprocess.Popen[str]
    web: int
    api: int
    ws: int

    def get(self, port: int, path: str, **headers: str) -> httpx.Response:
        """GET a path from one of the ports; no redirect is followed."""
        return CLIENT.get(f"http://127.0.0.1:{port}{path}", headers=headers)

    def url(self, path: str = "/wss") -> str:
        """The address of the chat."""
        return f"ws://127.0.0.1:{self.ws}{path}"

    def handshake(self, path: str = "/wss", changed: Mapping[str, str | None] = MappingProxyType({})) -> Answer:
        """Send a handshake, with some headers changed (None: left out), and return the answer to it."""
        fields: dict[str, str | None] = {
            "Host": f"127.0.0.1:{self.ws}",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            **changed,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.ws, timeout=PATIENCE)
        try:
            connection.request(
                "GET", path, headers={name: value for name, value in fields.items() if value is not None}
            )
            response = connection.getresponse()
            text = "" if response.status == 101 else response.read().decode()
            return Answer(response.status, text, {name.lower(): value for name, value in response.getheaders()})
        finally:
            connection.close()

    def unready(self) -> str:
        """Why people can't talk, in the one line that its ws port gives; "" when they can."""
        answer = self.get(self.ws, "/healthz?ready=1")
        assert answer.text.count("\n") == 1
        assert answer.status_code == (200 if answer.text.startswith("ok") else 503)
        return answer.text.removesuffix("\n").removeprefix("ok").removeprefix(", but ")

    def metric(self, sample: str) -> float:
        """The value of a sample like `chatapp_open_sockets`, 0 while it is not there."""
        for line in self.get(self.api, "/metrics").text.splitlines():
            if line.startswith(f"{sample} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def start(tree: Path, variables: dict[str, str], ports: Sequence[int] = ()) -> ChatServer:
    """Start the app that lies in `tree`, on free ports or these, and wait until its three ports answer."""
    web, api, ws = ports or free_ports(3)
    listen = {"WEB_PORT": str(web), "API_PORT": str(api), "WS_PORT": str(ws)}
    server = ChatServer(spawn(tree, listen | variables), web, api, ws)
    until(lambda: all(_answers(server, port) for port in (web, api, ws)), "all three ports answer")
    return server


def spawn(tree: Path, variables: dict[str, str]) -> subprocess.Popen[str]:
    """Run the app with these variables and no others of its own."""
    environ = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, "-m", "chatapp"]
    return subprocess.Popen(command, cwd=tree, env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _answers(server: ChatServer, port: int) -> bool:
    assert server.process.poll() is None, server.process.communicate()[1]
    try:
        return server.get(port, "/healthz").status_code == 200
    except httpx.TransportError:
        return False


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    free: list[int] = []
    while len(free) < count:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            if port not in free and probe.connect_ex(("127.0.0.1", port)) != 0:
                free.append(port)
    return free
