from collections.abc import Iterator
from pathlib import Path

import pytest

from .server import ChatServer, start


@pytest.mark.parametrize("path", ["/wss", "/wss/"])
def test_the_chat_answers_with_and_without_a_slash(server: ChatServer, path: str) -> None:
    answer = server.handshake(path)
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3


@pytest.mark.parametrize("path", ["/wssx", "/wss/x", "/", "/ws", "/wss//"])
def test_any_other_path_is_the_chats_own_404(server: ChatServer, path: str) -> None:
    answer = server.handshake(path)
    assert answer.status == 404
    assert answer.text == f"Nothing is served at {path} on this port; the chat is at /wss.\n"


@pytest.mark.parametrize("header", ["Upgrade", "Connection"])
def test_a_request_without_the_upgrade_headers_gets_426_and_the_reason(server: ChatServer, header: str) -> None:
    answer = server.handshake(changed={header: None})
    assert (answer.status, answer.headers["upgrade"], answer.headers["connection"]) == (426, "websocket", "Upgrade")
    assert "proxy" in answer.text


@pytest.mark.parametrize(
    "headers", [{"Sec-WebSocket-Key": "123"}, {"Sec-WebSocket-Key": None}, {"Sec-WebSocket-Version": "12"}]
)
def test_a_malformed_handshake_gets_400_and_the_version_spoken(
    server: ChatServer, headers: dict[str, str | None]
) -> None:
    answer = server.handshake(changed=headers)
    assert (answer.status, answer.headers["sec-websocket-version"]) == (400, "13")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "chat.example.com"),
        ("https://chat.example.com", "chat.example.com"),
        ("http://chat.example.com", "chat.example.com"),
        ("https://chat.example.com:443", "chat.example.com"),
        ("https://chat.example.com", "chat.example.com:443"),
        ("http://chat.example.com", "chat.example.com:80"),
        ("http://chat.example.com:8080", "chat.example.com:8080"),
        ("https://chat.example.com", "CHAT.Example.com"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_page_of_the_same_host_and_port_may_connect_whatever_its_scheme(
    server: ChatServer, origin: str | None, host: str
) -> None:
    assert server.handshake(changed={"Origin": origin, "Host": host}).status == 101


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "chat.example.com"),
        ("https://chat.example.com.evil.example", "chat.example.com"),
        ("https://example.com", "chat.example.com"),
        ("https://chat.example.com:8443", "chat.example.com"),
        ("http://chat.example.com", "chat.example.com:8080"),
        ("http://chat.example.com", "chat.example.com:443"),
        ("https://user@chat.example.com", "chat.example.com"),
        ("https://chat.example.com/page", "chat.example.com"),
        ("https://chat.example.com:port", "chat.example.com"),
        ("https://chat.example.com", "chat.example.com:port"),
        ("null", "chat.example.com"),
        ("file://", "chat.example.com"),
        ("", "chat.example.com"),
    ],
)
def test_any_other_page_gets_403_with_both_names(server: ChatServer, origin: str, host: str) -> None:
    answer = server.handshake(changed={"Origin": origin, "Host": host})
    assert answer.status == 403
    assert f"Origin {origin} " in answer.text
    assert f"Host {host}" in answer.text
    assert answer.text.count("\n") == 1


@pytest.fixture(scope="module")
def picky(tree: Path) -> Iterator[ChatServer]:
    """A server with a list of origins."""
    running = start(tree, {"WS_ALLOWED_ORIGINS": "https://chat.example.com, http://localhost:8080"})
    yield running
    running.process.kill()
    running.process.communicate()


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://chat.example.com", 101),
        ("https://chat.example.com:443", 101),
        ("http://localhost:8080", 101),
        ("http://chat.example.com", 403),
        ("https://localhost:8080", 403),
        ("https://other.example.com", 403),
        (None, 403),
    ],
)
def test_a_list_of_origins_is_the_whole_truth(picky: ChatServer, origin: str | None, status: int) -> None:
    answer = picky.handshake(changed={"Origin": origin, "Host": "other.example.com"})
    assert answer.status == status
    assert (status == 101) or "WS_ALLOWED_ORIGINS" in answer.text
