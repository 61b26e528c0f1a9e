"""Several replicas and one Valkey: whoever people are connected to, they are in one chat."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from .conftest import Replicas, Start
from .people import Person, connected
from .server import ChatServer, until
from .valkey_server import Store


def members(server: ChatServer, name: str) -> list[str]:
    rooms = server.get(server.api, "/api/rooms").json()["rooms"]
    return next((room["members"] for room in rooms if room["name"] == name), [])


def test_people_of_different_replicas_talk(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        assert ada.join("lobby", "Ada")["members"] == ["Ada"]
        assert bob.join("lobby", "Bob")["members"] == ["Ada", "Bob"]
        said = ada.say("hello", key="k-1")
        assert said == bob.hear("message")
        assert (said["id"], said["nick"], said["text"], said["key"]) == (1, "Ada", "hello", "k-1")
        assert bob.say("\ud834 half a pair")["id"] == 2
        assert ada.hear("message")["text"] == "\ud834 half a pair"


def test_ids_count_up_by_one_whoever_speaks_at_the_same_time(replicas: Replicas) -> None:
    servers, each = replicas(3), 60
    with ExitStack() as stack:
        people = [stack.enter_context(connected(server)) for server in servers * 2]
        for number, person in enumerate(people):
            person.join("crowd", f"person {number}")

        def speak(number: int) -> None:
            for text in range(each):
                people[number].tell("send", text=f"{number} {text}")

        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(speak, range(len(people))))
        everything = [person.hear_until(each * len(people)) for person in people]
    first = everything[0]
    assert [message["id"] for message in first] == list(range(1, each * len(people) + 1))
    assert all(heard == first for heard in everything)
    for number in range(len(people)):
        own = [message["text"] for message in first if message["nick"] == f"person {number}"]
        assert own == [f"{number} {text}" for text in range(each)]


def test_a_newcomers_history_and_what_follows_fit_together_while_others_speak(replicas: Replicas) -> None:
    servers, total = replicas(2), 400
    with ExitStack() as stack:
        speakers = [stack.enter_context(connected(server)) for server in servers]
        for speaker in speakers:
            speaker.join("busy", "speaker")

        def speak(speaker: Person) -> None:
            for number in range(total // 2):
                speaker.say(str(number))

        def arrive(server: ChatServer) -> list[int]:
            with connected(server) as newcomer:
                history = newcomer.join("busy", "newcomer")["messages"]
                return [message["id"] for message in [*history, *newcomer.hear_until(total)]]

        with ThreadPoolExecutor(14) as pool:
            speaking = [pool.submit(speak, speaker) for speaker in speakers]
            seen = []
            for number in range(12):
                speakers_busy = not all(task.done() for task in speaking)
                if speakers_busy:
                    seen.append(pool.submit(arrive, servers[number % 2]))
                    time.sleep(0.02)
            assert len(seen) > 2
            assert all(task.result() == list(range(1, total + 1)) for task in seen)


def test_the_last_to_leave_takes_the_room_out_of_memory_and_history_is_there_again(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada:
        ada.join("lobby", "Ada")
        ada.say("hello")
    until(lambda: here.metric("chatapp_rooms") == 0, "the replica holds the room no more")
    for server in (here, there):
        with connected(server) as bob:
            assert [message["text"] for message in bob.join("lobby", "Bob")["messages"]] == ["hello"]


def test_history_is_bounded_and_a_gap_is_said(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        ada.join("lobby", "Ada")
        for number in range(510):
            ada.tell("send", text=str(number))
        ada.hear_until(510)
        newcomer = bob.join("lobby", "Bob")
        assert ([message["id"] for message in newcomer["messages"]], newcomer["gap"]) == (list(range(11, 511)), False)
        assert bob.join("lobby", "Bob", after=10)["gap"] is False
        assert bob.join("lobby", "Bob", after=9)["gap"] is True


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_who_loses_their_replica_goes_on_at_another_with_what_they_missed(
    replicas: Replicas, end: signal.Signals
) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        epoch = ada.join("lobby", "Ada")["epoch"]
        bob.join("lobby", "Bob")
        ada.say("one")
        here.stop(end)
        bob.hear("message")
        bob.say("two")
        with connected(there) as again:
            welcome = again.join("lobby", "Ada", after=1, epoch=epoch)
            assert [message["text"] for message in welcome["messages"]] == ["two"]
            assert (welcome["gap"], welcome["epoch"], welcome["last"]) == (False, epoch, 2)


def test_history_ids_and_epoch_outlive_every_replica_and_the_store(
    replicas: Replicas, start_server: Start, store: Store
) -> None:
    (server,) = replicas(1)
    with connected(server) as ada:
        epoch = ada.join("lobby", "Ada")["epoch"]
        for text in ("one", "two", "three"):
            ada.say(text)
        server.stop(signal.SIGKILL)
        store.stop(signal.SIGKILL)
    store.start()
    fresh = start_server(VALKEY_URL=store.url())
    until(lambda: not fresh.unready(), "the new replica is ready")
    with connected(fresh) as ada:
        welcome = ada.join("lobby", "Ada", after=1, epoch=epoch)
        assert [message["id"] for message in welcome["messages"]] == [2, 3]
        assert (welcome["gap"], welcome["epoch"]) == (False, epoch)
        assert ada.say("four")["id"] == 4


def test_members_come_and_go_on_every_replica(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada:
        ada.join("lobby", "Ada")
        with connected(there) as bob, connected(there) as again:
            bob.join("lobby", "Bob")
            ada.see(["Ada", "Bob"])
            assert again.join("lobby", "Ada")["members"] == ["Ada", "Bob"]
            bob.join("elsewhere", "Bob")
            ada.see(["Ada"])
            bob.join("lobby", "Robert")
            ada.see(["Ada", "Robert"])
        ada.see(["Ada"])


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_people_of_a_replica_that_ends_are_gone_after_a_short_while(
    replicas: Replicas, end: signal.Signals
) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        bob.join("lobby", "Bob")
        ada.join("lobby", "Ada")
        ada.see(["Ada", "Bob"])
        there.stop(end)
        ada.see(["Ada"])
        until(lambda: members(here, "lobby") == ["Ada"], "the API says the same")


def test_the_api_of_every_replica_knows_every_room(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada:
        ada.join("b", "Ada")
        sent = [ada.say(text) for text in ("one", "two", "three")]
        ada.join("a", "Ada")
        expected = [{"name": "a", "members": ["Ada"], "last": 0}, {"name": "b", "members": [], "last": 3}]
        until(lambda: there.get(there.api, "/api/rooms").json()["rooms"] == expected, "both rooms are listed")
        for message in sent:
            del message["type"]
        answer = there.get(there.api, "/api/rooms/b/messages?after=1").json()
        assert (answer["messages"], answer["last"], answer["gap"]) == (sent[1:], 3, False)
        assert there.get(there.api, "/api/rooms/nobody-was-here/messages").status_code == 404


def test_rooms_are_limited_for_all_replicas_together_and_old_ones_make_place(replicas: Replicas, store: Store) -> None:
    (server,) = replicas(1)
    with store.client() as client, connected(server) as ada:
        client.zadd("chatapp:rooms", {f"room-{number}": time.time() * 1000 for number in range(1000)})
        ada.tell("join", room="lobby", nick="Ada")
        assert "1000 rooms" in ada.hear("error")["reason"]
        client.zadd("chatapp:rooms", {"room-7": (time.time() - 31 * 86400) * 1000})
        assert ada.join("lobby", "Ada")["members"] == ["Ada"]
