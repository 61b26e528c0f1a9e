import contextlib
import signal
import socket
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from .conftest import Start
from .people import Person, RawPeer, connected
from .server import PATIENCE, spawn, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_every_socket_with_1012_and_ends_with_0(start_server: Start, number: signal.Signals) -> None:
    server = start_server(WS_DRAIN_SECONDS="1")
    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(connected(server)) for _ in range(20)]
        for person in people:
            person.join("lobby", "Ada")
        assert server.stop(number) == 0
        codes = [_close_code(person) for person in people]
    assert codes == [1012] * 20
    assert "Traceback" not in server.process.communicate()[1]


def test_a_message_sent_before_the_end_still_arrives(start_server: Start) -> None:
    server = start_server()
    with connected(server) as ada, connected(server) as bob:
        ada.join("lobby", "Ada")
        bob.join("lobby", "Bob")
        ada.say("last words")
        assert server.stop() == 0
        assert bob.hear("message")["text"] == "last words"


def test_while_draining_no_port_is_healthy_and_no_handshake_is_taken(start_server: Start) -> None:
    server = start_server()
    with RawPeer(server):  # does not answer the close frame, so the server waits for it a little
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get(server.ws, "/healthz").status_code == 503, "the ws port is not ready any more")
        assert [server.get(port, "/healthz").status_code for port in (server.web, server.api)] == [503, 503]
        assert server.unready() == "draining"
        assert server.get(server.web, "/").status_code == 200
        refused = server.handshake()
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert server.process.wait(PATIENCE) == 0


def test_without_sockets_it_ends_at_once(start_server: Start) -> None:
    assert start_server(WS_DRAIN_SECONDS="3600").stop() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "abc"),
        ("API_PORT", "0"),
        ("WS_PORT", "65536"),
        ("WS_PORT", "tcp://10.0.0.1:3002"),
        ("API_PORT", "3000"),
        ("WEB_ENDPOINT", "chat"),
        ("WEB_ENDPOINT", "/chat/"),
        ("API_ENDPOINT", "/api/*"),
        ("API_ENDPOINT", "/a/../b"),
        ("CHAT_ENDPOINT", "wss://chatapp.com/wss"),
        ("CHAT_ENDPOINT", "/healthz"),
        ("API_ENDPOINT", "/metrics"),
        ("WS_PING_INTERVAL", "26"),
        ("WS_PING_INTERVAL", "0"),
        ("WS_PING_INTERVAL", "nan"),
        ("WS_DRAIN_SECONDS", "-1"),
        ("WS_DRAIN_SECONDS", "10s"),
        ("WS_ALLOWED_ORIGINS", "*"),
        ("WS_ALLOWED_ORIGINS", "chat.example.com"),
        ("WS_ALLOWED_ORIGINS", "https://chat.example.com/,https://b.example.com"),
    ],
)
def test_a_wrong_variable_is_refused_by_name_in_one_sentence(tree: Path, name: str, value: str) -> None:
    process = spawn(tree, {name: value})
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert complaint.count("\n") == 1
    assert complaint.startswith("chatapp: ")
    assert name in complaint
    assert value in complaint


def test_a_taken_port_is_named(tree: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = spawn(tree, {"WEB_PORT": port})
        _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert f"WEB_PORT is {port}" in complaint
    assert "Traceback" not in complaint


def test_an_empty_variable_counts_as_not_set(start_server: Start) -> None:
    server = start_server(WEB_ENDPOINT="", WS_PING_INTERVAL="", WS_ALLOWED_ORIGINS="")
    assert server.get(server.web, "/").status_code == 200
    assert server.handshake().status == 101


def _close_code(person: Person) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        person.hear("nothing")
    return closed.value.rcvd.code if closed.value.rcvd else None
