import json
from datetime import UTC, datetime
from typing import Any

import pytest

from .conftest import Start
from .people import connected
from .server import ChatServer


def test_two_people_see_each_other_and_each_others_messages(server: ChatServer, room: str) -> None:
    with connected(server) as ada, connected(server) as bob:
        assert ada.join(room, "Ada")["members"] == ["Ada"]
        assert bob.join(room, "Bob")["members"] == ["Ada", "Bob"]
        ada.say("hello")
        heard = bob.hear("message")
        assert (heard["id"], heard["room"], heard["nick"], heard["text"]) == (1, room, "Ada", "hello")
        bob.say("hello back")
        assert ada.hear("message")["text"] == "hello back"


def test_a_message_carries_its_time_in_utc(server: ChatServer, room: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    with connected(server) as ada:
        ada.join(room, "Ada")
        at = ada.say("hello")["at"]
    assert at.endswith("Z")
    assert before <= datetime.fromisoformat(at) <= datetime.now(UTC)


def test_members_are_told_who_comes_and_who_goes(server: ChatServer, room: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        assert ada.hear("members")["members"] == ["Ada"]
        with connected(server) as bob:
            bob.join(room, "bob")
            assert ada.hear("members")["members"] == ["Ada", "bob"]
        assert ada.hear("members")["members"] == ["Ada"]


def test_two_with_the_same_nickname_are_one_name(server: ChatServer, room: str) -> None:
    with connected(server) as ada, connected(server) as again:
        ada.join(room, "Ada")
        assert again.join(room, "  Ada ")["members"] == ["Ada"]


def test_ids_count_up_by_one_from_one_in_each_room(server: ChatServer, room: str) -> None:
    with connected(server) as ada, connected(server) as bob:
        ada.join(room, "Ada")
        bob.join(f"{room}-b", "Bob")
        assert [ada.say(str(number))["id"] for number in range(3)] == [1, 2, 3]
        assert bob.say("elsewhere")["id"] == 1


@pytest.mark.parametrize("key", ["k-1", None])
def test_the_senders_key_comes_back_to_everyone_and_with_the_history(
    server: ChatServer, room: str, key: str | None
) -> None:
    with connected(server) as ada, connected(server) as bob:
        ada.join(room, "Ada")
        bob.join(room, "Bob")
        assert ada.say("hello", key=key).get("key") == key
        assert bob.hear("message").get("key") == key
        assert ada.join(room, "Ada", after=0)["messages"][0].get("key") == key


def test_a_client_that_comes_back_gets_what_it_missed_and_nothing_twice(server: ChatServer, room: str) -> None:
    with connected(server) as ada:
        epoch = ada.join(room, "Ada")["epoch"]
        for number in range(1, 6):
            ada.say(f"message {number}")
        with connected(server) as bob:
            welcome = bob.join(room, "Bob", after=3, epoch=epoch)
    assert [message["id"] for message in welcome["messages"]] == [4, 5]
    assert (welcome["last"], welcome["gap"]) == (5, False)


def test_history_is_bounded_and_a_gap_is_said(server: ChatServer, room: str) -> None:
    with connected(server) as ada, connected(server) as bob:
        ada.join(room, "Ada")
        for number in range(510):
            ada.say(str(number))
        newcomer = bob.join(room, "Bob")
        assert ([message["id"] for message in newcomer["messages"]], newcomer["gap"]) == (list(range(11, 511)), False)
        assert bob.join(room, "Bob", after=10)["gap"] is False
        late = bob.join(room, "Bob", after=9)
        assert (late["gap"], late["messages"][0]["id"], late["last"]) == (True, 11, 510)


def test_a_client_with_ids_from_before_a_restart_gets_the_new_history(start_server: Start, server: ChatServer) -> None:
    with connected(server) as ada:
        old = ada.join("restarted", "Ada")["epoch"]
    fresh = start_server()
    with connected(fresh) as ada, connected(fresh) as bob:
        ada.join("restarted", "Ada")
        for text in ("one", "two", "three"):
            ada.say(text)
        welcome = bob.join("restarted", "Bob", after=2, epoch=old)
        assert (len(welcome["messages"]), welcome["gap"]) == (3, True)
        assert bob.join("restarted", "Bob", after=57)["gap"] is True


def test_joining_another_room_leaves_the_one_before(server: ChatServer, room: str) -> None:
    with connected(server) as ada, connected(server) as bob:
        ada.join(room, "Ada")
        bob.join(room, "Bob")
        bob.join(f"{room}-b", "Bob")
        ada.say("still here")
        bob.say("over there")
        assert ada.join(room, "Ada")["members"] == ["Ada"]
        assert [message["text"] for message in bob.join(f"{room}-b", "Bob")["messages"]] == ["over there"]


def test_a_ping_is_answered_before_joining_too(server: ChatServer) -> None:
    with connected(server) as ada:
        ada.tell("ping")
        assert ada.hear("pong") == {"type": "pong"}


@pytest.mark.parametrize("text", ["x" * 2000, "𝄞" * 2000, "two\nlines", "\ud834 half a pair", "<b>bold</b>"])
def test_any_text_up_to_the_limit_arrives_as_it_was(server: ChatServer, room: str, text: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        assert ada.say(text)["text"] == text


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("not json", "JSON object"),
        ("[1]", "JSON object"),
        ("[" * 20000, "JSON object"),
        (b"bytes", "binary"),
        ({"type": "dance"}, "join"),
        ({"type": "join", "nick": "Ada"}, "room"),
        ({"type": "join", "room": "../x", "nick": "Ada"}, "room"),
        ({"type": "join", "room": "r" * 41, "nick": "Ada"}, "room"),
        ({"type": "join", "room": "lobby", "nick": " "}, "nickname"),
        ({"type": "join", "room": "lobby", "nick": "n" * 33}, "nickname"),
        ({"type": "join", "room": "lobby", "nick": "\u202eadA"}, "nickname"),
        ({"type": "join", "room": "lobby", "nick": "Ada", "after": -1}, "after"),
        ({"type": "join", "room": "lobby", "nick": "Ada", "after": True}, "after"),
        ({"type": "join", "room": "lobby", "nick": "Ada", "epoch": 7}, "epoch"),
        ({"type": "send", "text": "too early"}, "Join"),
        ({"type": "send", "text": " "}, "1 to 2000"),
        ({"type": "send", "text": "x" * 2001}, "1 to 2000"),
        ({"type": "send", "text": "hello", "key": "k" * 65}, "key"),
    ],
)
def test_a_frame_out_of_bounds_is_refused_and_the_socket_stays(
    server: ChatServer, frame: str | bytes | dict[str, Any], reason: str
) -> None:
    with connected(server) as ada:
        ada.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)
        assert reason in ada.hear("error")["reason"]
        ada.tell("ping")
        assert ada.hear("pong")


def test_a_refused_message_is_named_by_its_key(server: ChatServer, room: str) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        ada.tell("send", text="x" * 2001, key="k-1")
        assert ada.hear("error")["key"] == "k-1"
