import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from .conftest import Start
from .people import RawPeer, connected
from .server import ChatServer, until


def test_the_server_pings_a_silent_socket(start_server: Start) -> None:
    with RawPeer(start_server(WS_PING_INTERVAL="0.2")) as peer:
        assert next(peer.frames()).opcode is Opcode.PING


def test_a_peer_that_answers_pings_stays_and_one_that_does_not_is_dropped(start_server: Start) -> None:
    server = start_server(WS_PING_INTERVAL="1")
    with connected(server) as ada, RawPeer(server) as dead:
        ada.join("lobby", "Ada")
        dead.tell("join", room="lobby", nick="Dead")
        while "Dead" not in ada.hear("members")["members"]:
            pass
        assert ada.hear("members")["members"] == ["Ada"]
        assert server.metric('chatapp_sockets_closed_total{code="1006"}') == 1
        assert ada.say("still here")["text"] == "still here"


def test_a_frame_beyond_the_limit_closes_the_socket_with_1009(server: ChatServer, room: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        ada.tell("send", text="x" * 40_000)
        with pytest.raises(ConnectionClosed) as closed:
            ada.hear("message")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_slow_reader_delays_nobody_and_is_dropped_with_1013(server: ChatServer, room: str) -> None:
    dropped = 'chatapp_sockets_closed_total{code="1013"}'
    before = server.metric(dropped)
    with connected(server) as ada, connected(server) as bob, RawPeer(server, receive_buffer=4096) as slow:
        slow.tell("join", room=room, nick="Slow")
        ada.join(room, "Ada")
        bob.join(room, "Bob")
        # Text that JSON writes with twelve bytes a character, until the kernel's buffers and the queue are full.
        for number in range(3000):
            assert ada.say("𝄞" * 2000)["id"] == bob.hear("message")["id"] == number + 1
            if number % 100 == 0 and server.metric(dropped) > before:
                break
        until(lambda: server.metric(dropped) == before + 1, "the slow socket is dropped")
        assert ada.join(room, "Ada")["members"] == ["Ada", "Bob"]
