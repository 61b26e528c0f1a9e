"""Those who chat in the tests: one with good manners, and one who does only what the test says."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

from .server import PATIENCE, ChatServer


@dataclass(frozen=True)
class Person:
    """Speaks the protocol of app/README.md over a socket that answers pings and closes as it should."""

    socket: ClientConnection

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a frame."""
        self.socket.send(json.dumps({"type": kind, **fields}))

    def hear(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind."""
        while True:
            frame: dict[str, Any] = json.loads(self.socket.recv(PATIENCE))
            if frame["type"] == kind:
                return frame

    def hear_until(self, last: int) -> list[dict[str, Any]]:
        """Every message up to the one with that id, as they come."""
        heard = [self.hear("message")]
        while heard[-1]["id"] < last:
            heard.append(self.hear("message"))
        return heard

    def see(self, members: list[str]) -> None:
        """Wait to be told that these are in the room."""
        while self.hear("members")["members"] != members:
            pass

    def join(self, room: str, nick: str, **fields: Any) -> dict[str, Any]:
        """Enter a room and return the welcome."""
        self.tell("join", room=room, nick=nick, **fields)
        return self.hear("welcome")

    def say(self, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message and return it as the server sends it back."""
        self.tell("send", text=text, **fields)
        return self.hear("message")


@contextmanager
def connected(server: ChatServer, path: str = "/wss") -> Iterator[Person]:
    """Someone whose socket is open, and who always listens: one with frames unread would not see the close frame."""
    with connect(
        server.url(path), proxy=None, max_size=None, max_queue=None, open_timeout=PATIENCE, close_timeout=PATIENCE
    ) as socket:
        yield Person(socket)


class RawPeer:
    """Answers neither pings nor close frames, and reads only when asked to."""

    def __init__(self, server: ChatServer, receive_buffer: int | None = None) -> None:
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", server.ws))
        self._protocol = ClientProtocol(parse_uri(server.url()))
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        while self._protocol.state is not OPEN:
            self._protocol.receive_data(self._socket.recv(4096))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a frame of the chat."""
        self._protocol.send_text(json.dumps({"type": kind, **fields}).encode())
        self._flush()

    def frames(self) -> Iterator[Frame]:
        """Every frame that comes, control frames included, until the server is gone."""
        while True:
            yield from (event for event in self._protocol.events_received() if isinstance(event, Frame))
            try:
                data = self._socket.recv(65536)
            except ConnectionError:
                return
            if not data:
                return
            self._protocol.receive_data(data)

    def _flush(self) -> None:
        self._socket.sendall(b"".join(self._protocol.data_to_send()))
