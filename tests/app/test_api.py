import socket

import pytest

from .people import connected
from .server import CLIENT, ChatServer, until


def test_info_says_which_pod_answered(server: ChatServer) -> None:
    info = server.get(server.api, "/api/info").json()
    assert (info["name"], info["hostname"]) == ("chatapp", socket.gethostname())
    assert info["version"]
    assert info["uptime_seconds"] > 0


def test_rooms_lists_members_and_the_last_id(server: ChatServer, room: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        ada.say("hello")
        rooms = server.get(server.api, "/api/rooms").json()["rooms"]
    assert {"name": room, "members": ["Ada"], "last": 1} in rooms


def test_messages_are_those_after_the_given_id(server: ChatServer, room: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        sent = [ada.say(text) for text in ("one", "two", "three")]
    for message in sent:
        del message["type"]
    answer = server.get(server.api, f"/api/rooms/{room}/messages?after=1").json()
    assert (answer["messages"], answer["last"], answer["gap"]) == (sent[1:], 3, False)
    assert server.get(server.api, f"/api/rooms/{room}/messages").json()["messages"] == sent


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/api", 404, "/api/info"),
        ("/api/nope", 404, "/api/rooms"),
        ("/api/metrics", 404, "/api/metrics"),
        ("/", 404, "GET / "),
        ("/api/rooms/nobody-was-here/messages", 404, "nobody-was-here"),
    ],
)
def test_what_is_not_there_is_said_as_json(server: ChatServer, path: str, status: int, named: str) -> None:
    answer = server.get(server.api, path)
    assert answer.status_code == status
    assert named in answer.json()["error"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "9" * 5000])
def test_a_wrong_id_is_refused_by_name(server: ChatServer, room: str, after: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        answer = server.get(server.api, f"/api/rooms/{room}/messages?after={after}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("after is ")


def test_a_wrong_method_is_refused_as_json(server: ChatServer) -> None:
    answer = CLIENT.post(f"http://127.0.0.1:{server.api}/api/info")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET,HEAD")
    assert "POST /api/info" in answer.json()["error"]


def test_metrics_count_sockets_and_messages(server: ChatServer, room: str) -> None:
    before = server.metric("chatapp_messages_total")
    closed = server.metric('chatapp_sockets_closed_total{code="1000"}')
    with connected(server) as ada, connected(server) as bob:
        ada.join(room, "Ada")
        bob.join(room, "Bob")
        ada.say("hello")
        assert server.metric("chatapp_open_sockets") >= 2
    assert server.metric("chatapp_messages_total") == before + 1
    until(
        lambda: server.metric('chatapp_sockets_closed_total{code="1000"}') == closed + 2,
        "both sockets are counted as closed with 1000",
    )


@pytest.mark.parametrize(
    ("reason", "header", "value"),
    [
        ("origin", "Origin", "https://evil.example"),
        ("not_websocket", "Upgrade", None),
        ("malformed", "Sec-WebSocket-Key", "123"),
    ],
)
def test_refused_handshakes_are_counted_by_reason(
    server: ChatServer, reason: str, header: str, value: str | None
) -> None:
    sample = f'chatapp_handshakes_refused_total{{reason="{reason}"}}'
    before = server.metric(sample)
    server.handshake(changed={header: value})
    assert server.metric(sample) == before + 1
